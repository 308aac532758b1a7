//! Reads `core/vectors/circomlibjs.json`.

use std::str::FromStr;

use rootfold_core::{
    eddsa::{Point, PublicKey},
    F,
};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Vectors {
    pub base8: [String; 2],
    pub small_order: Vec<[String; 2]>,
    pub hashes: Vec<Hash>,
    pub signatures: Vec<Signed>,
    pub verdicts: Vec<Verdict>,
}

#[derive(Deserialize)]
pub struct Hash {
    pub inputs: Vec<String>,
    pub hash: String,
}

#[derive(Deserialize)]
pub struct Signed {
    pub secret_key: String,
    pub public_key: [String; 2],
    pub message: String,
    pub r8: [String; 2],
    pub s: String,
}

#[derive(Deserialize)]
pub struct Verdict {
    pub why: String,
    pub public_key: [String; 2],
    pub message: String,
    pub r8: [String; 2],
    pub s: String,
    pub circomlibjs: bool,
}

pub fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../vectors/circomlibjs.json")).unwrap()
}

pub fn element(decimal: &str) -> F {
    F::from_str(decimal).unwrap()
}

pub fn point(xy: &[String; 2]) -> Point {
    Point { x: element(&xy[0]), y: element(&xy[1]) }
}

pub fn public_key(xy: &[String; 2]) -> PublicKey {
    point(xy).into()
}
