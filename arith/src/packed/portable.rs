//! [`PackedField`] with one residue, in portable code.
//!
//! Residues are in Montgomery form with `R = 2^256`, as in arkworks. R is 5.29 q. Every [`Element`]
//! is below 2 q. A [`Wide`] sum of products is divided by R, to below `sum / R + q`:
//!
//! - a product is below 4 q^2 and becomes less than 1.76 q;
//! - three products are below 12 q^2 and become less than 3.27 q;
//! - seven products of an element and a constant are below 14 q^2 and become less than 3.65 q.
//!
//! One subtraction of 2 q is enough in each case.

use std::marker::PhantomData;

use super::{
    field::{PackedField, Task},
    words::{difference, Words},
};

/// The most products of an element and a constant that are reduced together.
const PRODUCTS: usize = 7;

/// Arithmetic modulo the modulus of `W`.
#[derive(Debug)]
pub struct Portable<W>(PhantomData<W>);

// Derived implementations would require W to be Copy.
impl<W> Clone for Portable<W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for Portable<W> {}

/// A number below 2 q.
#[derive(Clone, Copy, Debug)]
pub struct Element([u64; 4]);

impl<W: Words> Portable<W> {
    /// The arithmetic, which every processor has.
    pub const fn available() -> Self {
        const { assert!(W::MODULUS_WORDS[3] >> 60 == 3, "the bounds are those of 254 bits") };
        Self(PhantomData)
    }

    /// The residue of a field element.
    #[inline(always)]
    pub fn element(self, x: &W) -> Element {
        Element(*x.words())
    }

    /// The field element of a residue.
    #[inline(always)]
    pub fn field_element(self, x: Element) -> W {
        W::from_words(subtract_if_not_below(x.0, &W::MODULUS_WORDS))
    }
}

impl<W: Words> PackedField<1> for Portable<W> {
    type Field = W;
    type Element = Element;
    type Constant = W;
    type Products = Element;

    fn new() -> Option<Self> {
        Some(Self::available())
    }

    fn run<T: Task>(self, task: T) -> T::Output {
        task.run()
    }

    fn constant(x: &W) -> W {
        *x
    }

    /// `x * R^2`: reduction divides the addend by R.
    fn addend(x: &W) -> W {
        *x * W::TWO_TO_256
    }

    fn to_words(x: &W) -> [u64; 4] {
        *x.words()
    }

    fn from_words(words: [u64; 4]) -> W {
        W::reduced(words)
    }

    #[inline(always)]
    fn zero(self) -> Element {
        Element([0; 4])
    }

    #[inline(always)]
    fn broadcast(self, constant: &W) -> Element {
        self.element(constant)
    }

    #[inline(always)]
    fn load(self, [words]: [&[u64; 4]; 1]) -> Element {
        Element(*words)
    }

    #[inline(always)]
    fn load_fields(self, [x]: [&W; 1]) -> Element {
        self.element(x)
    }

    #[inline(always)]
    fn store(self, x: &Element) -> [[u64; 4]; 1] {
        [x.0]
    }

    #[inline(always)]
    fn add(self, a: &Element, b: &Element) -> Element {
        let mut sum = [0; 4];
        let mut carry = false;
        for (limb, (a, b)) in sum.iter_mut().zip(a.0.iter().zip(&b.0)) {
            (*limb, carry) = add_with_carry(*a, *b, carry);
        }
        Element(subtract_if_not_below(sum, &W::TWICE_THE_MODULUS))
    }

    #[inline(always)]
    fn subtract(self, a: &Element, b: &Element) -> Element {
        self.add(a, &Element(W::negate_words(&b.0)))
    }

    #[inline(always)]
    fn tighten(self, x: &Element) -> Element {
        *x
    }

    #[inline(always)]
    fn multiply(self, a: &Element, b: &Element) -> Element {
        let mut product = Wide::<W>::new([0; 4]);
        product.add_product(&a.0, &b.0);
        Element(product.reduce())
    }

    #[inline(always)]
    fn square(self, x: &Element) -> Element {
        Element(Wide::<W>::square(&x.0).reduce())
    }

    #[inline(always)]
    fn products<const N: usize>(self, pairs: [(&Element, &Element); N]) -> Element {
        const { assert!(N <= 3, "the bounds are those of 3 products") };
        let mut sum = Wide::<W>::new([0; 4]);
        for (a, b) in pairs {
            sum.add_product(&a.0, &b.0);
        }
        sum.reduce_below_twice()
    }

    #[inline(always)]
    fn reduce(self, sum: Element) -> Element {
        sum
    }

    #[inline(always)]
    fn reduce_minus(self, sum: Element, c: &Element) -> Element {
        self.subtract(&sum, c)
    }

    #[inline(always)]
    fn reduce_minus_two(self, sum: Element, c: &Element, d: &Element) -> Element {
        self.subtract(&self.subtract(&sum, c), d)
    }

