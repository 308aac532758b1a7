//! Scalars as signed digits, window by window.

use ark_ff::{BigInteger, PrimeField};
use ark_std::{cfg_into_iter, cfg_iter};
#[cfg(feature = "parallel")]
use rayon::prelude::*;

/// The widest window. Its buckets take 2 MiB.
pub const MAX_BITS: usize = 16;

/// A scalar as sign and magnitude, the magnitude at most half the modulus.
#[derive(Clone, Copy)]
pub struct Signed<B> {
    negative: bool,
    pub magnitude: B,
}

impl<B: BigInteger> Signed<B> {
    /// The signed representative of a scalar.
    pub fn of<P: PrimeField<BigInt = B>>(scalar: P) -> Self {
        let magnitude = scalar.into_bigint();
        if magnitude <= P::MODULUS_MINUS_ONE_DIV_TWO {
            return Self { negative: false, magnitude };
        }
        let mut negated = P::MODULUS;
        negated.sub_with_borrow(&magnitude);
        Self { negative: true, magnitude: negated }
    }
}

/// The digits of many scalars, each in `-2^(bits-1)..=2^(bits-1)`.
pub struct Digits {
    bits: usize,
    /// The digits of window 0, then those of window 1, and so on.
    digits: Vec<Vec<i32>>,
}

impl Digits {
    /// Recodes the scalars into as many windows of `bits` bits as the longest one needs.
    pub fn new<P: PrimeField>(scalars: &[Signed<P::BigInt>], bits: usize) -> Self {
        let longest = cfg_iter!(scalars).map(|s| s.magnitude.num_bits()).max().unwrap_or(0);
        // A digit above half the window becomes negative and carries into the next window.
        let windows = (longest as usize + 1).div_ceil(bits);
        let digits = cfg_into_iter!(0..windows)
            .map(|window| scalars.iter().map(|s| digit(s, window, bits)).collect())
            .collect();
        Self { bits, digits }
    }

    /// Width of a window.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// Number of windows.
    pub fn windows(&self) -> usize {
        self.digits.len()
    }

    /// The digits of one window, one for each scalar.
    pub fn of_window(&self, window: usize) -> &[i32] {
        &self.digits[window]
    }
}

/// The signed digit of one window.
///
/// Let `h` be the highest bit of a window. The digit is `value + carry - 2^bits * h`, where the carry
/// is `h` of the window below. So a digit depends on its window and the next lower bit only.
fn digit<B: BigInteger>(scalar: &Signed<B>, window: usize, bits: usize) -> i32 {
    let value = window_value(&scalar.magnitude, window * bits, bits) as i32;
    let high = value >> (bits - 1);
    let carry = match window {
        0 => 0,
        _ => window_value(&scalar.magnitude, window * bits - 1, 1) as i32,
    };
    let digit = value + carry - (high << bits);
    if scalar.negative {
        -digit
    } else {
        digit
    }
}

/// The bits `from..from + len` of a number; bits past its end are 0. `len` is below 64.
fn window_value<B: BigInteger>(number: &B, from: usize, len: usize) -> u64 {
    let limbs = number.as_ref();
    let (limb, shift) = (from / 64, from % 64);
    let Some(low) = limbs.get(limb) else { return 0 };
    let mut value = low >> shift;
    if shift + len > 64 {
        let high = limbs.get(limb + 1).copied().unwrap_or(0);
        value |= high << (64 - shift);
    }
    value & ((1 << len) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::Fr;
    use ark_ff::{AdditiveGroup, UniformRand};
    use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};

    #[test]
    fn digits_add_up_to_the_scalar() {
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        let mut scalars: Vec<Fr> = (0..50).map(|_| Fr::rand(rng)).collect();
        scalars.extend([Fr::ZERO, Fr::from(1), -Fr::from(1), Fr::from(u64::MAX)]);
        let signed: Vec<_> = scalars.iter().map(|s| Signed::of(*s)).collect();
        for bits in 2..=MAX_BITS {
            let digits = Digits::new::<Fr>(&signed, bits);
            for (i, scalar) in scalars.iter().enumerate() {
                let sum = (0..digits.windows()).rev().fold(Fr::ZERO, |sum, window| {
                    let digit = digits.of_window(window)[i];
                    assert!(digit.unsigned_abs() <= 1 << (bits - 1));
                    let shifted = (0..bits).fold(sum, |sum, _| sum + sum);
                    shifted + Fr::from(digit)
                });
                assert_eq!(sum, *scalar);
            }
        }
    }
}
