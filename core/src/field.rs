//! Field elements as bytes: 32 bytes, big-endian, canonical.

use ark_ff::PrimeField;
use rootfold_arith::encoding::{BigEndian, ByteOrder};
use thiserror::Error;

use crate::F;

/// Length of an encoded field element in bytes.
pub use rootfold_arith::encoding::FIELD_BYTES;

/// The input is not a field element.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum FieldError {
    /// The number is not below the modulus.
    #[error("field element {hex} is not below the modulus")]
    NotCanonical {
        /// The refused bytes, in hexadecimal.
        hex: String,
    },
    /// The hexadecimal text is not 64 lower-case digits.
    #[error("field element: expected 64 lower-case hexadecimal digits, got {text:?}")]
    NotHex {
        /// The refused text, cut to 80 characters.
        text: String,
    },
}

/// Encodes `x` as 32 big-endian bytes.
pub fn to_bytes(x: &F) -> [u8; FIELD_BYTES] {
    BigEndian::encode_field(x)
}

/// Decodes 32 big-endian bytes.
///
/// # Errors
/// [`FieldError::NotCanonical`] if the number is not below the modulus.
pub fn from_bytes(bytes: &[u8; FIELD_BYTES]) -> Result<F, FieldError> {
    BigEndian::decode_field(*bytes)
        .ok_or_else(|| FieldError::NotCanonical { hex: hex_digits(bytes) })
}

/// Writes `x` as 64 lower-case hexadecimal digits.
pub fn to_hex(x: &F) -> String {
    hex_digits(&to_bytes(x))
}

/// Reads 64 lower-case hexadecimal digits.
///
/// # Errors
/// [`FieldError::NotHex`] if the text is anything else, [`FieldError::NotCanonical`] if the number
/// is not below the modulus.
pub fn from_hex(text: &str) -> Result<F, FieldError> {
    let refused = || FieldError::NotHex { text: text.chars().take(80).collect() };
    let digits_only = text.bytes().all(is_digit);
    if text.len() != 2 * FIELD_BYTES || !digits_only {
        return Err(refused());
    }
    let mut bytes = [0u8; FIELD_BYTES];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).map_err(|_| refused())?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| refused())?;
    }
    from_bytes(&bytes)
}

/// Whether this is a lower-case hexadecimal digit.
fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn hex_digits(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The integer value of `x` if it is below 2^64.
pub fn to_u64(x: &F) -> Option<u64> {
    let limbs = x.into_bigint().0;
    (limbs[1..] == [0; 3]).then_some(limbs[0])
}
