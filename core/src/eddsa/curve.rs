//! Baby Jubjub in the coordinates of circomlib and of arkworks.
//!
//! circomlib: `168700 x^2 + y^2 = 1 + 168696 x^2 y^2`. arkworks (`ark-ed-on-bn254`) rescales x so
//! that the first coefficient is 1: `x_ark = x_circom * sqrt(168700)`, with the same y. Either root
//! gives an isomorphism; this crate and the circuit use [`X_SCALE`].

use std::{
    ops::{AddAssign, SubAssign},
    sync::OnceLock,
};

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
/// The square root of [`A`] by which circomlib's x is multiplied to get arkworks' x.
pub const X_SCALE: F =
    MontFp!("7214280148105020021932206872019688659210616427216992810330019057549499971851");
/// `1 / X_SCALE`.
pub const X_SCALE_INVERSE: F =
    MontFp!("2957874849018779266517920829765869116077630550401372566248359756137677864698");
/// circomlib's base point of the subgroup of prime order, in circomlib's coordinates.
pub const BASE8: Point = Point {
    x: MontFp!("5299619240641551281634865583518297030282874472190772894086521144482721001553"),
    y: MontFp!("16950150798460657717958625567821834550301663161624707787222815936182638968203"),
};
/// Length of an encoded point in bytes.
pub const POINT_BYTES: usize = 2 * FIELD_BYTES;

/// A point in circomlib's coordinates. It may be off the curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The coordinate x.
    pub x: F,
    /// The coordinate y.
    pub y: F,
}

impl Point {
    /// Whether the point satisfies the curve equation.
    pub fn is_on_curve(&self) -> bool {
        let (x2, y2) = (self.x.square(), self.y.square());
        A * x2 + y2 == F::ONE + D * x2 * y2
    }

    /// Encodes x, then y, with 32 big-endian bytes each.
    pub fn to_bytes(&self) -> [u8; POINT_BYTES] {
        let mut out = [0u8; POINT_BYTES];
        out[..FIELD_BYTES].copy_from_slice(&field::to_bytes(&self.x));
        out[FIELD_BYTES..].copy_from_slice(&field::to_bytes(&self.y));
        out
    }

    /// Decodes the encoding of [`Point::to_bytes`]. Does not check the curve equation.
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

/// Converts from circomlib's coordinates. Does not check the curve equation.
pub fn to_ark(x: F, y: F) -> EdwardsAffine {
    EdwardsAffine::new_unchecked(x * X_SCALE, y)
}

/// Converts to circomlib's coordinates.
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

/// wNAF window width for [`BASE8`], whose table is cached.
const BASE8_WINDOW: usize = 8;
/// wNAF window width for a variable point.
const POINT_WINDOW: usize = 5;

/// `a * BASE8 + b * point` with shared doublings (Straus) and wNAF digits.
pub(super) fn double_mul(a: &Scalar, b: &Scalar, point: EdwardsProjective) -> EdwardsProjective {
    static BASE8_MULTIPLES: OnceLock<Vec<EdwardsAffine>> = OnceLock::new();
    let base8_multiples = BASE8_MULTIPLES.get_or_init(|| {
        let multiples = odd_multiples(to_ark(BASE8.x, BASE8.y).into(), BASE8_WINDOW);
        // One by one: a batch inversion may run on the thread pool, and a task of the pool may wait
        // for this initialiser.
        multiples.iter().map(|multiple| multiple.into_affine()).collect()
    });
    let multiples = odd_multiples(point, POINT_WINDOW);
    let (a, b) = (digits(a, BASE8_WINDOW), digits(b, POINT_WINDOW));
    let mut sum = EdwardsProjective::ZERO;
    for i in (0..a.len().max(b.len())).rev() {
        sum.double_in_place();
        add_multiple(&mut sum, a.get(i), base8_multiples);
        add_multiple(&mut sum, b.get(i), &multiples);
    }
    sum
}

/// Adds `digit * point`, given the odd multiples of the point.
fn add_multiple<P: Copy>(sum: &mut EdwardsProjective, digit: Option<&i64>, odd: &[P])
where
    EdwardsProjective: AddAssign<P> + SubAssign<P>,
{
    let digit = digit.copied().unwrap_or(0);
    let index = (digit.unsigned_abs() / 2) as usize;
    if digit > 0 {
        *sum += odd[index];
    } else if digit < 0 {
        *sum -= odd[index];
    }
}

/// The wNAF digits of a scalar, the least significant first: each is 0, or odd and below
/// `2^(window - 1)` in absolute value.
fn digits(scalar: &Scalar, window: usize) -> Vec<i64> {
    scalar.into_bigint().find_wnaf(window).expect("a window has more than one bit")
}

/// The multiples 1, 3, 5, ... of a point, up to `2^(window - 1) - 1`.
fn odd_multiples(point: EdwardsProjective, window: usize) -> Vec<EdwardsProjective> {
    let twice = point.double();
    std::iter::successors(Some(point), |multiple| Some(*multiple + twice))
        .take(1 << (window - 2))
        .collect()
}

/// `number` modulo the order of the subgroup.
pub(super) fn reduce(number: &F) -> Scalar {
    Scalar::from_le_bytes_mod_order(&number.into_bigint().to_bytes_le())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::UniformRand;
    use ark_std::test_rng;

    #[test]
    fn a_double_multiplication_equals_two() {
        let rng = &mut test_rng();
        let base8: EdwardsProjective = to_ark(BASE8.x, BASE8.y).into();
        let ends = [0, 1, 2, 15, 16, 127, 128, 129].map(Scalar::from);
        let scalars: Vec<Scalar> = ends
            .into_iter()
            .chain(ends.map(|x| -x))
            .chain((0..8).map(|_| Scalar::rand(rng)))
            .collect();
        for point in [EdwardsProjective::rand(rng), base8, -base8, EdwardsProjective::ZERO] {
            for a in &scalars {
                for b in &scalars {
                    assert_eq!(double_mul(a, b, point), base8 * a + point * b, "{a} {b}");
                }
            }
        }
    }
}
