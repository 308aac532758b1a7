//! The two byte orders.

use std::fmt::Debug;

use ark_ff::PrimeField;

/// Width of an encoded field element in bytes. Every field used here has a 254-bit modulus.
pub const FIELD_BYTES: usize = 32;

/// The order in which a format writes the bytes of a number.
pub trait ByteOrder: Clone + Debug {
    /// Converts between little-endian bytes and this order, in both directions.
    fn convert<const N: usize>(bytes: [u8; N]) -> [u8; N];

    /// Encodes a field element.
    fn encode_field<P: PrimeField>(x: &P) -> [u8; FIELD_BYTES] {
        let mut bytes = [0; FIELD_BYTES];
        for (chunk, limb) in bytes.chunks_exact_mut(8).zip(x.into_bigint().as_ref()) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        Self::convert(bytes)
    }

    /// Decodes a field element; `None` if the number is not below the modulus.
    fn decode_field<P: PrimeField>(bytes: [u8; FIELD_BYTES]) -> Option<P> {
        let mut integer = P::BigInt::default();
        let bytes = Self::convert(bytes);
        for (limb, chunk) in integer.as_mut().iter_mut().zip(bytes.as_chunks().0) {
            *limb = u64::from_le_bytes(*chunk);
        }
        P::from_bigint(integer)
    }
}

/// The least significant byte comes first.
#[derive(Clone, Copy, Debug)]
pub struct LittleEndian;

/// The most significant byte comes first.
#[derive(Clone, Copy, Debug)]
pub struct BigEndian;

impl ByteOrder for LittleEndian {
    fn convert<const N: usize>(bytes: [u8; N]) -> [u8; N] {
        bytes
    }
}

impl ByteOrder for BigEndian {
    fn convert<const N: usize>(mut bytes: [u8; N]) -> [u8; N] {
        bytes.reverse();
        bytes
    }
}