    #[inline(always)]
    fn affine<const K: usize, const N: usize>(
        self,
        addend: &W,
        left: (&[W; K], &[Element; K]),
        right: (&[W; N], &[Element; N]),
    ) -> Element {
        let mut sum = Sum { reduced: self.zero(), open: Wide::new(*addend.words()), products: 0 };
        for (coefficient, element) in left.0.iter().zip(left.1) {
            sum.add_product(self, coefficient, element);
        }
        for (coefficient, element) in right.0.iter().zip(right.1) {
            sum.add_product(self, coefficient, element);
        }
        let rest = sum.open.reduce_below_twice();
        if K + N > PRODUCTS {
            self.add(&sum.reduced, &rest)
        } else {
            rest
        }
    }
}

/// A sum of any number of products.
struct Sum<W> {
    /// The sum of the products that are reduced.
    reduced: Element,
    /// The sum of the other products.
    open: Wide<W>,
    /// Number of products in `open`.
    products: usize,
}

impl<W: Words> Sum<W> {
    #[inline(always)]
    fn add_product(&mut self, field: Portable<W>, coefficient: &W, element: &Element) {
        if self.products == PRODUCTS {
            self.reduced = field.add(&self.reduced, &self.open.reduce_below_twice());
            self.open = Wide::new([0; 4]);
            self.products = 0;
        }
        self.open.add_product(coefficient.words(), &element.0);
        self.products += 1;
    }
}

/// A sum of products that is not reduced, below 2^512.
struct Wide<W> {
    limbs: [u64; 8],
    field: PhantomData<W>,
}

impl<W: Words> Wide<W> {
    #[inline(always)]
    fn new([a, b, c, d]: [u64; 4]) -> Self {
        Self { limbs: [a, b, c, d, 0, 0, 0, 0], field: PhantomData }
    }

    #[inline(always)]
    fn add_product(&mut self, a: &[u64; 4], b: &[u64; 4]) {
        let sum = &mut self.limbs;
        let mut carried = false;
        for i in 0..4 {
            let mut carry = 0;
            for j in 0..4 {
                (sum[i + j], carry) = multiply_add(sum[i + j], a[i], b[j], carry);
            }
            (sum[i + 4], carried) = add_with_carry(sum[i + 4], carry, carried);
        }
    }

    #[inline(always)]
    fn square(x: &[u64; 4]) -> Self {
        let mut product = [0; 8];
        let mut carry;
        (product[1], carry) = multiply_add(0, x[0], x[1], 0);
        (product[2], carry) = multiply_add(0, x[0], x[2], carry);
        (product[3], product[4]) = multiply_add(0, x[0], x[3], carry);
        (product[3], carry) = multiply_add(product[3], x[1], x[2], 0);
        (product[4], product[5]) = multiply_add(product[4], x[1], x[3], carry);
        (product[5], product[6]) = multiply_add(product[5], x[2], x[3], 0);
        for i in (1..8).rev() {
            product[i] = (product[i] << 1) | (product[i - 1] >> 63);
        }
        let mut carried = false;
        for i in 0..4 {
            let (low, high) = multiply_add(0, x[i], x[i], 0);
            (product[2 * i], carried) = add_with_carry(product[2 * i], low, carried);
            (product[2 * i + 1], carried) = add_with_carry(product[2 * i + 1], high, carried);
        }
        Self { limbs: product, field: PhantomData }
    }

    /// `sum / R`, below `sum / R + q`.
    #[inline(always)]
    fn reduce(&self) -> [u64; 4] {
        let mut sum = self.limbs;
        let mut carried = false;
        for i in 0..4 {
            let factor = sum[i].wrapping_mul(W::NEGATED_INVERSE);
            let (_, mut carry) = multiply_add(sum[i], factor, W::MODULUS_WORDS[0], 0);
            for j in 1..4 {
                (sum[i + j], carry) = multiply_add(sum[i + j], factor, W::MODULUS_WORDS[j], carry);
            }
            (sum[i + 4], carried) = add_with_carry(sum[i + 4], carry, carried);
        }
        [sum[4], sum[5], sum[6], sum[7]]
    }

    #[inline(always)]
    fn reduce_below_twice(&self) -> Element {
        Element(subtract_if_not_below(self.reduce(), &W::TWICE_THE_MODULUS))
    }
}

/// The low and the high half of `addend + a * b + carry`.
#[inline(always)]
fn multiply_add(addend: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    let sum = u128::from(addend) + u128::from(a) * u128::from(b) + u128::from(carry);
    (sum as u64, (sum >> 64) as u64)
}

#[inline(always)]
fn add_with_carry(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(u64::from(carry));
    (sum, first | second)
}

/// `x - bound`, or x if that is below.
#[inline(always)]
fn subtract_if_not_below(x: [u64; 4], bound: &[u64; 4]) -> [u64; 4] {
    difference(x, bound).unwrap_or(x)
}
