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
    /// The nonce point. It may be off the curve.
    pub r8: Point,
    /// The scalar S, below the order of the subgroup.
    pub s: Scalar,
}

/// The bytes are not the encoding of a signature.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SignatureBytesRefused {
    /// A coordinate of R8 is not below the modulus.
    #[error("R8: {0}")]
    Coordinate(#[from] FieldError),
    /// S is not below the order of the subgroup.
    #[error("S is not below the order of the subgroup")]
    ScalarTooLarge,
}

/// The signature is not valid.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum SignatureRefused {
    /// No signature is valid under this key.
    #[error(transparent)]
    Key(#[from] KeyRefused),
    /// R8 is not on Baby Jubjub.
    #[error("R8 of the signature is not on the curve")]
    R8NotOnCurve,
    /// The equation does not hold: the signature is by another key or over another message.
    #[error("the signature is not by this key over this message")]
    WrongSignature,
}

impl Signature {
    /// Not a signature of any message: R8 is the base point and S is 0. It fills unused slots.
    pub fn placeholder() -> Signature {
        Signature { r8: BASE8, s: Scalar::ZERO }
    }

    /// Encodes R8.x, R8.y and S with 32 big-endian bytes each.
    pub fn to_bytes(&self) -> [u8; SIGNATURE_BYTES] {
        let mut out = [0u8; SIGNATURE_BYTES];
        out[..POINT_BYTES].copy_from_slice(&self.r8.to_bytes());
        out[POINT_BYTES..].copy_from_slice(&self.s.into_bigint().to_bytes_be());
        out
    }

    /// Decodes the encoding of [`Signature::to_bytes`].
    ///
    /// # Errors
    /// [`SignatureBytesRefused`] if a coordinate or S is not reduced.
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

/// Checks that `signature` is valid for `public_key` and `message`.
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
    // 8 * A is in the subgroup, so the challenge may be reduced modulo its order.
    let h = reduce(&challenge(&signature.r8, public_key, message));
    let r8 = double_mul(&signature.s, &h, -a8);
    if r8 == to_ark(signature.r8.x, signature.r8.y) {
        Ok(())
    } else {
        Err(SignatureRefused::WrongSignature)
    }
}
