//! How points are added: many at a time, with one field inversion for all of them.

use std::ops::Range;

use ark_ec::{
    short_weierstrass::{Affine, Projective, SWCurveConfig},
    AffineRepr,
};
use ark_ff::{AdditiveGroup, Field};
use ark_std::cfg_chunks;
#[cfg(feature = "parallel")]
use rayon::prelude::*;

use super::{buckets::window_sum, threads};

/// A way to add affine points.
pub trait Additions<C: SWCurveConfig>: Copy + Send + Sync {
    /// An affine point, or nothing.
    type Point: Copy + Send + Sync;
    /// What additions to one list of slots need beside it, kept for the next ones.
    type Scratch: Default;

    /// The point; infinity is nothing.
    fn point(self, affine: &Affine<C>) -> Self::Point;
    /// The point as arkworks has it.
    fn affine(self, point: &Self::Point) -> Affine<C>;
    /// No point.
    fn nothing(self) -> Self::Point;
    fn is_nothing(self, point: &Self::Point) -> bool;
    fn negate(self, point: &Self::Point) -> Self::Point;

    /// Adds each point to the slot with the index beside it. No index occurs twice, and neither a
    /// point nor its slot is nothing.
    fn add_all(
        self,
        slots: &mut [Self::Point],
        indices: &[u32],
        points: &[Self::Point],
        scratch: &mut Self::Scratch,
    );

    /// Doubles each point. None is nothing.
    fn double_all(self, points: &mut [Self::Point], scratch: &mut Self::Scratch);
}

/// Points that are ready to be summed by their digits.
pub trait Ready<C: SWCurveConfig>: Send + Sync {
    /// `sum of digit[i] * point[i]` over this part of the points.
    fn window_sum(&self, part: Range<usize>, digits: &[i32]) -> Projective<C>;
}

struct ReadyFor<A, P> {
    additions: A,
    points: Vec<P>,
}

impl<C: SWCurveConfig, A: Additions<C>> Ready<C> for ReadyFor<A, A::Point> {
    fn window_sum(&self, part: Range<usize>, digits: &[i32]) -> Projective<C> {
        window_sum(self.additions, &self.points[part], digits)
    }
}

/// Which multiples of points are made ready: those by `2^(bits * i)` for i below `count`.
#[derive(Clone, Copy)]
pub struct Multiples {
    pub bits: usize,
    pub count: usize,
}

impl Multiples {
    /// The points themselves.
    pub const NONE: Self = Self { bits: 0, count: 1 };
}

/// Makes multiples of points ready for these additions: all points, then all of them times
/// `2^bits`, and so on.
pub fn ready<C: SWCurveConfig, A: Additions<C> + 'static>(
    additions: A,
    points: &[Affine<C>],
    multiples: Multiples,
) -> Box<dyn Ready<C>>
where
    A::Point: 'static,
{
    let part = points.len().div_ceil(threads()).max(1);
    let parts: Vec<Vec<A::Point>> = cfg_chunks!(points, part)
        .map(|part| {
            let points = part.iter().map(|point| additions.point(point)).collect();
            multiplied(additions, points, multiples)
        })
        .collect();
    let of_part = |points: &Vec<A::Point>, i: usize| {
        let len = points.len() / multiples.count;
        points[len * i..][..len].to_vec()
    };
    let points = (0..multiples.count)
        .flat_map(|i| parts.iter().flat_map(move |points| of_part(points, i)))
        .collect();
    Box::new(ReadyFor { additions, points })
}

/// The multiples of all points, one after another.
fn multiplied<C: SWCurveConfig, A: Additions<C>>(
    additions: A,
    mut points: Vec<A::Point>,
    multiples: Multiples,
) -> Vec<A::Point> {
    let len = points.len();
    let scratch = &mut A::Scratch::default();
    for _ in 1..multiples.count {
        let mut next = points[points.len() - len..].to_vec();
        for _ in 0..multiples.bits {
            additions.double_all(&mut next, scratch);
        }
        points.append(&mut next);
    }
    points
}

/// A curve whose points can be summed.
pub trait Curve: SWCurveConfig {
    /// Makes points ready for the fastest additions that the processor is capable of.
    fn ready(points: &[Affine<Self>], multiples: Multiples) -> Box<dyn Ready<Self>> {
        ready(OneByOne, points, multiples)
    }
}

