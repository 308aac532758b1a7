//! One permutation at a time, with numbers that are reduced only as far as necessary.
//!
//! Let `r` be the modulus and `R = 2^256`, which is 5.29 r. A number stands for itself divided by R
//! (Montgomery, as in arkworks). Every [`Element`] is below 2 r. A [`Wide`] sum of products is
//! divided by R, to below `sum / R + r`:
//!
//! - one product is below 4 r^2, which gives less than 1.76 r;
//! - seven products of an element and a constant are below 14 r^2 and give less than 3.65 r, so
//!   that 2 r is subtracted at most once.

use ark_ff::{BigInt, PrimeField};

use super::arithmetic::Arithmetic;
use crate::{packed::difference, F};

const MODULUS: [u64; 4] = F::MODULUS.0;
const TWICE_THE_MODULUS: [u64; 4] = double(MODULUS);
/// `-1 / r` modulo 2^64.
const NEGATED_INVERSE: u64 = F::INV;
/// How many products of an element and a constant are reduced together.
const PRODUCTS: usize = 7;

/// A number below 2 r.
#[derive(Clone, Copy)]
pub(super) struct Element([u64; 4]);

impl Element {
    #[inline(always)]
    pub(super) fn new(x: &F) -> Element {
        Element(x.0 .0)
    }

    #[inline(always)]
    pub(super) fn to_field(self) -> F {
        F::new_unchecked(BigInt(subtract_if_not_below(self.0, &MODULUS)))
    }
}

/// The addend of a form: `x * R`, since reduction divides by R.
pub(super) fn addend(x: &F) -> F {
    *x * F::new_unchecked(F::R2)
}

/// Arithmetic on single elements.
#[derive(Clone, Copy)]
pub(super) struct Scalar;

impl Arithmetic for Scalar {
    type Element = Element;
    type Constant = F;

    #[inline(always)]
    fn zero(self) -> Element {
        Element([0; 4])
    }

    #[inline(always)]
    fn number(self, constant: &F) -> Element {
        Element::new(constant)
    }

    #[inline(always)]
    fn add(self, a: Element, b: Element) -> Element {
        let mut sum = [0; 4];
        let mut carry = false;
        for (limb, (a, b)) in sum.iter_mut().zip(a.0.iter().zip(&b.0)) {
            (*limb, carry) = add_with_carry(*a, *b, carry);
        }
        Element(subtract_if_not_below(sum, &TWICE_THE_MODULUS))
    }

    #[inline(always)]
    fn square(self, x: Element) -> Element {
        Element(Wide::square(&x.0).reduce())
    }

    #[inline(always)]
    fn multiply(self, a: Element, b: Element) -> Element {
        let mut product = Wide([0; 8]);
        product.add_product(&a.0, &b.0);
        Element(product.reduce())
    }

    #[inline(always)]
    fn form<const K: usize, const N: usize>(
        self,
        addend: &F,
        left: (&[F; K], &[Element; K]),
        right: (&[F; N], &[Element; N]),
    ) -> Element {
        let mut sum = Sum { total: self.zero(), open: Wide::new(addend), products: 0 };
        for (coefficient, element) in left.0.iter().zip(left.1) {
            sum.add_product(coefficient, element);
        }
        for (coefficient, element) in right.0.iter().zip(right.1) {
            sum.add_product(coefficient, element);
        }
        let rest = sum.open.reduce_below_twice();
        if K + N > PRODUCTS {
            self.add(sum.total, rest)
        } else {
            rest
        }
    }
}

/// A sum of any number of products.
struct Sum {
    total: Element,
    open: Wide,
    /// How many are in the open sum.
    products: usize,
}

impl Sum {
    #[inline(always)]
    fn add_product(&mut self, coefficient: &F, element: &Element) {
        if self.products == PRODUCTS {
            self.total = Scalar.add(self.total, self.open.reduce_below_twice());
            self.open = Wide([0; 8]);
            self.products = 0;
        }
        self.open.add_product(&coefficient.0 .0, &element.0);
        self.products += 1;
    }
}

/// A sum of products that is not reduced, below 2^512.
struct Wide([u64; 8]);

impl Wide {
    #[inline(always)]
    fn new(addend: &F) -> Wide {
        let [a, b, c, d] = addend.0 .0;
        Wide([a, b, c, d, 0, 0, 0, 0])
    }

    #[inline(always)]
    fn add_product(&mut self, a: &[u64; 4], b: &[u64; 4]) {
        let sum = &mut self.0;
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
    fn square(x: &[u64; 4]) -> Wide {
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
        Wide(product)
    }

    /// The quotient by R, below `self / R + r`.
    #[inline(always)]
    fn reduce(&self) -> [u64; 4] {
        let mut sum = self.0;
        let mut carried = false;
        for i in 0..4 {
            let factor = sum[i].wrapping_mul(NEGATED_INVERSE);
            let (_, mut carry) = multiply_add(sum[i], factor, MODULUS[0], 0);
            for j in 1..4 {
                (sum[i + j], carry) = multiply_add(sum[i + j], factor, MODULUS[j], carry);
            }
            (sum[i + 4], carried) = add_with_carry(sum[i + 4], carry, carried);
        }
        [sum[4], sum[5], sum[6], sum[7]]
    }

    #[inline(always)]
    fn reduce_below_twice(&self) -> Element {
        Element(subtract_if_not_below(self.reduce(), &TWICE_THE_MODULUS))
    }
}

const fn double(x: [u64; 4]) -> [u64; 4] {
    [x[0] << 1, (x[1] << 1) | (x[0] >> 63), (x[2] << 1) | (x[1] >> 63), (x[3] << 1) | (x[2] >> 63)]
}

/// Low and high half of `addend + a * b + carry`.
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
