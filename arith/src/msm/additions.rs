//! The interface of batched point addition.

use ark_ec::short_weierstrass::{Affine, SWCurveConfig};

/// Addition of affine points, many at a time with one field inversion for all.
pub trait Additions<C: SWCurveConfig>: Copy + Send + Sync {
    /// An affine point or the identity.
    type Point: Copy + Send + Sync;
    /// Buffers that are reused between batches.
    type Scratch: Default;

    /// Converts a point from arkworks.
    fn point(self, affine: &Affine<C>) -> Self::Point;
    /// Converts a point to arkworks.
    fn affine(self, point: &Self::Point) -> Affine<C>;
    /// The identity.
    fn identity(self) -> Self::Point;
    fn is_identity(self, point: &Self::Point) -> bool;
    fn negate(self, point: &Self::Point) -> Self::Point;

    /// `slots[indices[i]] += points[i]`. The indices are distinct, and no operand is the identity.
    fn add_all(
        self,
        slots: &mut [Self::Point],
        indices: &[u32],
        points: &[Self::Point],
        scratch: &mut Self::Scratch,
    );

    /// Doubles each point. No point is the identity.
    fn double_all(self, points: &mut [Self::Point], scratch: &mut Self::Scratch);
}

/// The coordinates of an affine point; (0, 0), which is on no curve used here, is the identity.
// The point of a 254-bit field fills one cache line.
#[derive(Clone, Copy, PartialEq)]
#[repr(align(64))]
pub struct Point<T> {
    pub x: T,
    pub y: T,
}
