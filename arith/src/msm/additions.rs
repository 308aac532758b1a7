//! How points are added: many at a time, with one field inversion for all of them.

use std::ops::Range;

use ark_ec::{
    short_weierstrass::{Affine, Projective, SWCurveConfig},
    AffineRepr,
};
use ark_ff::{AdditiveGroup, Field};
use ark_std::{cfg_chunks_mut, cfg_iter};
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
    let mut points: Vec<A::Point> = cfg_iter!(points).map(|point| additions.point(point)).collect();
    let len = points.len();
    for _ in 1..multiples.count {
        let mut next = points[points.len() - len..].to_vec();
        cfg_chunks_mut!(next, part).for_each(|part| {
            let scratch = &mut A::Scratch::default();
            for _ in 0..multiples.bits {
                additions.double_all(part, scratch);
            }
        });
        points.append(&mut next);
    }
    Box::new(ReadyFor { additions, points })
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

/// The coordinates of an affine point; no point is (0, 0), which lies on no curve used here.
#[derive(Clone, Copy, PartialEq)]
// In one cache line, if the coordinates are those of G1.
#[repr(align(64))]
pub struct Point<T> {
    pub x: T,
    pub y: T,
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
    type Point = Point<C::BaseField>;
    type Scratch = Denominators<C>;

    fn point(self, affine: &Affine<C>) -> Self::Point {
        let nothing = Additions::<C>::nothing(self);
        affine.xy().map_or(nothing, |(x, y)| Point { x, y })
    }

    fn affine(self, point: &Self::Point) -> Affine<C> {
        if Additions::<C>::is_nothing(self, point) {
            return Affine::identity();
        }
        Affine::new_unchecked(point.x, point.y)
    }

    fn nothing(self) -> Self::Point {
        Point { x: C::BaseField::ZERO, y: C::BaseField::ZERO }
    }

    fn is_nothing(self, point: &Self::Point) -> bool {
        *point == Additions::<C>::nothing(self)
    }

    fn negate(self, point: &Self::Point) -> Self::Point {
        Point { x: point.x, y: -point.y }
    }

    /// Montgomery's trick.
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

/// The denominator of the slope through two points, 1 where the sum needs no slope.
fn denominator<C: SWCurveConfig>(
    left: &Point<C::BaseField>,
    right: &Point<C::BaseField>,
) -> C::BaseField {
    let difference = right.x - left.x;
    if difference != C::BaseField::ZERO && !Additions::<C>::is_nothing(OneByOne, left) {
        return difference;
    }
    if left.y == right.y && left.y != C::BaseField::ZERO {
        return left.y.double();
    }
    C::BaseField::ONE
}

/// The sum, given the inverse of its [`denominator`]. `right` is not nothing.
fn add<C: SWCurveConfig>(
    left: &Point<C::BaseField>,
    right: &Point<C::BaseField>,
    inverse: C::BaseField,
) -> Point<C::BaseField> {
    if Additions::<C>::is_nothing(OneByOne, left) {
        return *right;
    }
    let slope = if left.x != right.x {
        (right.y - left.y) * inverse
    } else if left.y == right.y && left.y != C::BaseField::ZERO {
        let square = left.x.square();
        (square.double() + square + C::COEFF_A) * inverse
    } else {
        return Additions::<C>::nothing(OneByOne);
    };
    let x = slope.square() - left.x - right.x;
    Point { x, y: slope * (left.x - x) - left.y }
}
