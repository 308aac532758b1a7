//! Decoding errors.

use thiserror::Error;

/// Why a byte string is not the encoding of anything.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The input ends inside a value.
    #[error("input ends at byte {at}, inside a value of {wanted} bytes")]
    Truncated {
        /// Where the value begins.
        at: usize,
        /// How many bytes it has.
        wanted: usize,
    },
    /// The input has a length that no encoding of this kind has.
    #[error("expected {expected} bytes, got {got}")]
    Length {
        /// The only possible length.
        expected: usize,
        /// The length of the input.
        got: usize,
    },
    /// Bytes follow the last value.
    #[error("{0} bytes follow the last value")]
    Trailing(usize),
    /// The first bytes do not name this kind of file.
    #[error("the first bytes do not name a {0}")]
    Magic(&'static str),
    /// The format version is unknown.
    #[error("unknown format version {0}")]
    Version(u8),
    /// A field element is not below the modulus.
    #[error("the field element at byte {0} is not below the modulus")]
    NotReduced(usize),
    /// A point does not satisfy the curve equation.
    #[error("the point at byte {0} is not on its curve")]
    NotOnCurve(usize),
    /// A point lies on the curve but outside the prime-order subgroup.
    #[error("the point at byte {0} is not in the prime-order subgroup")]
    NotInSubgroup(usize),
    /// A length or count exceeds what the format allows.
    #[error("the count {got} at byte {at} exceeds {max}")]
    TooMany {
        /// Where the count stands.
        at: usize,
        /// The count.
        got: u64,
        /// The largest allowed count.
        max: u64,
    },
    /// A flag or a character has a value without meaning.
    #[error("the byte at {0} has a value without meaning")]
    Meaningless(usize),
}
