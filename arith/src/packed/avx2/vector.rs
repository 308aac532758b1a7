//! Vectors of four 64-bit elements, and the constants of a modulus.

use std::{arch::x86_64::__m256i, marker::PhantomData};

use pulp::{x86::V3, NullaryFnOnce};

use super::super::{
    field::Task,
    limbs::{limbs, Limbs, LIMBS, LIMB_BITS, MASK},
    words::Words,
};

/// Index of the most significant limb.
pub(super) const LAST: usize = LIMBS - 1;
/// Precision of [`Avx2::RECIPROCAL`].
pub(super) const RECIPROCAL_BITS: usize = 45;

/// Four residues: a vector for each limb.
pub(super) type Element = [__m256i; LIMBS];

/// Arithmetic modulo the modulus of `W`.
#[derive(Debug)]
pub struct Avx2<W> {
    simd: V3,
    field: PhantomData<W>,
}

// Derived implementations would require W to be Copy.
impl<W> Clone for Avx2<W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for Avx2<W> {}

/// Repeats a block for each value of a constant. A loop that is not unrolled keeps the columns in
/// memory instead of registers.
macro_rules! for_each {
    ($constant:ident in [$($value:literal)*] $block:block) => {
        $({
            const $constant: usize = $value;
            $block
        })*
    };
}
pub(super) use for_each;

/// Constants of the modulus.
impl<W: Words> Avx2<W> {
    pub(super) const MODULUS: Limbs = limbs(&W::MODULUS_WORDS, 0);
    /// -1/q modulo `2^29`.
    pub(super) const NEGATED_INVERSE: u64 = W::NEGATED_INVERSE & MASK;
    /// `(q' + 1) / 2^29`: one division step adds this for each unit of the lowest limb.
    pub(super) const ROW: Limbs = {
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
    pub(super) const COMPLEMENT: Limbs = {
        let mut complement = [0; LIMBS];
        let mut i = 0;
        while i < LIMBS {
            complement[i] = MASK - Self::MODULUS[i];
            i += 1;
        }
        complement[0] += 1;
        complement
    };
    /// A lower bound of `2^45` divided by the highest limb of q.
    pub(super) const RECIPROCAL: u64 = (1 << RECIPROCAL_BITS) / (Self::MODULUS[LAST] + 1);

    /// 4 q, with limbs so large that those of `count` tight values can be subtracted.
    pub(super) const fn four_moduli(count: u64) -> Limbs {
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

/// Work with AVX2 enabled.
struct Enabled<T>(T);

impl<T: Task> NullaryFnOnce for Enabled<T> {
    type Output = T::Output;

    #[inline(always)]
    fn call(self) -> T::Output {
        self.0.run()
    }
}

impl<W: Words> Avx2<W> {
    pub(super) fn detect() -> Option<Self> {
        const { assert!(W::MODULUS_WORDS[3] >> 60 == 3, "the bounds are those of 254 bits") };
        Some(Self { simd: V3::try_new()?, field: PhantomData })
    }

    pub(super) fn enable<T: Task>(self, task: T) -> T::Output {
        self.simd.vectorize(Enabled(task))
    }

    /// The same word in each vector element.
    #[inline(always)]
    pub(super) fn splat(self, word: u64) -> __m256i {
        self.simd.avx._mm256_set1_epi64x(word as i64)
    }

    #[inline(always)]
    pub(super) fn plus(self, a: __m256i, b: __m256i) -> __m256i {
        self.simd.avx2._mm256_add_epi64(a, b)
    }

    #[inline(always)]
    pub(super) fn minus(self, a: __m256i, b: __m256i) -> __m256i {
        self.simd.avx2._mm256_sub_epi64(a, b)
    }

    /// The products of the low halves.
    #[inline(always)]
    pub(super) fn times(self, a: __m256i, b: __m256i) -> __m256i {
        self.simd.avx2._mm256_mul_epu32(a, b)
    }

    #[inline(always)]
    pub(super) fn or(self, a: __m256i, b: __m256i) -> __m256i {
        self.simd.avx2._mm256_or_si256(a, b)
    }

    #[inline(always)]
    pub(super) fn mask(self, a: __m256i) -> __m256i {
        self.simd.avx2._mm256_and_si256(a, self.splat(MASK))
    }

    #[inline(always)]
    pub(super) fn left(self, a: __m256i, bits: usize) -> __m256i {
        self.simd.avx2._mm256_sllv_epi64(a, self.splat(bits as u64))
    }

    #[inline(always)]
    pub(super) fn right(self, a: __m256i, bits: usize) -> __m256i {
        self.simd.avx2._mm256_srlv_epi64(a, self.splat(bits as u64))
    }

    #[inline(always)]
    pub(super) fn carry(self, a: __m256i) -> __m256i {
        self.right(a, LIMB_BITS)
    }

    /// 0 in each vector element.
    #[inline(always)]
    pub(super) fn zeros(self) -> Element {
        [self.splat(0); LIMBS]
    }

    /// The same number in each vector element.
    #[inline(always)]
    pub(super) fn broadcast_limbs(self, limbs: &Limbs) -> Element {
        let mut element = self.zeros();
        for (limb, word) in element.iter_mut().zip(limbs) {
            *limb = self.splat(*word);
        }
        element
    }

    /// The sum, limb by limb.
    #[inline(always)]
    pub(super) fn add_limbs(self, a: &Element, b: &Element) -> Element {
        let mut sum = *a;
        for (limb, b) in sum.iter_mut().zip(b) {
            *limb = self.plus(*limb, *b);
        }
        sum
    }

    /// `a - b + 4 q`, loose, for tight a and b with b below 3.9 q.
    #[inline(always)]
    pub(super) fn subtract_limbs(self, a: &Element, b: &Element) -> Element {
        let mut difference = self.broadcast_limbs(&const { Self::four_moduli(1) });
        for (limb, (a, b)) in difference.iter_mut().zip(a.iter().zip(b)) {
            *limb = self.plus(self.minus(*limb, *b), *a);
        }
        difference
    }

    /// Transposes a matrix of words.
    #[inline(always)]
    pub(super) fn transpose(self, rows: [__m256i; 4]) -> [__m256i; 4] {
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
