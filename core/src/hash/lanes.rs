//! Four permutations at a time, in the lanes of AVX2.
//!
//! A lane holds a number in nine limbs of 29 bits, each in a word of 64, and stands for it divided
//! by `R = 2^261` (Montgomery). The modulus r has 254 bits, so R is 169 r: there is room for sums
//! that are not reduced. Numbers are
//!
//! - inputs: a field element times 32, which takes it from arkworks' `2^256` to R;
//! - *tight*, which reduction gives: below 8 r, and below 2 r if it was a form's. `1089 / 169 + 1`
//!   is the worst case, the square of an input and a constant;
//! - the sum of two, below 33 r, with limbs below 2^30. To it nothing is added.
//!
//! A column of a product of sums, nine products of limbs below 2^30 and as many of limbs below 2^29
//! for the reduction, is below 2^64. So is a column of a form, which has six products of tight
//! numbers: with those of the reduction, 63 products below 2^58.

use std::{arch::x86_64::__m256i, sync::OnceLock};

use ark_ff::{BigInt, Field, PrimeField};
use pulp::{u64x4, x86::V3, NullaryFnOnce};

use super::{
    arithmetic::Arithmetic,
    hash,
    permutation::parameters,
    scalar::subtract_if_not_below,
    schedule::{run, Schedule},
    Tag,
};
use crate::F;

const LANES: usize = 4;
const LIMBS: usize = 9;
const LIMB_BITS: usize = 29;
const MASK: u64 = (1 << LIMB_BITS) - 1;
/// `log2` of R over arkworks' `2^256`.
const EXTRA_BITS: usize = LIMBS * LIMB_BITS - 256;
/// As many inputs of a hash as a form's column has room for, with two products for each.
pub(super) const MAX_INPUTS: usize = 3;
/// How many lanes must be in use: a permutation of all four takes as long as about two others.
const WORTH_IT: usize = 3;

type Element = [__m256i; LIMBS];
type Constant = [u64; LIMBS];

const MODULUS: Constant = limbs(&F::MODULUS.0, 0);

/// What hashing in lanes takes: a processor with AVX2, and the constants.
pub(super) struct Lanes {
    simd: V3,
    schedule: &'static Schedule<Constant>,
}

impl Lanes {
    /// `None` if the processor lacks something.
    pub(super) fn new<const N: usize>() -> Option<Lanes> {
        static ALL: [OnceLock<Schedule<Constant>>; MAX_INPUTS + 1] =
            [const { OnceLock::new() }; MAX_INPUTS + 1];
        let schedule = ALL[N].get_or_init(|| {
            let extra = F::from(1u64 << EXTRA_BITS);
            let number = |x: &F| limbs(&(*x * extra).0 .0, 0);
            let addend = |x: &F| limbs(&(*x * F::new_unchecked(F::R2) * extra * extra).0 .0, 0);
            let back = extra.inverse().expect("2 has an inverse");
            Schedule::new(parameters(N)).scale(back).convert(number, addend)
        });
        Some(Lanes { simd: V3::try_new()?, schedule })
    }

    pub(super) fn hash_each<const N: usize>(&self, tag: Tag, inputs: &[[F; N]]) -> Vec<F> {
        let mut hashes = Vec::with_capacity(inputs.len());
        for group in inputs.chunks(LANES) {
            if group.len() < WORTH_IT {
                hashes.extend(group.iter().map(|inputs| hash(tag, *inputs)));
                continue;
            }
            let lane = |i: usize| group.get(i).unwrap_or(&group[0]);
            let inputs = [lane(0), lane(1), lane(2), lane(3)];
            let four = Hash { simd: self.simd, schedule: self.schedule, tag, inputs };
            hashes.extend_from_slice(&self.simd.vectorize(four)[..group.len()]);
        }
        hashes
    }
}

/// Four hashes. Not a closure, because all of it has to be inlined where AVX2 is enabled.
struct Hash<'a, const N: usize> {
    simd: V3,
    schedule: &'a Schedule<Constant>,
    tag: Tag,
    inputs: [&'a [F; N]; LANES],
}

impl<const N: usize> NullaryFnOnce for Hash<'_, N> {
    type Output = [F; LANES];

    #[inline(always)]
    fn call(self) -> [F; LANES] {
        let arithmetic = LaneArithmetic(self.simd);
        let tag = arithmetic.number(&limbs(&self.tag.to_field().0 .0, EXTRA_BITS));
        let mut inputs = [arithmetic.zero(); N];
        for (at, input) in inputs.iter_mut().enumerate() {
            *input = arithmetic.gather(self.inputs.map(|lane| limbs(&lane[at].0 .0, EXTRA_BITS)));
        }
        arithmetic.scatter(run(arithmetic, self.schedule, tag, inputs).next_cell())
    }
}

