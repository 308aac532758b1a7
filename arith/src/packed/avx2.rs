//! Arithmetic on four numbers, one in each lane of AVX2.
//!
//! A lane holds a number in nine limbs of 29 bits, each in a word of 64, and stands for it divided
//! by `R = 2^261` (Montgomery). The modulus q has 254 bits, so R is more than 169 q: there is room
//! for sums that are not reduced. Limbs are *tight* if they are below `2^29` and *loose* if they
//! are below `2^31`.
//!
//! A sum of products is reduced row by row. All rows but the last add a multiple of `q' = q * i`,
//! where i is -1/q modulo `2^29`. The multiple that makes the lowest limb vanish is this limb
//! itself, since q' is -1 modulo `2^29`, so that no row waits for two multiplications. The last
//! row adds less than `q * 2^29`, the one before less than `q' * 2^29`, those before hardly
//! anything, and `R` divides it all: the result is below `sum / R + 2.001 q`.

use std::{arch::x86_64::__m256i, marker::PhantomData};

use pulp::{x86::V3, NullaryFnOnce};

use super::{limbs, Limbs, Words, LIMBS, LIMB_BITS, MASK};

/// Numbers that are worked on at a time.
pub const LANES: usize = 4;
/// The row that is reduced last.
const LAST: usize = LIMBS - 1;

/// Four numbers: a vector for each limb.
pub type Element = [__m256i; LIMBS];

/// Arithmetic modulo the modulus of `W`. Whoever has one has a processor with AVX2.
#[derive(Debug)]
pub struct Lanes<W> {
    simd: V3,
    field: PhantomData<W>,
}

// Derived, these would ask the same of W.
impl<W> Clone for Lanes<W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for Lanes<W> {}

/// Repeats a block for each value of a constant. What a loop works on stays in memory unless the
/// compiler unrolls it, and columns have to stay in registers.
macro_rules! for_each {
    ($constant:ident in [$($value:literal)*] $block:block) => {
        $({
            const $constant: usize = $value;
            $block
        })*
    };
}

/// What is known of a modulus.
impl<W: Words> Lanes<W> {
    const MODULUS: Limbs = limbs(&W::MODULUS_WORDS, 0);
    /// -1/q modulo `2^29`.
    const NEGATED_INVERSE: u64 = W::NEGATED_INVERSE & MASK;
    /// q' without its lowest limb, and 1 more: what a row adds for each unit of the lowest limb.
    const ROW: Limbs = {
        let mut row = [0; LIMBS];
        let mut carry = 0;
        let mut i = 0;
        while i < LIMBS {
            let limb = Self::MODULUS[i] * Self::NEGATED_INVERSE + carry;
            if i > 0 {
                row[i - 1] = limb & MASK;
            }
            carry = limb >> LIMB_BITS;
            i += 1;
        }
        row[LAST] = carry;
        row[0] += 1;
        row
    };
    /// `R - q`.
    const COMPLEMENT: Limbs = {
        let mut complement = [0; LIMBS];
        let mut i = 0;
        while i < LIMBS {
            complement[i] = MASK - Self::MODULUS[i];
            i += 1;
        }
        complement[0] += 1;
        complement
    };
    /// `2^45` over the highest limb of q, from below.
    const RECIPROCAL: u64 = (1 << RECIPROCAL_BITS) / (Self::MODULUS[LAST] + 1);

    /// 4 q in limbs from which `count` tight ones can be subtracted.
    const fn four_moduli(count: u64) -> Limbs {
        let mut spread = limbs(&W::MODULUS_WORDS, 2);
        let mut i = 0;
        while i < LIMBS {
            if i < LAST {
                spread[i] += count << LIMB_BITS;
            }
            if i > 0 {
                spread[i] -= count;
            }
            i += 1;
        }
        spread
    }
}

const RECIPROCAL_BITS: usize = 45;

impl<W: Words> Lanes<W> {
    /// `None` if the processor lacks AVX2.
    pub fn new() -> Option<Self> {
        const { assert!(W::MODULUS_WORDS[3] >> 60 == 3, "the bounds are those of 254 bits") };
        Some(Self { simd: V3::try_new()?, field: PhantomData })
    }

