//! Signatures and their verification.

use ark_ff::{AdditiveGroup, BigInteger, PrimeField};
use thiserror::Error;

use super::{
    curve::{double_mul, reduce, to_ark, Point, Scalar, BASE8, POINT_BYTES},
    public::{KeyRefused, PublicKey},
};
use crate::{
    field::{FieldError, FIELD_BYTES},
    hash::{hash, Tag},
    F,
};

/// Length of an encoded signature in bytes.
pub const SIGNATURE_BYTES: usize = POINT_BYTES + FIELD_BYTES;

/// A signature: circomlib's `{ R8, S }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// The nonce point: any two field elements.
    pub r8: Point,
    /// `0 <= S <` order of the subgroup, by its type.
    pub s: Scalar,
}

/// Why bytes are not a signature.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SignatureBytesRefused {
    /// A coordinate of R8 is not below the modulus.
    #[error("R8: {0}")]
    Coordinate(#[from] FieldError),
    /// S is not below the order of the subgroup, so it has a second encoding.
    #[error("S is not below the order of the subgroup")]
    ScalarTooLarge,
}

/// Why a signature does not verify.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum SignatureRefused {
    /// Nothing verifies under this key.
    #[error(transparent)]
    Key(#[from] KeyRefused),
    /// R8 is not on Baby Jubjub.
    #[error("R8 of the signature is not on the curve")]
    R8NotOnCurve,
    /// Another message, another key, or no signature at all.
    #[error("the signature is not of this key and message")]
    WrongSignature,
}

impl Signature {
    /// Not a signature of any message: R8 is the base point and S is 0. It fills unused slots.
    pub fn placeholder() -> Signature {
        Signature { r8: BASE8, s: Scalar::ZERO }
    }

    /// Encodes as R8.x, R8.y, S: 32 bytes each, big-endian.
    pub fn to_bytes(&self) -> [u8; SIGNATURE_BYTES] {
        let mut out = [0u8; SIGNATURE_BYTES];
        out[..POINT_BYTES].copy_from_slice(&self.r8.to_bytes());
        out[POINT_BYTES..].copy_from_slice(&self.s.into_bigint().to_bytes_be());
        out
    }

    /// Decodes what [`Signature::to_bytes`] made.
    ///
    /// # Errors
    /// [`SignatureBytesRefused`] if a coordinate or S has another, smaller encoding.
    pub fn from_bytes(bytes: &[u8; SIGNATURE_BYTES]) -> Result<Signature, SignatureBytesRefused> {
        let mut point = [0u8; POINT_BYTES];
        point.copy_from_slice(&bytes[..POINT_BYTES]);
        let r8 = Point::from_bytes(&point)?;
        let s = Scalar::from_be_bytes_mod_order(&bytes[POINT_BYTES..]);
        if s.into_bigint().to_bytes_be() != bytes[POINT_BYTES..] {
            return Err(SignatureBytesRefused::ScalarTooLarge);
        }
        Ok(Signature { r8, s })
    }
}

/// The challenge `h = H_5(R8.x, R8.y, A.x, A.y, message)` of tag 0.
pub fn challenge(r8: &Point, public_key: &PublicKey, message: F) -> F {
    hash(Tag::Circomlib, [r8.x, r8.y, public_key.x, public_key.y, message])
}

/// Checks that `signature` is `public_key`'s over `message`.
///
/// # Errors
/// [`SignatureRefused`] says what failed.
pub fn verify(
    public_key: &PublicKey,
    message: F,
    signature: &Signature,
) -> Result<(), SignatureRefused> {
    let a8 = public_key.times_cofactor()?;
    if !signature.r8.is_on_curve() {
        return Err(SignatureRefused::R8NotOnCurve);
    }
    // 8 * A is in the subgroup, so the challenge may be reduced before it meets it.
    let h = reduce(&challenge(&signature.r8, public_key, message));
    let r8 = double_mul(&signature.s, &h, -a8);
    if r8 == to_ark(signature.r8.x, signature.r8.y) {
        Ok(())
    } else {
        Err(SignatureRefused::WrongSignature)
    }
}