/// The limbs of `x * 2^shift`, which must be below R. The shift is below 64.
const fn limbs(x: &[u64; 4], shift: usize) -> Constant {
    let mut words = [0; 6];
    let mut i = 0;
    while i < 4 {
        words[i] |= x[i] << shift;
        words[i + 1] = x[i] >> 1 >> (63 - shift);
        i += 1;
    }
    let mut limbs = [0; LIMBS];
    let mut i = 0;
    while i < LIMBS {
        let (word, bit) = (i * LIMB_BITS / 64, i * LIMB_BITS % 64);
        limbs[i] = ((words[word] >> bit) | (words[word + 1] << 1 << (63 - bit))) & MASK;
        i += 1;
    }
    limbs
}

/// The field element of limbs that are an element in arkworks' representation, below 2 r.
fn from_limbs(limbs: &Constant) -> F {
    let mut words = [0; 5];
    for (i, limb) in limbs.iter().enumerate() {
        let (word, bit) = (i * LIMB_BITS / 64, i * LIMB_BITS % 64);
        words[word] |= limb << bit;
        words[word + 1] |= limb >> 1 >> (63 - bit);
    }
    let [a, b, c, d, _] = words;
    F::new_unchecked(BigInt(subtract_if_not_below([a, b, c, d], &F::MODULUS.0)))
}

/// Arithmetic on four elements, one in each lane.
#[derive(Clone, Copy)]
struct LaneArithmetic(V3);

/// Repeats a block for each value of a constant. What a loop works on stays in memory unless the
/// compiler unrolls it; so it takes a third longer.
macro_rules! for_each {
    ($constant:ident in [$($value:literal)*] $block:block) => {
        $({
            const $constant: usize = $value;
            $block
        })*
    };
}

/// Columns of a sum of products on its way through reduction: nine of them, the lowest first.
///
/// A product is added row by row, a limb of one factor with all limbs of the other. When all rows
/// that reach the lowest column are in, a multiple of r makes that column vanish.
struct Columns {
    lanes: LaneArithmetic,
    sums: Element,
}

impl Columns {
    #[inline(always)]
    fn new(lanes: LaneArithmetic, sums: Element) -> Columns {
        Columns { lanes, sums }
    }

    /// Adds `limb * others`, from the lowest column on.
    #[inline(always)]
    fn add_row(&mut self, limb: __m256i, others: &Element) {
        for_each!(I in [0 1 2 3 4 5 6 7 8] {
            self.add(I, self.lanes.times(limb, others[I]));
        });
    }

    /// Adds the part of a row of a square that earlier rows have not added twice already.
    #[inline(always)]
    fn add_square_row<const ROW: usize>(&mut self, x: &Element, twice: &Element) {
        self.add(ROW, self.lanes.times(x[ROW], x[ROW]));
        for_each!(I in [1 2 3 4 5 6 7 8] {
            if I > ROW {
                self.add(I, self.lanes.times(twice[ROW], x[I]));
            }
        });
    }

    #[inline(always)]
    fn add(&mut self, column: usize, product: __m256i) {
        self.sums[column] = self.lanes.plus(self.sums[column], product);
    }

    /// Divides by 2^29.
    #[inline(always)]
    fn divide(&mut self) {
        let factor = self.lanes.factor(self.sums[0]);
        let carry = self.lanes.carry(self.lanes.cancel(self.sums[0], factor));
        for_each!(I in [1 2 3 4 5 6 7 8] {
            let product = self.lanes.times(factor, self.lanes.splat(MODULUS[I]));
            self.sums[I - 1] = self.lanes.plus(self.sums[I], product);
        });
        self.add(0, carry);
        self.sums[LIMBS - 1] = self.lanes.splat(0);
    }

    /// The tight limbs.
    #[inline(always)]
    fn finish(self) -> Element {
        let mut limbs = self.sums;
        for_each!(I in [1 2 3 4 5 6 7 8] {
            limbs[I] = self.lanes.plus(limbs[I], self.lanes.carry(limbs[I - 1]));
            limbs[I - 1] = self.lanes.mask(limbs[I - 1]);
        });
        limbs
    }
}

