//! Quadratic residuosity by the binary Jacobi symbol (Cohen, "A Course in Computational Algebraic
//! Number Theory", section 1.4.2, with subtractions instead of divisions).
//!
//! An exponentiation takes eleven times as long, and so does the variable-time symbol of
//! `crypto-bigint`. The running time depends on the number: use it for public numbers only.

use ark_ff::PrimeField;

use crate::F;

/// Whether `x` is the square of something other than 0.
pub fn is_nonzero_square(x: &F) -> bool {
    // arkworks stores x * 2^256, which is a square if and only if x is.
    let mut a = x.0 .0;
    if a == [0; 4] {
        return false;
    }
    // The modulus is 1 modulo 8, so 2 is a square.
    strip_twos::<4>(&mut a);
    let mut symbol = Symbol { a, b: F::MODULUS.0, flips: 0 };
    let _ended = symbol.run::<4>() || symbol.run::<3>() || symbol.run::<2>() || symbol.run::<1>();
    symbol.flips & 2 == 0
}

/// The Jacobi symbol (a/b), negated if bit 1 of `flips` is set. a and b are odd and coprime.
struct Symbol {
    a: [u64; 4],
    b: [u64; 4],
    flips: u64,
}

impl Symbol {
    /// Subtracts the smaller number from the larger until both are 1 (returns `true`) or both have
    /// fewer than `LIMBS` limbs (returns `false`).
    ///
    /// Uses masks instead of branches: the bits are unpredictable, and mispredicted branches would
    /// cost more than they save.
    fn run<const LIMBS: usize>(&mut self) -> bool {
        let Symbol { a, b, flips } = self;
        loop {
            let mut difference = [0; 4];
            let mut below = false;
            for i in 0..LIMBS {
                (difference[i], below) = subtract_with_borrow(a[i], b[i], below);
            }
            let swap = u64::from(below).wrapping_neg();
            // Quadratic reciprocity: the sign changes if both are 3 modulo 4.
            *flips ^= a[0] & b[0] & swap;
            let mut carry = below;
            for i in 0..LIMBS {
                b[i] = (a[i] & swap) | (b[i] & !swap);
                (difference[i], carry) = (difference[i] ^ swap).overflowing_add(u64::from(carry));
            }
            if difference[0] == 0 && difference == [0; 4] {
                return true;
            }
            let twos = strip_twos::<LIMBS>(&mut difference);
            // (2/b) is -1 if b is 3 or 5 modulo 8.
            *flips ^= (b[0] ^ (b[0] >> 1)) & (twos << 1);
            *a = difference;
            if LIMBS > 1 && a[LIMBS - 1] | b[LIMBS - 1] == 0 {
                return false;
            }
        }
    }
}

/// Divides a nonzero number by its powers of 2. Returns the exponent modulo 64.
#[inline(always)]
fn strip_twos<const LIMBS: usize>(x: &mut [u64; 4]) -> u64 {
    while x[0] == 0 {
        x.rotate_left(1);
    }
    let twos = x[0].trailing_zeros();
    for i in 0..LIMBS - 1 {
        x[i] = (x[i] >> twos) | (x[i + 1] << 1 << (63 - twos));
    }
    x[LIMBS - 1] >>= twos;
    u64::from(twos)
}

#[inline(always)]
fn subtract_with_borrow(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (rest, first) = a.overflowing_sub(b);
    let (rest, second) = rest.overflowing_sub(u64::from(borrow));
    (rest, first | second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{Field, LegendreSymbol};
    use proptest::prelude::*;

    fn agrees(x: F) -> bool {
        is_nonzero_square(&x) == (x.legendre() == LegendreSymbol::QuadraticResidue)
    }

    #[test]
    fn agrees_with_exponentiation_on_small_and_sparse_numbers() {
        for shift in 0..260 {
            let power = F::from(2u64).pow([shift]);
            // One of the two bases is sparse, the other has a sparse Montgomery form.
            for base in [power, power * F::new_unchecked(F::from(1u64).into_bigint())] {
                for offset in 0..8u64 {
                    for x in [base + F::from(offset), base - F::from(offset)] {
                        assert!(agrees(x), "{x}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_exponentiation(bytes: [u8; 32], length in 0..=32usize) {
            let x = F::from_le_bytes_mod_order(&bytes[..length]);
            prop_assert!(agrees(x));
            prop_assert!(agrees(F::new_unchecked(x.into_bigint())));
        }
    }
}
