//! [`PackedField`] with four residues, one in each 64-bit element of an AVX2 vector.
//!
//! A residue has nine limbs of 29 bits; vector i holds limb i of all four. Residues are in
//! Montgomery form with `R = 2^261`. The modulus q has 254 bits, so R exceeds 169 q and sums need
//! no reduction. Limbs of tight values are below `2^29`, limbs of loose values below `2^31`.
//!
//! A sum of products is reduced limb by limb. Every step but the last adds a multiple of
//! `q' = q * i`, where i is -1/q modulo `2^29`. Since q' is -1 modulo `2^29`, the multiple that
//! clears the lowest limb is that limb itself: the step does not wait for a multiplication. The
//! last step adds less than `q * 2^29`, the step before it less than `q' * 2^29`, and earlier steps
//! a negligible amount. After the division by R the result is below `sum / R + 2.001 q`.

mod columns;
mod vector;

use self::{
    columns::Columns,
    vector::{for_each, Element, LAST},
};
use super::{
    field::{PackedField, Task},
    limbs::{limbs, Limbs, EXTRA_BITS, LIMBS, LIMB_BITS},
    words::Words,
};

pub use self::vector::Avx2;

/// Residues in a vector.
const WIDTH: usize = 4;

impl<W: Words> Avx2<W> {
    /// Loads four numbers times `2^shift`. The products must be below R.
    #[inline(always)]
    fn load_shifted(self, rows: [&[u64; 4]; WIDTH], shift: usize) -> Element {
        let [a, b, c, d] = rows;
        let rows = [pulp::cast(*a), pulp::cast(*b), pulp::cast(*c), pulp::cast(*d)];
        let words = self.transpose(rows);
        let mut limbs = self.zeros();
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
}

impl<W: Words> PackedField<WIDTH> for Avx2<W> {
    type Field = W;
    type Element = Element;
    type Constant = Limbs;
    type Products = Columns;

    fn new() -> Option<Self> {
        Self::detect()
    }

    fn run<T: Task>(self, task: T) -> T::Output {
        self.enable(task)
    }

    fn constant(x: &W) -> Limbs {
        limbs(&Self::to_words(x), 0)
    }

    /// `x * R^2`: reduction divides the addend by R.
    fn addend(x: &W) -> Limbs {
        let ratio = W::from(1u64 << EXTRA_BITS);
        limbs((*x * W::TWO_TO_256 * ratio * ratio).words(), 0)
    }

    fn to_words(x: &W) -> [u64; 4] {
        *(0..EXTRA_BITS).fold(*x, |x, _| x.double()).words()
    }

    fn from_words(words: [u64; 4]) -> W {
        // Represents 2^-EXTRA_BITS in arkworks.
        let inverse_ratio = <W as Words>::from_words([0, 0, 0, 1 << (64 - EXTRA_BITS)]);
        W::reduced(words) * inverse_ratio
    }

    #[inline(always)]
    fn zero(self) -> Element {
        self.zeros()
    }

    #[inline(always)]
    fn broadcast(self, constant: &Limbs) -> Element {
        self.broadcast_limbs(constant)
    }

    #[inline(always)]
    fn load(self, words: [&[u64; 4]; WIDTH]) -> Element {
        self.load_shifted(words, 0)
    }

    #[inline(always)]
    fn load_fields(self, x: [&W; WIDTH]) -> Element {
        let [a, b, c, d] = x;
        self.load_shifted([a.words(), b.words(), c.words(), d.words()], EXTRA_BITS)
    }

    #[inline(always)]
    fn store(self, element: &Element) -> [[u64; 4]; WIDTH] {
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
    fn add(self, a: &Element, b: &Element) -> Element {
        self.add_limbs(a, b)
    }

    #[inline(always)]
    fn subtract(self, a: &Element, b: &Element) -> Element {
        self.subtract_limbs(a, b)
    }

    #[inline(always)]
    fn tighten(self, x: &Element) -> Element {
        Columns::new(*x).tight(self)
    }

    #[inline(always)]
    fn products<const N: usize>(self, pairs: [(&Element, &Element); N]) -> Columns {
        let mut columns = Columns::new(self.zeros());
        let mut pairs = pairs;
        for (_, b) in &mut pairs {
            *b = std::hint::black_box(*b);
        }
        // The black box keeps this loop rolled: unrolled, it spills columns to the stack.
        for row in 0..LAST {
            for (a, b) in pairs {
                columns.add_row(self, a[row], b);
            }
            columns.divide(self);
        }
        for (a, b) in pairs {
            columns.add_row(self, a[LAST], b);
        }
        columns.divide_last(self);
        columns
    }

    #[inline(always)]
    fn reduce(self, sum: Columns) -> Element {
        sum.tight(self)
    }

    #[inline(always)]
    fn reduce_minus(self, sum: Columns, c: &Element) -> Element {
        sum.subtract(self, c)
    }

    #[inline(always)]
    fn reduce_minus_two(self, sum: Columns, c: &Element, d: &Element) -> Element {
        sum.subtract_two(self, c, d)
    }

    #[inline(always)]
    fn affine<const K: usize, const N: usize>(
        self,
        addend: &Limbs,
        left: (&[Limbs; K], &[Element; K]),
        right: (&[Limbs; N], &[Element; N]),
    ) -> Element {
        let mut columns = Columns::new(self.broadcast_limbs(addend));
        for row in 0..LIMBS {
            for (coefficient, element) in left.0.iter().zip(left.1) {
                columns.add_row(self, self.splat(coefficient[row]), element);
            }
            for (coefficient, element) in right.0.iter().zip(right.1) {
                columns.add_row(self, self.splat(coefficient[row]), element);
            }
            if row < LAST {
                columns.divide(self);
            } else {
                columns.divide_last(self);
            }
        }
        columns.tight(self)
    }
}
