//! Arithmetic over BN254 and Grumpkin. Nothing in this crate knows what the numbers mean.
//!
//! | module | contents |
//! |---|---|
//! | [`packed`] | prime-field arithmetic on several elements at a time |
//! | [`poseidon`] | the Poseidon permutation and hash, with circomlib's parameters |
//! | [`msm`] | multi-scalar multiplication |
//! | [`jacobi`] | quadratic residuosity |
//! | [`encoding`] | numbers and points as bytes |

pub mod encoding;
pub mod jacobi;
pub mod msm;
pub mod packed;
pub mod poseidon;

/// The scalar field of BN254.
pub type F = ark_bn254::Fr;
