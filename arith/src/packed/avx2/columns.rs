//! Sums of products.

use std::arch::x86_64::__m256i;

use super::{
    super::{limbs::Limbs, words::Words},
    vector::{for_each, Avx2, Element, LAST, RECIPROCAL_BITS},
};

/// A sum of products during reduction: nine columns, the least significant first.
///
/// A product is added in rows: one limb of one factor times all limbs of the other. When all rows
/// that contribute to the lowest column are added, a multiple of q clears that column, and the sum
/// is divided by `2^29`. After nine divisions, the last of which is [`Columns::divide_last`], the
/// columns are the reduced sum. Columns must stay below `2^64`.
#[derive(Clone, Copy, Debug)]
pub struct Columns(Element);

impl Columns {
    /// A sum that begins with this addend.
    #[inline(always)]
    pub(super) fn new(addend: Element) -> Self {
        Self(addend)
    }

    /// Adds the row `limb * others`.
    #[inline(always)]
    pub(super) fn add_row<W: Words>(&mut self, simd: Avx2<W>, limb: __m256i, others: &Element) {
        for_each!(I in [0 1 2 3 4 5 6 7 8] {
            self.0[I] = simd.plus(self.0[I], simd.times(limb, others[I]));
        });
    }

    /// Adds a multiple of q' and divides by `2^29`.
    #[inline(always)]
    pub(super) fn divide<W: Words>(&mut self, simd: Avx2<W>) {
        let columns = &mut self.0;
        let (factor, carry) = (simd.mask(columns[0]), simd.carry(columns[0]));
        for_each!(I in [0 1 2 3 4 5 6 7] {
            let product = simd.times(factor, simd.splat(Avx2::<W>::ROW[I]));
            columns[I] = simd.plus(columns[I + 1], product);
        });
        columns[LAST] = simd.times(factor, simd.splat(Avx2::<W>::ROW[LAST]));
        columns[0] = simd.plus(columns[0], carry);
    }

    /// Adds a multiple of q and divides by `2^29`.
    #[inline(always)]
    pub(super) fn divide_last<W: Words>(&mut self, simd: Avx2<W>) {
        let columns = &mut self.0;
        let modulus = simd.broadcast_limbs(&Avx2::<W>::MODULUS);
        let inverse = simd.splat(Avx2::<W>::NEGATED_INVERSE);
        let factor = simd.mask(simd.times(columns[0], inverse));
        let carry = simd.carry(simd.plus(columns[0], simd.times(factor, modulus[0])));
        for_each!(I in [0 1 2 3 4 5 6 7] {
            columns[I] = simd.plus(columns[I + 1], simd.times(factor, modulus[I + 1]));
        });
        columns[LAST] = simd.splat(0);
        columns[0] = simd.plus(columns[0], carry);
    }

    /// The sum in tight limbs.
    #[inline(always)]
    pub(super) fn tight<W: Words>(self, simd: Avx2<W>) -> Element {
        let mut limbs = self.0;
        for_each!(I in [1 2 3 4 5 6 7 8] {
            limbs[I] = simd.plus(limbs[I], simd.carry(limbs[I - 1]));
            limbs[I - 1] = simd.mask(limbs[I - 1]);
        });
        limbs
    }

    /// `sum - c`, tight and below `q + q / 2^10`. The sum must be below 3 q; c is tight and below
    /// 3.9 q.
    #[inline(always)]
    pub(super) fn subtract<W: Words>(mut self, simd: Avx2<W>, c: &Element) -> Element {
        self.subtract_from(simd, &const { Avx2::<W>::four_moduli(1) }, c);
        self.nearly_reduced(simd)
    }

    /// `sum - c - d`, as [`Columns::subtract`], for `c + d` below 3.9 q.
    #[inline(always)]
    pub(super) fn subtract_two<W: Words>(
        mut self,
        simd: Avx2<W>,
        c: &Element,
        d: &Element,
    ) -> Element {
        self.subtract_from(simd, &const { Avx2::<W>::four_moduli(2) }, &simd.add_limbs(c, d));
        self.nearly_reduced(simd)
    }

    /// Adds `multiple - number`. No limb of the difference may be negative.
    #[inline(always)]
    fn subtract_from<W: Words>(&mut self, simd: Avx2<W>, multiple: &Limbs, number: &Element) {
        for_each!(I in [0 1 2 3 4 5 6 7 8] {
            let difference = simd.minus(simd.splat(multiple[I]), number[I]);
            self.0[I] = simd.plus(self.0[I], difference);
        });
    }

    /// Subtracts a multiple of q from a number below 8 q. The highest limb gives the quotient, too
    /// small by less than `2^-10`.
    #[inline(always)]
    fn nearly_reduced<W: Words>(mut self, simd: Avx2<W>) -> Element {
        let columns = &mut self.0;
        let below = simd.plus(columns[LAST - 1], simd.carry(columns[LAST - 2]));
        let highest = simd.plus(columns[LAST], simd.carry(below));
        let scaled = simd.times(highest, simd.splat(Avx2::<W>::RECIPROCAL));
        let quotient = simd.right(scaled, RECIPROCAL_BITS);
        for_each!(I in [0 1 2 3 4 5 6 7 8] {
            let product = simd.times(quotient, simd.splat(Avx2::<W>::COMPLEMENT[I]));
            columns[I] = simd.plus(columns[I], product);
        });
        let mut limbs = self.tight(simd);
        limbs[LAST] = simd.mask(limbs[LAST]);
        limbs
    }
}