    /// Runs a task with AVX2 enabled. All that it calls has to be inlined, or it runs without and ten
    /// times as long. So it is no closure, and has none in it that touches numbers in lanes.
    pub fn run<T: NullaryFnOnce>(self, task: T) -> T::Output {
        self.simd.vectorize(task)
    }

    /// The same word in each lane.
    #[inline(always)]
    pub fn splat(self, word: u64) -> __m256i {
        self.simd.avx._mm256_set1_epi64x(word as i64)
    }

    #[inline(always)]
    fn plus(self, a: __m256i, b: __m256i) -> __m256i {
        self.simd.avx2._mm256_add_epi64(a, b)
    }

    #[inline(always)]
    fn minus(self, a: __m256i, b: __m256i) -> __m256i {
        self.simd.avx2._mm256_sub_epi64(a, b)
    }

    /// The products of the low halves.
    #[inline(always)]
    fn times(self, a: __m256i, b: __m256i) -> __m256i {
        self.simd.avx2._mm256_mul_epu32(a, b)
    }

    #[inline(always)]
    fn or(self, a: __m256i, b: __m256i) -> __m256i {
        self.simd.avx2._mm256_or_si256(a, b)
    }

    #[inline(always)]
    fn mask(self, a: __m256i) -> __m256i {
        self.simd.avx2._mm256_and_si256(a, self.splat(MASK))
    }

    #[inline(always)]
    fn left(self, a: __m256i, bits: usize) -> __m256i {
        self.simd.avx2._mm256_sllv_epi64(a, self.splat(bits as u64))
    }

    #[inline(always)]
    fn right(self, a: __m256i, bits: usize) -> __m256i {
        self.simd.avx2._mm256_srlv_epi64(a, self.splat(bits as u64))
    }

    #[inline(always)]
    fn carry(self, a: __m256i) -> __m256i {
        self.right(a, LIMB_BITS)
    }

    /// 0 in each lane.
    #[inline(always)]
    pub fn zero(self) -> Element {
        [self.splat(0); LIMBS]
    }

    /// The same number in each lane.
    #[inline(always)]
    pub fn number(self, limbs: &Limbs) -> Element {
        let mut element = self.zero();
        for (limb, word) in element.iter_mut().zip(limbs) {
            *limb = self.splat(*word);
        }
        element
    }

    /// The sum, limb by limb.
    #[inline(always)]
    pub fn add(self, a: &Element, b: &Element) -> Element {
        let mut sum = *a;
        for (limb, b) in sum.iter_mut().zip(b) {
            *limb = self.plus(*limb, *b);
        }
        sum
    }

    /// `a - b + 4 q`, loose, for tight numbers, of which b is below 3.9 q.
    #[inline(always)]
    pub fn subtract(self, a: &Element, b: &Element) -> Element {
        let mut difference = self.number(&const { Self::four_moduli(1) });
        for (limb, (a, b)) in difference.iter_mut().zip(a.iter().zip(b)) {
            *limb = self.plus(self.minus(*limb, *b), *a);
        }
        difference
    }

    /// The product, tight and below `a * b / R + 2.001 q`. One number may be loose, or both may
    /// have limbs below `2^30`.
    #[inline(always)]
    pub fn multiply(self, a: &Element, b: &Element) -> Element {
        self.sum_of_products([(a, b)]).tight(self)
    }

    /// The columns of `sum of a * b`, divided by R. Of one product one number may be loose, and the
    /// others are tight; there are at most three.
    #[inline(always)]
    pub fn sum_of_products<const N: usize>(self, products: [(&Element, &Element); N]) -> Columns {
        let mut columns = Columns(self.zero());
        let mut products = products;
        for (_, b) in &mut products {
            *b = std::hint::black_box(*b);
        }
        // Unrolled, this loop fills the stack with columns that wait.
        for row in 0..LAST {
            for (a, b) in products {
                columns.add_row(self, a[row], b);
            }
            columns.divide(self);
        }
        for (a, b) in products {
            columns.add_row(self, a[LAST], b);
        }
        columns.divide_last(self);
        columns
    }