/// Additions in any field, one after another.
#[derive(Clone, Copy)]
pub struct OneByOne;

/// An affine point; infinity is (0, 0), which lies on no curve used here.
pub struct Point<C: SWCurveConfig> {
    x: C::BaseField,
    y: C::BaseField,
}

impl<C: SWCurveConfig> Clone for Point<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: SWCurveConfig> Copy for Point<C> {}

impl<C: SWCurveConfig> Point<C> {
    const INFINITY: Self = Self { x: C::BaseField::ZERO, y: C::BaseField::ZERO };

    fn is_infinity(&self) -> bool {
        self.x == C::BaseField::ZERO && self.y == C::BaseField::ZERO
    }
}

/// What a batch of additions computes on the way.
pub struct Denominators<C: SWCurveConfig> {
    /// The denominators of the slopes, 1 where a sum needs none.
    denominators: Vec<C::BaseField>,
    /// The product of the denominators before each.
    products: Vec<C::BaseField>,
}

impl<C: SWCurveConfig> Default for Denominators<C> {
    fn default() -> Self {
        Self { denominators: Vec::new(), products: Vec::new() }
    }
}

impl<C: SWCurveConfig> Additions<C> for OneByOne {
    type Point = Point<C>;
    type Scratch = Denominators<C>;

    fn point(self, affine: &Affine<C>) -> Point<C> {
        affine.xy().map_or(Point::INFINITY, |(x, y)| Point { x, y })
    }

    fn affine(self, point: &Point<C>) -> Affine<C> {
        if point.is_infinity() {
            return Affine::identity();
        }
        Affine::new_unchecked(point.x, point.y)
    }

    fn nothing(self) -> Point<C> {
        Point::INFINITY
    }

    fn is_nothing(self, point: &Point<C>) -> bool {
        point.is_infinity()
    }

    fn negate(self, point: &Point<C>) -> Point<C> {
        Point { x: point.x, y: -point.y }
    }

    /// Montgomery's trick.
    fn add_all(
        self,
        slots: &mut [Point<C>],
        indices: &[u32],
        points: &[Point<C>],
        scratch: &mut Denominators<C>,
    ) {
        let Denominators { denominators, products } = scratch;
        let mut product = C::BaseField::ONE;
        for (slot, point) in indices.iter().zip(points) {
            let denominator = denominator(&slots[*slot as usize], point);
            denominators.push(denominator);
            products.push(product);
            product *= &denominator;
        }
        let mut inverse = product.inverse().expect("no denominator is zero");
        let pairs = indices.iter().zip(points);
        let scalars = denominators.drain(..).zip(products.drain(..));
        for ((slot, point), (denominator, before)) in pairs.zip(scalars).rev() {
            let slot = &mut slots[*slot as usize];
            *slot = add(slot, point, inverse * before);
            inverse *= &denominator;
        }
    }

    fn double_all(self, points: &mut [Point<C>], scratch: &mut Denominators<C>) {
        let indices: Vec<u32> = (0u32..).take(points.len()).collect();
        let same = points.to_vec();
        self.add_all(points, &indices, &same, scratch);
    }
}

/// The denominator of the slope through two points, 1 where the sum needs no slope.
fn denominator<C: SWCurveConfig>(left: &Point<C>, right: &Point<C>) -> C::BaseField {
    let difference = right.x - left.x;
    if difference != C::BaseField::ZERO && !left.is_infinity() {
        return difference;
    }
    if left.y == right.y && left.y != C::BaseField::ZERO {
        return left.y.double();
    }
    C::BaseField::ONE
}

/// The sum, given the inverse of its [`denominator`]. `right` is not infinity.
fn add<C: SWCurveConfig>(left: &Point<C>, right: &Point<C>, inverse: C::BaseField) -> Point<C> {
    if left.is_infinity() {
        return *right;
    }
    let slope = if left.x != right.x {
        (right.y - left.y) * inverse
    } else if left.y == right.y && left.y != C::BaseField::ZERO {
        let square = left.x.square();
        (square.double() + square + C::COEFF_A) * inverse
    } else {
        return Point::INFINITY;
    };
    let x = slope.square() - left.x - right.x;
    Point { x, y: slope * (left.x - x) - left.y }
}
