//! Values and their digests.

use ark_ff::PrimeField;

use crate::F;

/// The longest value, in bytes.
pub const MAX_VALUE: usize = 64 * 1024;

/// The digest of a tombstone.
pub fn tombstone() -> F {
    F::from(0u64)
}

/// The digest of a value: the first 31 bytes of its BLAKE3 hash, as a big-endian number.
pub fn value_digest(bytes: &[u8]) -> F {
    F::from_be_bytes_mod_order(&blake3::hash(bytes).as_bytes()[..31])
}