    /// Four numbers of four words, shifted by `shift` bits, which has to leave them below R.
    #[inline(always)]
    pub fn load(self, rows: [&[u64; 4]; LANES], shift: usize) -> Element {
        let [a, b, c, d] = rows;
        let rows = [pulp::cast(*a), pulp::cast(*b), pulp::cast(*c), pulp::cast(*d)];
        let words = self.transpose(rows);
        let mut limbs = self.zero();
        for_each!(I in [0 1 2 3 4 5 6 7 8] {
            let bit = (I * LIMB_BITS).wrapping_sub(shift);
            let (word, from) = (bit / 64, bit % 64);
            limbs[I] = if I * LIMB_BITS < shift {
                self.mask(self.left(words[0], shift - I * LIMB_BITS))
            } else if from + LIMB_BITS > 64 && word < 3 {
                let high = self.left(words[word + 1], 64 - from);
                self.mask(self.or(self.right(words[word], from), high))
            } else {
                self.mask(self.right(words[word], from))
            };
        });
        limbs
    }

    /// The words of four tight numbers below `2^256`.
    #[inline(always)]
    pub fn store(self, element: &Element) -> [[u64; 4]; LANES] {
        let mut words = [self.splat(0); 4];
        for_each!(I in [0 1 2 3 4 5 6 7 8] {
            let (word, from) = (I * LIMB_BITS / 64, I * LIMB_BITS % 64);
            words[word] = self.or(words[word], self.left(element[I], from));
            if from + LIMB_BITS > 64 && word < 3 {
                words[word + 1] = self.or(words[word + 1], self.right(element[I], 64 - from));
            }
        });
        let [a, b, c, d] = self.transpose(words);
        [pulp::cast(a), pulp::cast(b), pulp::cast(c), pulp::cast(d)]
    }

    #[inline(always)]
    fn transpose(self, rows: [__m256i; 4]) -> [__m256i; 4] {
        let avx2 = self.simd.avx2;
        let [a, b, c, d] = rows;
        let (even_ab, odd_ab) =
            (avx2._mm256_unpacklo_epi64(a, b), avx2._mm256_unpackhi_epi64(a, b));
        let (even_cd, odd_cd) =
            (avx2._mm256_unpacklo_epi64(c, d), avx2._mm256_unpackhi_epi64(c, d));
        [
            avx2._mm256_permute2x128_si256::<0x20>(even_ab, even_cd),
            avx2._mm256_permute2x128_si256::<0x20>(odd_ab, odd_cd),
            avx2._mm256_permute2x128_si256::<0x31>(even_ab, even_cd),
            avx2._mm256_permute2x128_si256::<0x31>(odd_ab, odd_cd),
        ]
    }
}

/// Columns of a sum of products on its way through reduction: nine of them, the lowest first.
///
/// A product is added row by row, a limb of one factor with all limbs of the other. When all rows
/// that reach the lowest column are in, a multiple of q makes that column vanish. After nine of
/// these divisions, of which the last is [`Columns::divide_last`], the columns are the reduced sum.
/// Columns must stay below `2^64`.
#[derive(Clone, Copy, Debug)]
pub struct Columns(Element);

impl Columns {
    /// Columns that hold this number, which is added to the sum.
    #[inline(always)]
    pub fn new(addend: Element) -> Self {
        Self(addend)
    }

    /// Adds `limb * others`, from the lowest column on.
    #[inline(always)]
    pub fn add_row<W: Words>(&mut self, lanes: Lanes<W>, limb: __m256i, others: &Element) {
        for_each!(I in [0 1 2 3 4 5 6 7 8] {
            self.0[I] = lanes.plus(self.0[I], lanes.times(limb, others[I]));
        });
    }

