//! Values and their digests (design 2).

use ark_ff::PrimeField;

use crate::F;

/// The largest value in bytes.
pub const MAX_VALUE: usize = 64 * 1024;

/// The digest of a tombstone.
pub fn tombstone() -> F {
    F::from(0u64)
}

/// The first 31 bytes of BLAKE3 of the value's bytes, big-endian.
pub fn value_digest(bytes: &[u8]) -> F {
    F::from_be_bytes_mod_order(&blake3::hash(bytes).as_bytes()[..31])
}
