//! Additions for any field.

use ark_ec::{
    short_weierstrass::{Affine, SWCurveConfig},
    AffineRepr,
};
use ark_ff::{AdditiveGroup, Field};

use super::additions::{Additions, Point};

/// Additions with arkworks' field arithmetic.
#[derive(Clone, Copy)]
pub struct Portable;

/// The intermediate values of a batch.
pub struct Denominators<C: SWCurveConfig> {
    /// The denominators of the slopes; 1 where a sum needs no slope.
    denominators: Vec<C::BaseField>,
    /// For each addition, the product of the denominators before it.
    products: Vec<C::BaseField>,
}

impl<C: SWCurveConfig> Default for Denominators<C> {
    fn default() -> Self {
        Self { denominators: Vec::new(), products: Vec::new() }
    }
}

impl<C: SWCurveConfig> Additions<C> for Portable {
    type Point = Point<C::BaseField>;
    type Scratch = Denominators<C>;

    fn point(self, affine: &Affine<C>) -> Self::Point {
        let identity = Additions::<C>::identity(self);
        affine.xy().map_or(identity, |(x, y)| Point { x, y })
    }

    fn affine(self, point: &Self::Point) -> Affine<C> {
        if Additions::<C>::is_identity(self, point) {
            return Affine::identity();
        }
        Affine::new_unchecked(point.x, point.y)
    }

    fn identity(self) -> Self::Point {
        Point { x: C::BaseField::ZERO, y: C::BaseField::ZERO }
    }

    fn is_identity(self, point: &Self::Point) -> bool {
        *point == Additions::<C>::identity(self)
    }

    fn negate(self, point: &Self::Point) -> Self::Point {
        Point { x: point.x, y: -point.y }
    }

    /// Inverts all denominators with Montgomery's trick.
    fn add_all(
        self,
        slots: &mut [Self::Point],
        indices: &[u32],
        points: &[Self::Point],
        scratch: &mut Denominators<C>,
    ) {
        let Denominators { denominators, products } = scratch;
        let mut product = C::BaseField::ONE;
        for (slot, point) in indices.iter().zip(points) {
            let denominator = denominator::<C>(&slots[*slot as usize], point);
            denominators.push(denominator);
            products.push(product);
            product *= &denominator;
        }
        let mut inverse = product.inverse().expect("no denominator is zero");
        let pairs = indices.iter().zip(points);
        let scalars = denominators.drain(..).zip(products.drain(..));
        for ((slot, point), (denominator, before)) in pairs.zip(scalars).rev() {
            let slot = &mut slots[*slot as usize];
            *slot = add::<C>(slot, point, inverse * before);
            inverse *= &denominator;
        }
    }

    fn double_all(self, points: &mut [Self::Point], scratch: &mut Denominators<C>) {
        let indices: Vec<u32> = (0u32..).take(points.len()).collect();
        let same = points.to_vec();
        Additions::<C>::add_all(self, points, &indices, &same, scratch);
    }
}

/// The denominator of the slope through two points; 1 where the sum needs no slope.
fn denominator<C: SWCurveConfig>(
    left: &Point<C::BaseField>,
    right: &Point<C::BaseField>,
) -> C::BaseField {
    let difference = right.x - left.x;
    if difference != C::BaseField::ZERO && !Additions::<C>::is_identity(Portable, left) {
        return difference;
    }
    if left.y == right.y && left.y != C::BaseField::ZERO {
        return left.y.double();
    }
    C::BaseField::ONE
}

/// The sum, given the inverse of its [`denominator`]. `right` is not the identity.
fn add<C: SWCurveConfig>(
    left: &Point<C::BaseField>,
    right: &Point<C::BaseField>,
    inverse: C::BaseField,
) -> Point<C::BaseField> {
    if Additions::<C>::is_identity(Portable, left) {
        return *right;
    }
    let slope = if left.x != right.x {
        (right.y - left.y) * inverse
    } else if left.y == right.y && left.y != C::BaseField::ZERO {
        let square = left.x.square();
        (square.double() + square + C::COEFF_A) * inverse
    } else {
        return Additions::<C>::identity(Portable);
    };
    let x = slope.square() - left.x - right.x;
    Point { x, y: slope * (left.x - x) - left.y }
}