    /// Divides by `2^29`, with a multiple of q'.
    #[inline(always)]
    pub fn divide<W: Words>(&mut self, lanes: Lanes<W>) {
        let columns = &mut self.0;
        let (factor, carry) = (lanes.mask(columns[0]), lanes.carry(columns[0]));
        for_each!(I in [0 1 2 3 4 5 6 7] {
            let product = lanes.times(factor, lanes.splat(Lanes::<W>::ROW[I]));
            columns[I] = lanes.plus(columns[I + 1], product);
        });
        columns[LAST] = lanes.times(factor, lanes.splat(Lanes::<W>::ROW[LAST]));
        columns[0] = lanes.plus(columns[0], carry);
    }

    /// Divides by `2^29`, with a multiple of q.
    #[inline(always)]
    pub fn divide_last<W: Words>(&mut self, lanes: Lanes<W>) {
        let columns = &mut self.0;
        let modulus = lanes.number(&Lanes::<W>::MODULUS);
        let inverse = lanes.splat(Lanes::<W>::NEGATED_INVERSE);
        let factor = lanes.mask(lanes.times(columns[0], inverse));
        let carry = lanes.carry(lanes.plus(columns[0], lanes.times(factor, modulus[0])));
        for_each!(I in [0 1 2 3 4 5 6 7] {
            columns[I] = lanes.plus(columns[I + 1], lanes.times(factor, modulus[I + 1]));
        });
        columns[LAST] = lanes.splat(0);
        columns[0] = lanes.plus(columns[0], carry);
    }

    /// The number in tight limbs.
    #[inline(always)]
    pub fn tight<W: Words>(self, lanes: Lanes<W>) -> Element {
        let mut limbs = self.0;
        for_each!(I in [1 2 3 4 5 6 7 8] {
            limbs[I] = lanes.plus(limbs[I], lanes.carry(limbs[I - 1]));
            limbs[I - 1] = lanes.mask(limbs[I - 1]);
        });
        limbs
    }

    /// The sum less c, tight and below `q + q / 2^10`. The sum must be below 3 q; c is tight and
    /// below 3.9 q.
    #[inline(always)]
    pub fn subtract<W: Words>(mut self, lanes: Lanes<W>, c: &Element) -> Element {
        self.subtract_from(lanes, &const { Lanes::<W>::four_moduli(1) }, c);
        self.nearly_reduced(lanes)
    }

    /// As [`Columns::subtract`], of two numbers whose sum is below 3.9 q.
    #[inline(always)]
    pub fn subtract_two<W: Words>(mut self, lanes: Lanes<W>, c: &Element, d: &Element) -> Element {
        self.subtract_from(lanes, &const { Lanes::<W>::four_moduli(2) }, &lanes.add(c, d));
        self.nearly_reduced(lanes)
    }

    /// Adds `multiple - number`, of which no limb is negative.
    #[inline(always)]
    fn subtract_from<W: Words>(&mut self, lanes: Lanes<W>, multiple: &Limbs, number: &Element) {
        for_each!(I in [0 1 2 3 4 5 6 7 8] {
            let difference = lanes.minus(lanes.splat(multiple[I]), number[I]);
            self.0[I] = lanes.plus(self.0[I], difference);
        });
    }

