//! The interface of packed arithmetic.

use super::words::Words;

/// Arithmetic modulo q on vectors of `WIDTH` residues. A value of the type shows that the processor
/// has the instructions.
///
/// Residues are in Montgomery form: x is represented by `x * R mod q`, for an R that depends on the
/// implementation. The form need not be reduced below q.
///
/// # Operands
/// - A *tight* value is a result of any method but [`add`](PackedField::add) and
///   [`subtract`](PackedField::subtract).
/// - A *sum* is `add` of two tight values.
/// - A *loose* value is a sum, `add` of a sum and a tight value, or `subtract` of tight values.
///
/// Values from [`load_fields`](PackedField::load_fields) are tight, but only `add`,
/// [`multiply`](PackedField::multiply) and [`square`](PackedField::square) take them.
pub trait PackedField<const WIDTH: usize>: Copy + Send + Sync + 'static {
    /// The field of the residues.
    type Field: Words;
    /// `WIDTH` residues.
    type Element: Copy;
    /// A residue known in advance, the same in each vector element.
    type Constant;
    /// A sum of products that is not fully reduced.
    type Products: Copy;

    /// `None` if the processor lacks the instructions.
    fn new() -> Option<Self>;

    /// Runs a task with the instructions enabled.
    ///
    /// Everything that the task calls must be inlined. Code that is not inlined is compiled without
    /// the instructions and is about ten times slower. Closures that touch packed values are not
    /// inlined reliably.
    fn run<T: Task>(self, task: T) -> T::Output;

    /// The constant of a field element.
    fn constant(x: &Self::Field) -> Self::Constant;

    /// The constant of a field element as addend of [`affine`](PackedField::affine).
    fn addend(x: &Self::Field) -> Self::Constant;

    /// `x * R`, below q.
    fn to_words(x: &Self::Field) -> [u64; 4];

    /// The x of `words = x * R`. The words need not be reduced.
    fn from_words(words: [u64; 4]) -> Self::Field;

    /// 0 in each vector element.
    fn zero(self) -> Self::Element;

    /// A constant in each vector element.
    fn broadcast(self, constant: &Self::Constant) -> Self::Element;

    /// Loads numbers `x * R`, below 2 q.
    fn load(self, words: [&[u64; 4]; WIDTH]) -> Self::Element;

    /// Loads field elements.
    fn load_fields(self, x: [&Self::Field; WIDTH]) -> Self::Element;

    /// Stores numbers `x * R`, in the form that [`load`](PackedField::load) takes. The value is
    /// tight and below `2^256`. Results of [`reduce_minus`](PackedField::reduce_minus) and
    /// [`reduce_minus_two`](PackedField::reduce_minus_two) are below 2 q.
    fn store(self, x: &Self::Element) -> [[u64; 4]; WIDTH];

    /// `a + b`. Both are tight, or one is a sum and neither comes from `load_fields`.
    fn add(self, a: &Self::Element, b: &Self::Element) -> Self::Element;

    /// `a - b` of tight values.
    fn subtract(self, a: &Self::Element, b: &Self::Element) -> Self::Element;

    /// Makes a loose value tight.
    fn tighten(self, x: &Self::Element) -> Self::Element;

    /// `a * b`. Both are sums or tight, or one is loose and the other tight.
    #[inline(always)]
    fn multiply(self, a: &Self::Element, b: &Self::Element) -> Self::Element {
        self.reduce(self.products([(a, b)]))
    }

    /// `x * x` of a sum or a tight value.
    #[inline(always)]
    fn square(self, x: &Self::Element) -> Self::Element {
        self.multiply(x, x)
    }

    /// `sum of a * b` over at most 3 pairs. The operands of a single pair are those of
    /// [`multiply`](PackedField::multiply). Several pairs consist of tight values, except that one
    /// factor of one pair may be loose.
    fn products<const N: usize>(
        self,
        pairs: [(&Self::Element, &Self::Element); N],
    ) -> Self::Products;

    /// The sum.
    fn reduce(self, sum: Self::Products) -> Self::Element;

    /// `sum - c`, for tight c below 3.5 q.
    fn reduce_minus(self, sum: Self::Products, c: &Self::Element) -> Self::Element;

    /// `sum - c - d`, for tight c and d whose sum is below 3.5 q.
    fn reduce_minus_two(
        self,
        sum: Self::Products,
        c: &Self::Element,
        d: &Self::Element,
    ) -> Self::Element;

    /// `addend + sum of coefficient * element` over both lists, of tight values. There are two
    /// lists because the length of an array cannot be a sum of constants.
    fn affine<const K: usize, const N: usize>(
        self,
        addend: &Self::Constant,
        left: (&[Self::Constant; K], &[Self::Element; K]),
        right: (&[Self::Constant; N], &[Self::Element; N]),
    ) -> Self::Element;
}

/// Work for [`PackedField::run`]. A closure would not be inlined reliably.
pub trait Task {
    /// The result.
    type Output;

    /// Does the work. Implementations are `#[inline(always)]`.
    fn run(self) -> Self::Output;
}
