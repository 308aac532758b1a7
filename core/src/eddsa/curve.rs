//! Baby Jubjub in circomlib's coordinates and in arkworks'.
//!
//! circomlib: `168700 x^2 + y^2 = 1 + 168696 x^2 y^2`. arkworks (`ark-ed-on-bn254`) rescales x so
//! that the first coefficient is 1: `x_ark = x_circom * sqrt(168700)`, same y. Either root gives an
//! isomorphism; [`X_SCALE`] is the one we use, here and in the circuit.

use ark_ec::{AffineRepr, CurveGroup};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsProjective};
use ark_ff::{AdditiveGroup, BigInteger, Field, MontFp, PrimeField};

use crate::{
    field::{self, FieldError, FIELD_BYTES},
    F,
};

/// A scalar: an integer modulo the order of the subgroup.
pub type Scalar = ark_ed_on_bn254::Fr;

/// circomlib's first coefficient.
pub const A: F = MontFp!("168700");
/// circomlib's second coefficient.
pub const D: F = MontFp!("168696");
/// The square root of [`A`] that takes circomlib's x to arkworks' x.
pub const X_SCALE: F =
    MontFp!("7214280148105020021932206872019688659210616427216992810330019057549499971851");
/// `1 / X_SCALE`: takes arkworks' x to circomlib's.
pub const X_SCALE_INVERSE: F =
    MontFp!("2957874849018779266517920829765869116077630550401372566248359756137677864698");
/// circomlib's base point of the subgroup of prime order, in circomlib's coordinates.
pub const BASE8: Point = Point {
    x: MontFp!("5299619240641551281634865583518297030282874472190772894086521144482721001553"),
    y: MontFp!("16950150798460657717958625567821834550301663161624707787222815936182638968203"),
};
/// Length of an encoded point in bytes.
pub const POINT_BYTES: usize = 2 * FIELD_BYTES;

/// Two coordinates in circomlib's form: any two field elements, not necessarily on the curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// circomlib's x.
    pub x: F,
    /// circomlib's y.
    pub y: F,
}

impl Point {
    /// Whether the curve's equation holds.
    pub fn is_on_curve(&self) -> bool {
        let (x2, y2) = (self.x.square(), self.y.square());
        A * x2 + y2 == F::ONE + D * x2 * y2
    }

    /// Encodes as x, y: 32 bytes each, big-endian.
    pub fn to_bytes(&self) -> [u8; POINT_BYTES] {
        let mut out = [0u8; POINT_BYTES];
        out[..FIELD_BYTES].copy_from_slice(&field::to_bytes(&self.x));
        out[FIELD_BYTES..].copy_from_slice(&field::to_bytes(&self.y));
        out
    }

    /// Decodes what [`Point::to_bytes`] made.
    ///
    /// # Errors
    /// [`FieldError::NotCanonical`] if a coordinate is not below the modulus.
    pub fn from_bytes(bytes: &[u8; POINT_BYTES]) -> Result<Point, FieldError> {
        let (mut x, mut y) = ([0u8; FIELD_BYTES], [0u8; FIELD_BYTES]);
        x.copy_from_slice(&bytes[..FIELD_BYTES]);
        y.copy_from_slice(&bytes[FIELD_BYTES..]);
        Ok(Point { x: field::from_bytes(&x)?, y: field::from_bytes(&y)? })
    }
}

/// circomlib's `(x, y)` as arkworks' point. Checks nothing: off the curve stays off the curve.
pub fn to_ark(x: F, y: F) -> EdwardsAffine {
    EdwardsAffine::new_unchecked(x * X_SCALE, y)
}

/// arkworks' point in circomlib's coordinates.
pub fn from_ark(point: &EdwardsAffine) -> Point {
    Point { x: point.x * X_SCALE_INVERSE, y: point.y }
}

/// `scalar * BASE8`.
pub(super) fn mul_base8(scalar: &Scalar) -> EdwardsAffine {
    (to_ark(BASE8.x, BASE8.y) * scalar).into_affine()
}

/// `8 * point`, for a point on the curve.
pub(super) fn mul_by_cofactor(point: &EdwardsAffine) -> EdwardsProjective {
    point.into_group().double().double().double()
}

/// `a * P + b * Q` with one run of doublings.
pub(super) fn double_mul(
    a: &Scalar,
    p: EdwardsProjective,
    b: &Scalar,
    q: EdwardsProjective,
) -> EdwardsProjective {
    let (a, b) = (a.into_bigint(), b.into_bigint());
    let both = p + q;
    let mut sum = EdwardsProjective::ZERO;
    for i in (0..Scalar::MODULUS_BIT_SIZE as usize).rev() {
        sum.double_in_place();
        match (a.get_bit(i), b.get_bit(i)) {
            (true, true) => sum += both,
            (true, false) => sum += p,
            (false, true) => sum += q,
            (false, false) => {}
        }
    }
    sum
}

/// `number` modulo the order of the subgroup.
pub(super) fn reduce(number: &F) -> Scalar {
    Scalar::from_le_bytes_mod_order(&number.into_bigint().to_bytes_le())
}