impl LaneArithmetic {
    #[inline(always)]
    fn splat(self, word: u64) -> __m256i {
        self.0.avx._mm256_set1_epi64x(word as i64)
    }

    #[inline(always)]
    fn plus(self, a: __m256i, b: __m256i) -> __m256i {
        self.0.avx2._mm256_add_epi64(a, b)
    }

    #[inline(always)]
    fn minus(self, a: __m256i, b: __m256i) -> __m256i {
        self.0.avx2._mm256_sub_epi64(a, b)
    }

    /// The products of the low halves.
    #[inline(always)]
    fn times(self, a: __m256i, b: __m256i) -> __m256i {
        self.0.avx2._mm256_mul_epu32(a, b)
    }

    #[inline(always)]
    fn mask(self, sum: __m256i) -> __m256i {
        self.0.avx2._mm256_and_si256(sum, self.splat(MASK))
    }

    #[inline(always)]
    fn carry(self, sum: __m256i) -> __m256i {
        self.0.avx2._mm256_srli_epi64::<{ LIMB_BITS as i32 }>(sum)
    }

    /// The multiple of r to be added for the lowest limb to vanish. As r is 2^28 + 1 modulo 2^29,
    /// -1 / r is 2^28 - 1.
    #[inline(always)]
    fn factor(self, sum: __m256i) -> __m256i {
        self.mask(self.minus(self.0.avx2._mm256_slli_epi64::<28>(sum), sum))
    }

    /// `sum + factor * lowest limb of r`.
    #[inline(always)]
    fn cancel(self, sum: __m256i, factor: __m256i) -> __m256i {
        self.plus(self.plus(sum, factor), self.0.avx2._mm256_slli_epi64::<28>(factor))
    }

    #[inline(always)]
    fn gather(self, lanes: [Constant; LANES]) -> Element {
        let mut element = self.zero();
        for (i, limb) in element.iter_mut().enumerate() {
            *limb = pulp::cast(u64x4(lanes[0][i], lanes[1][i], lanes[2][i], lanes[3][i]));
        }
        element
    }

    #[inline(always)]
    fn scatter(self, element: Element) -> [F; LANES] {
        let mut lanes = [[0; LIMBS]; LANES];
        for (i, limb) in element.iter().enumerate() {
            let u64x4(a, b, c, d) = pulp::cast(*limb);
            (lanes[0][i], lanes[1][i], lanes[2][i], lanes[3][i]) = (a, b, c, d);
        }
        lanes.map(|lane| from_limbs(&lane))
    }
}

impl Arithmetic for LaneArithmetic {
    type Element = Element;
    type Constant = Constant;

    #[inline(always)]
    fn zero(self) -> Element {
        [self.splat(0); LIMBS]
    }

    #[inline(always)]
    fn number(self, constant: &Constant) -> Element {
        let mut element = self.zero();
        for (limb, constant) in element.iter_mut().zip(constant) {
            *limb = self.splat(*constant);
        }
        element
    }

    #[inline(always)]
    fn add(self, a: Element, b: Element) -> Element {
        let mut sum = a;
        for (limb, b) in sum.iter_mut().zip(b) {
            *limb = self.plus(*limb, b);
        }
        sum
    }

    #[inline(always)]
    fn square(self, x: Element) -> Element {
        let twice = self.add(x, x);
        let mut columns = Columns::new(self, self.zero());
        for_each!(ROW in [0 1 2 3 4 5 6 7 8] {
            columns.add_square_row::<ROW>(&x, &twice);
            columns.divide();
        });
        columns.finish()
    }

    #[inline(always)]
    fn multiply(self, a: Element, b: Element) -> Element {
        let mut columns = Columns::new(self, self.zero());
        for_each!(ROW in [0 1 2 3 4 5 6 7 8] {
            columns.add_row(a[ROW], &b);
            columns.divide();
        });
        columns.finish()
    }

    #[inline(always)]
    fn form<const A: usize, const B: usize>(
        self,
        addend: &Constant,
        left: (&[Constant; A], &[Element; A]),
        right: (&[Constant; B], &[Element; B]),
    ) -> Element {
        let mut columns = Columns::new(self, self.number(addend));
        for row in 0..LIMBS {
            for (coefficient, element) in left.0.iter().zip(left.1) {
                columns.add_row(self.splat(coefficient[row]), element);
            }
            for (coefficient, element) in right.0.iter().zip(right.1) {
                columns.add_row(self.splat(coefficient[row]), element);
            }
            columns.divide();
        }
        columns.finish()
    }
}
