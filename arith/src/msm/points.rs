//! Points that are prepared for sums.

use std::ops::Range;

use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_std::{cfg_chunks_mut, cfg_iter};
#[cfg(feature = "parallel")]
use rayon::prelude::*;

use super::{additions::Additions, buckets::window_sum, cost::threads};

/// Points in the representation of some [`Additions`].
pub trait Points<C: SWCurveConfig>: Send + Sync {
    /// `sum of digits[i] * points[i]` over a part of the points.
    fn window_sum(&self, part: Range<usize>, digits: &[i32]) -> Projective<C>;
}

struct PointsFor<A, P> {
    additions: A,
    points: Vec<P>,
}

impl<C: SWCurveConfig, A: Additions<C>> Points<C> for PointsFor<A, A::Point> {
    fn window_sum(&self, part: Range<usize>, digits: &[i32]) -> Projective<C> {
        window_sum(self.additions, &self.points[part], digits)
    }
}

/// The multiples of points by `2^(bits * i)`, for i below `count`.
#[derive(Clone, Copy)]
pub struct Multiples {
    pub bits: usize,
    pub count: usize,
}

impl Multiples {
    /// The points themselves.
    pub const NONE: Self = Self { bits: 0, count: 1 };
}

/// Converts points and computes multiples: all points, then all points times `2^bits`, and so on.
pub fn prepare<C: SWCurveConfig, A: Additions<C> + 'static>(
    additions: A,
    points: &[Affine<C>],
    multiples: Multiples,
) -> Box<dyn Points<C>>
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
    Box::new(PointsFor { additions, points })
}
