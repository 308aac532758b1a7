//! Decoding errors.

use thiserror::Error;

/// The bytes are not a valid encoding.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The input ends inside a value.
    #[error("input ends at byte {at}, inside a value of {wanted} bytes")]
    Truncated {
        /// Offset of the value.
        at: usize,
        /// Length of the value in bytes.
        wanted: usize,
    },
    /// The input does not have the length of the format.
    #[error("expected {expected} bytes, got {got}")]
    Length {
        /// The length of the format in bytes.
        expected: usize,
        /// The length of the input in bytes.
        got: usize,
    },
    /// Bytes follow the last value.
    #[error("{0} bytes follow the last value")]
    Trailing(usize),
    /// The input does not start with the magic bytes of the format.
    #[error("not a {0}: wrong magic bytes")]
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
        /// Offset of the count.
        at: usize,
        /// The count.
        got: u64,
        /// The largest allowed count.
        max: u64,
    },
    /// A flag or a character has an undefined value.
    #[error("the byte at {0} has an undefined value")]
    Undefined(usize),
}
