//! Packed arithmetic on the coordinates of points.

use ark_bn254::{Fq, Fq2};
use ark_ff::Field;

use crate::packed::{PackedField, Task, Words};

/// Packed arithmetic on coordinates.
pub(super) trait Coordinates<const WIDTH: usize>: Copy + Send + Sync + 'static {
    type Field: Field;
    /// A coordinate in memory: `x * R`, below 2 q, for each prime-field component.
    type Words: Copy + PartialEq + Send + Sync;
    /// `WIDTH` coordinates in registers.
    type Element: Copy;
    const ZERO: Self::Words;

    /// `None` if the processor lacks the instructions.
    fn new() -> Option<Self>;
    fn run<T: Task>(self, task: T) -> T::Output;
    fn words(self, x: &Self::Field) -> Self::Words;
    fn field(self, words: &Self::Words) -> Self::Field;
    /// `2 q - words`.
    fn negate(self, words: &Self::Words) -> Self::Words;
    fn load(self, words: [&Self::Words; WIDTH]) -> Self::Element;
    fn store(self, element: &Self::Element) -> [Self::Words; WIDTH];
    /// `a - b` of loaded or stored values.
    fn subtract(self, a: &Self::Element, b: &Self::Element) -> Self::Element;
    /// `2 * x` of a loaded value.
    fn double(self, x: &Self::Element) -> Self::Element;
    /// `3 * x * x` of a loaded value.
    fn thrice_the_square(self, x: &Self::Element) -> Self::Element;
    /// `a * b`, for a product or loaded value a and a result b of any method.
    fn multiply(self, a: &Self::Element, b: &Self::Element) -> Self::Element;
    /// `a * b - c`, for loaded c, with a and b as in `multiply`.
    fn multiply_subtract(
        self,
        a: &Self::Element,
        b: &Self::Element,
        c: &Self::Element,
    ) -> Self::Element;
    /// `a * b - c - d`, for loaded c and d, whose words together are below 3.5 q.
    fn multiply_subtract_two(
        self,
        a: &Self::Element,
        b: &Self::Element,
        c: &Self::Element,
        d: &Self::Element,
    ) -> Self::Element;
}

/// Coordinates in a prime field.
#[derive(Clone, Copy)]
pub(super) struct Prime<P>(P);

impl<P: PackedField<WIDTH>, const WIDTH: usize> Coordinates<WIDTH> for Prime<P> {
    type Field = P::Field;
    type Words = [u64; 4];
    type Element = P::Element;
    const ZERO: [u64; 4] = [0; 4];

    fn new() -> Option<Self> {
        P::new().map(Self)
    }

    fn run<T: Task>(self, task: T) -> T::Output {
        self.0.run(task)
    }

    fn words(self, x: &P::Field) -> [u64; 4] {
        P::to_words(x)
    }

    fn field(self, words: &[u64; 4]) -> P::Field {
        P::from_words(*words)
    }

    #[inline(always)]
    fn negate(self, words: &[u64; 4]) -> [u64; 4] {
        P::Field::negate_words(words)
    }

    #[inline(always)]
    fn load(self, words: [&[u64; 4]; WIDTH]) -> P::Element {
        self.0.load(words)
    }

    #[inline(always)]
    fn store(self, element: &P::Element) -> [[u64; 4]; WIDTH] {
        self.0.store(element)
    }

    #[inline(always)]
    fn subtract(self, a: &P::Element, b: &P::Element) -> P::Element {
        self.0.subtract(a, b)
    }

    #[inline(always)]
    fn double(self, x: &P::Element) -> P::Element {
        self.0.add(x, x)
    }

    #[inline(always)]
    fn thrice_the_square(self, x: &P::Element) -> P::Element {
        let square = self.0.multiply(x, x);
        self.0.add(&self.0.add(&square, &square), &square)
    }

    #[inline(always)]
    fn multiply(self, a: &P::Element, b: &P::Element) -> P::Element {
        self.0.multiply(a, b)
    }

    #[inline(always)]
    fn multiply_subtract(self, a: &P::Element, b: &P::Element, c: &P::Element) -> P::Element {
        self.0.reduce_minus(self.0.products([(a, b)]), c)
    }

    #[inline(always)]
    fn multiply_subtract_two(
        self,
        a: &P::Element,
        b: &P::Element,
        c: &P::Element,
        d: &P::Element,
    ) -> P::Element {
        self.0.reduce_minus_two(self.0.products([(a, b)]), c, d)
    }
}

