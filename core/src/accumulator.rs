//! The accumulator that ties the two lanes together: a Grumpkin point (design 5).

use std::sync::OnceLock;

use ark_ec::AffineRepr;
use ark_ff::Field;
use ark_grumpkin::Affine;

use crate::{hash::nothing_up_my_sleeve, F};

/// What an accumulated item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Class {
    /// A head entry as the tree held it before the epoch.
    Read = 0,
    /// A head entry as the epoch leaves it.
    Write = 1,
    /// An op on a user key.
    User = 2,
    /// A grant.
    Grant = 3,
}

/// How many classes there are.
pub const CLASSES: u64 = 4;
/// Heights are below this; a key's is at most 12.
pub const HEIGHTS: u64 = 16;
/// How many `j` are tried for a point.
pub const TRIES: u64 = 256;

/// Which of the two points of an x a lane takes. The rules accept either; an honest prover lets
/// the log lane add and the merge lane subtract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Adds.
    Log,
    /// Subtracts.
    Merge,
}

/// What is accumulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addend {
    /// What the item is.
    pub class: Class,
    /// The height of the key of a USER or GRANT item, below [`HEIGHTS`]; 0 for the other classes.
    /// The log lane computes it, and so the merge lane need not.
    pub height: u8,
    /// The item.
    pub item: F,
}

impl Addend {
    /// `class + 4 * height`.
    pub fn number(&self) -> u64 {
        self.class as u64 + CLASSES * u64::from(self.height)
    }

    /// `item + 256 * number + j`.
    pub fn x(&self, j: u8) -> F {
        self.item + F::from(TRIES * self.number() + u64::from(j))
    }
}

/// A choice of `phi` of an addend: the `j` that makes the x-coordinate, and one of the two y.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phi {
    /// Makes [`Addend::x`] an x-coordinate.
    pub j: u8,
    /// A square root of `x^3 - 17`.
    pub y: F,
}

/// The fixed point at which every epoch starts and must end.
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

/// The honest `phi` of an addend: the smallest `j`; the smaller y for the log lane and the larger
/// one for the merge lane.
///
/// # Panics
/// Never in practice: 256 consecutive numbers without a square have probability 2^-256.
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

/// `acc + phi`, incomplete: `None` if the x agree or `phi` is off the curve, as the twin gadget
/// refuses it.
pub fn accumulate(acc: Affine, addend: &Addend, phi: Phi) -> Option<Affine> {
    let point = Affine::new_unchecked(addend.x(phi.j), phi.y);
    if acc.x == point.x || !point.is_on_curve() {
        return None;
    }
    Some((acc.into_group() + point).into())
}

/// Grumpkin: `y^2 = x^3 - 17`.
fn curve_y(x: F) -> Option<F> {
    (x.square() * x - F::from(17u64)).sqrt()
}
