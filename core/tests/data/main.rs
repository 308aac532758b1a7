//! Tests of what data mean, against other people's code, against forgers and against a model.

#![allow(clippy::unwrap_used)]

mod bytes;
mod common;
mod concepts;
mod eddsa_forgeries;
mod eddsa_oracles;
mod fold_model;
mod fold_refuses;
mod grants;
mod log;
mod poseidon;
mod space;
mod vectors;
