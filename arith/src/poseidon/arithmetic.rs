//! What the permutation needs of numbers.

/// Arithmetic modulo the field's modulus on representatives that need not be the smallest.
///
/// [`run`](super::schedule::run) adds only what [`Arithmetic::multiply`] or [`Arithmetic::form`]
/// gave, or an input and a constant, and never a sum to another number.
pub(super) trait Arithmetic: Copy {
    /// One or several field elements.
    type Element: Copy;
    /// A field element known in advance.
    type Constant;

    fn zero(self) -> Self::Element;
    fn number(self, constant: &Self::Constant) -> Self::Element;
    fn add(self, a: Self::Element, b: Self::Element) -> Self::Element;
    fn square(self, x: Self::Element) -> Self::Element;
    fn multiply(self, a: Self::Element, b: Self::Element) -> Self::Element;

    /// `addend + sum of coefficient * element` over both lists, which are apart only because the
    /// length of an array cannot be a sum. The addend is represented like a product of two numbers.
    fn form<const K: usize, const N: usize>(
        self,
        addend: &Self::Constant,
        left: (&[Self::Constant; K], &[Self::Element; K]),
        right: (&[Self::Constant; N], &[Self::Element; N]),
    ) -> Self::Element;
}