/// Coordinates `c0 + c1 u` in the quadratic extension with `u^2 = -1`.
#[derive(Clone, Copy)]
pub(super) struct Quadratic<P>(P);

impl<P> Quadratic<P> {
    /// The components of `a * b`.
    #[inline(always)]
    fn product<const WIDTH: usize>(
        self,
        a: &[P::Element; 2],
        b: &[P::Element; 2],
    ) -> [P::Products; 2]
    where
        P: PackedField<WIDTH>,
    {
        let field = self.0;
        let minus_a1 = field.subtract(&field.zero(), &a[1]);
        [
            field.products([(&a[0], &b[0]), (&minus_a1, &b[1])]),
            field.products([(&a[0], &b[1]), (&a[1], &b[0])]),
        ]
    }
}

impl<P: PackedField<WIDTH, Field = Fq>, const WIDTH: usize> Coordinates<WIDTH> for Quadratic<P> {
    type Field = Fq2;
    type Words = [[u64; 4]; 2];
    type Element = [P::Element; 2];
    const ZERO: Self::Words = [[0; 4]; 2];

    fn new() -> Option<Self> {
        P::new().map(Self)
    }

    fn run<T: Task>(self, task: T) -> T::Output {
        self.0.run(task)
    }

    fn words(self, x: &Fq2) -> Self::Words {
        [P::to_words(&x.c0), P::to_words(&x.c1)]
    }

    fn field(self, words: &Self::Words) -> Fq2 {
        Fq2::new(P::from_words(words[0]), P::from_words(words[1]))
    }

    #[inline(always)]
    fn negate(self, words: &Self::Words) -> Self::Words {
        [Fq::negate_words(&words[0]), Fq::negate_words(&words[1])]
    }

    #[inline(always)]
    fn load(self, words: [&Self::Words; WIDTH]) -> Self::Element {
        [self.0.load(words.map(|words| &words[0])), self.0.load(words.map(|words| &words[1]))]
    }

    #[inline(always)]
    fn store(self, element: &Self::Element) -> [Self::Words; WIDTH] {
        let (c0, c1) = (self.0.store(&element[0]), self.0.store(&element[1]));
        let mut words = [Self::ZERO; WIDTH];
        for (i, words) in words.iter_mut().enumerate() {
            *words = [c0[i], c1[i]];
        }
        words
    }

    #[inline(always)]
    fn subtract(self, a: &Self::Element, b: &Self::Element) -> Self::Element {
        let field = self.0;
        [field.tighten(&field.subtract(&a[0], &b[0])), field.tighten(&field.subtract(&a[1], &b[1]))]
    }

    #[inline(always)]
    fn double(self, x: &Self::Element) -> Self::Element {
        let field = self.0;
        [field.tighten(&field.add(&x[0], &x[0])), field.tighten(&field.add(&x[1], &x[1]))]
    }

    #[inline(always)]
    fn thrice_the_square(self, x: &Self::Element) -> Self::Element {
        let field = self.0;
        let [first, second] = self.multiply(x, x);
        let (twice, twice_u) = (field.add(&first, &first), field.add(&second, &second));
        [field.tighten(&field.add(&twice, &first)), field.tighten(&field.add(&twice_u, &second))]
    }

    #[inline(always)]
    fn multiply(self, a: &Self::Element, b: &Self::Element) -> Self::Element {
        let [first, second] = self.product(a, b);
        [self.0.reduce(first), self.0.reduce(second)]
    }

    #[inline(always)]
    fn multiply_subtract(
        self,
        a: &Self::Element,
        b: &Self::Element,
        c: &Self::Element,
    ) -> Self::Element {
        let [first, second] = self.product(a, b);
        [self.0.reduce_minus(first, &c[0]), self.0.reduce_minus(second, &c[1])]
    }

    #[inline(always)]
    fn multiply_subtract_two(
        self,
        a: &Self::Element,
        b: &Self::Element,
        c: &Self::Element,
        d: &Self::Element,
    ) -> Self::Element {
        let [first, second] = self.product(a, b);
        [
            self.0.reduce_minus_two(first, &c[0], &d[0]),
            self.0.reduce_minus_two(second, &c[1], &d[1]),
        ]
    }
}
