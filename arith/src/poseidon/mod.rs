//! Poseidon over BN254's scalar field, with circomlib's parameters (Grassi et al., USENIX Security
//! 2021).
//!
//! A hash of n inputs is one permutation of width n+1 of the state `[capacity, x1..xn]`; the result
//! is cell 0. With capacity 0 it equals circomlib, `light-poseidon` and `poseidon-rs`.

mod each;
mod hash;
mod matrix;
#[cfg(target_arch = "x86_64")]
mod packed;
mod permutation;
mod reference;
mod schedule;

pub use each::hash_each;
pub use hash::{hash, hash_slice, Permutation};
pub use reference::{parameters, permute, Parameters, MAX_INPUTS};
