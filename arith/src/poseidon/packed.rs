//! Four permutations at a time, in the lanes of AVX2.
//!
//! Numbers (see [`crate::packed`]: limbs of 29 bits, `R = 2^261`, which is 169 r) are
//!
//! - inputs: a field element times 32, which takes it from arkworks' `2^256` to R;
//! - what reduction gives: below 9 r, and below 3 r if it was a form's. `1089 / 169 + 2.001` is the
//!   worst case, the square of an input and a constant;
//! - the sum of two, below 33 r, with limbs below `2^30`. To it nothing is added.
//!
//! A column of a form has six products of limbs below `2^29` for each of nine rows, and one for
//! each reduction: 63 products below `2^58`, which is below `2^64`.

use std::sync::OnceLock;

use ark_ff::Field;
use pulp::NullaryFnOnce;

use super::{
    arithmetic::Arithmetic,
    hash,
    reference::parameters,
    schedule::{run, Schedule},
};
use crate::{
    packed::{limbs, reduced, Columns, Element, Lanes, Limbs, Words, EXTRA_BITS, LANES, LIMBS},
    F,
};

/// As many inputs of a hash as a form's column has room for, with two products for each.
pub(super) const MAX_INPUTS: usize = 3;
/// How many lanes must be in use: a permutation of all four takes as long as about two others.
const WORTH_IT: usize = 3;

/// What hashing in lanes takes: a processor with AVX2, and the constants.
pub(super) struct HashLanes {
    lanes: Lanes<F>,
    schedule: &'static Schedule<Limbs>,
}

impl HashLanes {
    /// `None` if the processor lacks something.
    pub(super) fn new<const N: usize>() -> Option<Self> {
        static ALL: [OnceLock<Schedule<Limbs>>; MAX_INPUTS + 1] =
            [const { OnceLock::new() }; MAX_INPUTS + 1];
        let schedule = ALL[N].get_or_init(|| {
            let extra = F::from(1u64 << EXTRA_BITS);
            let number = |x: &F| limbs((*x * extra).words(), 0);
            let addend = |x: &F| limbs((*x * F::new_unchecked(F::R2) * extra * extra).words(), 0);
            let back = extra.inverse().expect("2 has an inverse");
            Schedule::new(parameters(N)).scale(back).convert(number, addend)
        });
        Some(Self { lanes: Lanes::new()?, schedule })
    }

    pub(super) fn hash_each<const N: usize>(&self, capacity: F, inputs: &[[F; N]]) -> Vec<F> {
        let mut hashes = Vec::with_capacity(inputs.len());
        for group in inputs.chunks(LANES) {
            if group.len() < WORTH_IT {
                hashes.extend(group.iter().map(|inputs| hash(capacity, *inputs)));
                continue;
            }
            let lane = |i: usize| group.get(i).unwrap_or(&group[0]);
            let inputs = [lane(0), lane(1), lane(2), lane(3)];
            let four = Hash { lanes: self.lanes, schedule: self.schedule, capacity, inputs };
            hashes.extend_from_slice(&self.lanes.run(four)[..group.len()]);
        }
        hashes
    }
}

/// Four hashes.
struct Hash<'a, const N: usize> {
    lanes: Lanes<F>,
    schedule: &'a Schedule<Limbs>,
    capacity: F,
    inputs: [&'a [F; N]; LANES],
}

impl<const N: usize> NullaryFnOnce for Hash<'_, N> {
    type Output = [F; LANES];

    #[inline(always)]
    fn call(self) -> [F; LANES] {
        let lanes = self.lanes;
        let capacity = lanes.number(&limbs(self.capacity.words(), EXTRA_BITS));
        let mut inputs = [lanes.zero(); N];
        for (at, input) in inputs.iter_mut().enumerate() {
            let [a, b, c, d] = self.inputs;
            let words = [a[at].words(), b[at].words(), c[at].words(), d[at].words()];
            *input = lanes.load(words, EXTRA_BITS);
        }
        let hash = run(lanes, self.schedule, capacity, inputs).next_cell();
        lanes.store(&hash).map(reduced)
    }
}

impl Arithmetic for Lanes<F> {
    type Element = Element;
    type Constant = Limbs;

    #[inline(always)]
    fn zero(self) -> Element {
        Lanes::zero(self)
    }

    #[inline(always)]
    fn number(self, constant: &Limbs) -> Element {
        Lanes::number(self, constant)
    }

    #[inline(always)]
    fn add(self, a: Element, b: Element) -> Element {
        Lanes::add(self, &a, &b)
    }

    #[inline(always)]
    fn square(self, x: Element) -> Element {
        Lanes::multiply(self, &x, &x)
    }

    #[inline(always)]
    fn multiply(self, a: Element, b: Element) -> Element {
        Lanes::multiply(self, &a, &b)
    }

    #[inline(always)]
    fn form<const A: usize, const B: usize>(
        self,
        addend: &Limbs,
        left: (&[Limbs; A], &[Element; A]),
        right: (&[Limbs; B], &[Element; B]),
    ) -> Element {
        let mut columns = Columns::new(Lanes::number(self, addend));
        for row in 0..LIMBS {
            for (coefficient, element) in left.0.iter().zip(left.1) {
                columns.add_row(self, self.splat(coefficient[row]), element);
            }
            for (coefficient, element) in right.0.iter().zip(right.1) {
                columns.add_row(self, self.splat(coefficient[row]), element);
            }
            if row < LIMBS - 1 {
                columns.divide(self);
            } else {
                columns.divide_last(self);
            }
        }
        columns.tight(self)
    }
}
