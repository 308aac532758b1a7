//! The accumulator, a Grumpkin point: the log lane adds its items and the merge lane subtracts them.

use std::sync::OnceLock;

use ark_ec::AffineRepr;
use ark_ff::Field;
use ark_grumpkin::Affine;

use crate::{hash::nothing_up_my_sleeve, F};

/// The class of an accumulated item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Class {
    /// A head entry of the old tree.
    Read = 0,
    /// A head entry of the new tree.
    Write = 1,
    /// An op on a shared or owned key, or a mark.
    User = 2,
    /// A grant.
    Grant = 3,
}

/// Number of classes.
pub const CLASSES: u64 = 4;
/// Heights of addends are below this bound; heights of keys are at most 12.
pub const HEIGHTS: u64 = 16;
/// Number of values of `j`.
pub const TRIES: u64 = 256;

/// A lane of the step. An honest prover takes opposite points for the two lanes: the log lane adds
/// the point of an item, and the merge lane subtracts it. The rules accept either point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// The log lane.
    Log,
    /// The merge lane.
    Merge,
}

/// An item with its class and height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addend {
    /// The class of the item.
    pub class: Class,
    /// The height of the key of a USER or GRANT item, below [`HEIGHTS`]; 0 for the other classes.
    /// Only the log lane computes it; the accumulator passes it to the merge lane.
    pub height: u8,
    /// The item.
    pub item: F,
}

impl Addend {
    /// `class + 4 * height`.
    pub fn number(&self) -> u64 {
        self.class as u64 + CLASSES * u64::from(self.height)
    }

    /// The x coordinate `item + 256 * number + j`.
    pub fn x(&self, j: u8) -> F {
        self.item + F::from(TRIES * self.number() + u64::from(j))
    }
}

/// A point of an addend: `j`, which determines x, and one of the two y.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phi {
    /// [`Addend::x`] of `j` is the x coordinate of a point.
    pub j: u8,
    /// A square root of `x^3 - 17`.
    pub y: F,
}

/// The point at which every epoch starts and ends. Nobody knows its discrete logarithm.
pub fn start() -> Affine {
    static START: OnceLock<Affine> = OnceLock::new();
    *START.get_or_init(|| {
        let mut x = nothing_up_my_sleeve("rootfold accumulator start v1");
        loop {
            if let Some(y) = curve_y(x) {
                return Affine::new_unchecked(x, y.min(-y));
            }
            x += F::ONE;
        }
    })
}

/// The point of an addend that an honest prover takes: the smallest `j`; the smaller y for the log
/// lane and the larger y for the merge lane.
///
/// # Panics
/// If no `j` gives a point, which has probability 2^-256.
pub fn phi(addend: &Addend, lane: Lane) -> Phi {
    let (j, y) = (0..=u8::MAX)
        .find_map(|j| curve_y(addend.x(j)).map(|y| (j, y)))
        .expect("one of 256 consecutive x lies on the curve");
    let y = match lane {
        Lane::Log => y.min(-y),
        Lane::Merge => y.max(-y),
    };
    Phi { j, y }
}

/// `acc + phi` by the incomplete addition of the circuit: `None` if the two points have the same x,
/// or `phi` is not on the curve.
pub fn accumulate(acc: Affine, addend: &Addend, phi: Phi) -> Option<Affine> {
    let point = Affine::new_unchecked(addend.x(phi.j), phi.y);
    if acc.x == point.x || !point.is_on_curve() {
        return None;
    }
    Some((acc.into_group() + point).into())
}

/// A y with `y^2 = x^3 - 17`, the equation of Grumpkin.
fn curve_y(x: F) -> Option<F> {
    (x.square() * x - F::from(17u64)).sqrt()
}