    /// Subtracts as often q as the highest limb says, from a number below 8 q. It underestimates the
    /// quotient by less than `2^-10`.
    #[inline(always)]
    fn nearly_reduced<W: Words>(mut self, lanes: Lanes<W>) -> Element {
        let columns = &mut self.0;
        let below = lanes.plus(columns[LAST - 1], lanes.carry(columns[LAST - 2]));
        let highest = lanes.plus(columns[LAST], lanes.carry(below));
        let scaled = lanes.times(highest, lanes.splat(Lanes::<W>::RECIPROCAL));
        let quotient = lanes.right(scaled, RECIPROCAL_BITS);
        for_each!(I in [0 1 2 3 4 5 6 7 8] {
            let product = lanes.times(quotient, lanes.splat(Lanes::<W>::COMPLEMENT[I]));
            columns[I] = lanes.plus(columns[I], product);
        });
        let mut limbs = self.tight(lanes);
        limbs[LAST] = lanes.mask(limbs[LAST]);
        limbs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{Fq, Fr};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    use crate::packed::{reduced, EXTRA_BITS};

    /// A task without inputs of its own.
    struct Task<G>(G);

    impl<T, G: FnOnce() -> T> NullaryFnOnce for Task<G> {
        type Output = T;

        #[inline(always)]
        fn call(self) -> T {
            self.0()
        }
    }

    /// Elements at the ends of the field and between, in lanes and as they are.
    fn numbers<W: Words>(lanes: Lanes<W>, rng: &mut ChaCha20Rng) -> (Element, [W; LANES]) {
        let special = [W::ZERO, W::ONE, -W::ONE, W::from(2), W::from_words([1, 0, 0, 0])];
        let numbers = [(); LANES].map(|()| match rng.gen_range(0..8) {
            i @ 0..=4 => special[i],
            _ => W::rand(rng),
        });
        (lanes.load([0, 1, 2, 3].map(|i| numbers[i].words()), EXTRA_BITS), numbers)
    }

    /// Takes the result out, whose words are 32 times those of arkworks.
    fn taken_out<W: Words>(lanes: Lanes<W>, element: &Element) -> [W; LANES] {
        let extra = W::from(1u64 << EXTRA_BITS).inverse().expect("2 has an inverse");
        lanes.store(element).map(|words| reduced::<W>(words) * extra)
    }

    fn agree<W: Words>(seed: u64) {
        let Some(lanes) = Lanes::<W>::new() else { return };
        let rng = &mut ChaCha20Rng::seed_from_u64(seed);
        for round in 0..2000 {
            let inputs = [(); 4].map(|()| numbers(lanes, rng));
            // What is subtracted has to be small: so it is reduced first.
            let one = lanes.number(&limbs(W::from(1u64 << EXTRA_BITS).words(), 0));
            let results = lanes.run(Task(|| {
                let [a, b, c, d] = inputs.map(|(lane, _)| lanes.multiply(&lane, &one));
                let reduced_c = lanes.sum_of_products([(&c, &one)]).subtract(lanes, &lanes.zero());
                [
                    lanes.multiply(&a, &b),
                    lanes.multiply(&a, &lanes.subtract(&b, &c)),
                    lanes.sum_of_products([(&lanes.subtract(&a, &b), &c)]).subtract(lanes, &d),
                    lanes
                        .sum_of_products([(&a, &b), (&c, &d), (&b, &c)])
                        .subtract_two(lanes, &d, &reduced_c),
                ]
            }));
            for (which, result) in results.iter().enumerate() {
                for (lane, taken) in taken_out(lanes, result).into_iter().enumerate() {
                    let [a, b, c, d] = inputs.map(|(_, numbers)| numbers[lane]);
                    let expected =
                        [a * b, a * (b - c), (a - b) * c - d, a * b + c * d + b * c - d - c][which];
                    assert_eq!(taken, expected, "round {round}, formula {which}, lane {lane}");
                }
            }
            // Nearly reduced: one subtraction is enough.
            for words in results[2..].iter().flat_map(|result| lanes.store(result)) {
                assert!(words[3] <= W::MODULUS_WORDS[3] + (W::MODULUS_WORDS[3] >> 10));
            }
        }
    }

    #[test]
    fn lanes_agree_with_arkworks_modulo_both_primes() {
        agree::<Fq>(1);
        agree::<Fr>(2);
    }

    #[test]
    fn words_go_in_and_come_out() {
        let Some(lanes) = Lanes::<Fq>::new() else { return };
        let rng = &mut ChaCha20Rng::seed_from_u64(3);
        for _ in 0..100 {
            let rows: [[u64; 4]; LANES] = [(); LANES].map(|()| rng.gen());
            let refs = [&rows[0], &rows[1], &rows[2], &rows[3]];
            assert_eq!(lanes.run(Task(|| lanes.store(&lanes.load(refs, 0)))), rows);
        }
    }
}
