//! Tests of the data formats against independent implementations, forgeries and a model.

#![allow(clippy::unwrap_used)]

mod bytes;
mod common;
mod concepts;
mod eddsa_forgeries;
mod eddsa_oracles;
mod fold_model;
mod fold_refuses;
mod grants;
mod groups;
mod log;
mod poseidon;
mod space;
mod vectors;
