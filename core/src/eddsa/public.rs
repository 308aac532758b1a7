//! Public keys.

use ark_ed_on_bn254::EdwardsProjective;
use ark_ff::AdditiveGroup;
use thiserror::Error;

use super::curve::{mul_by_cofactor, to_ark, Point, POINT_BYTES};
use crate::{field::FieldError, F};

/// A public key in circomlib's coordinates. It may be off the curve or of small order, also in a
/// head entry; no signature is valid under such a key (see [`PublicKey::check`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    /// The coordinate x.
    pub x: F,
    /// The coordinate y.
    pub y: F,
}

/// No signature is valid under the public key.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum KeyRefused {
    /// The point is not on Baby Jubjub.
    #[error("the public key is not on the curve")]
    NotOnCurve,
    /// Eight times the point is the identity.
    #[error("the public key is of small order")]
    SmallOrder,
}

impl PublicKey {
    /// The key as a point.
    pub fn point(&self) -> Point {
        Point { x: self.x, y: self.y }
    }

    /// Checks that signatures can be valid under this key.
    ///
    /// # Errors
    /// [`KeyRefused`] if it is off the curve or one of the eight points of small order.
    pub fn check(&self) -> Result<(), KeyRefused> {
        self.times_cofactor().map(|_| ())
    }

    /// `8 * A`, after the checks of [`PublicKey::check`].
    pub(super) fn times_cofactor(&self) -> Result<EdwardsProjective, KeyRefused> {
        if !self.point().is_on_curve() {
            return Err(KeyRefused::NotOnCurve);
        }
        let point = mul_by_cofactor(&to_ark(self.x, self.y));
        if point == EdwardsProjective::ZERO {
            return Err(KeyRefused::SmallOrder);
        }
        Ok(point)
    }

    /// Encodes x, then y, with 32 big-endian bytes each.
    pub fn to_bytes(&self) -> [u8; POINT_BYTES] {
        self.point().to_bytes()
    }

    /// The key of a closed log, (0, 0). It is not on the curve, so no signature is valid under it.
    pub const CLOSED: PublicKey = PublicKey { x: F::ZERO, y: F::ZERO };

    /// Whether this is the key of a closed log.
    pub fn is_closed(&self) -> bool {
        *self == PublicKey::CLOSED
    }

    /// Decodes the encoding of [`PublicKey::to_bytes`], without [`PublicKey::check`].
    ///
    /// # Errors
    /// [`FieldError::NotCanonical`] if a coordinate is not below the modulus.
    pub fn from_bytes(bytes: &[u8; POINT_BYTES]) -> Result<PublicKey, FieldError> {
        Point::from_bytes(bytes).map(PublicKey::from)
    }
}

impl From<Point> for PublicKey {
    fn from(point: Point) -> PublicKey {
        PublicKey { x: point.x, y: point.y }
    }
}
