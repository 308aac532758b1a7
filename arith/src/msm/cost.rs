//! The cost of a sum, in field multiplications, and the window width that minimises it.

use ark_ff::PrimeField;

use super::digits::MAX_BITS;

/// Multiplications for one addition to a bucket, with its share of the inversion.
const ADDITION: usize = 7;
/// Multiplications for one bucket when the buckets of a window are summed.
const BUCKET: usize = 17;

/// Number of threads that share the work.
pub fn threads() -> usize {
    #[cfg(feature = "parallel")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "parallel"))]
    return 1;
}

/// Number of windows of this width that hold half the modulus and the carry.
pub fn windows<P: PrimeField>(bits: usize) -> usize {
    (P::MODULUS_BIT_SIZE as usize).div_ceil(bits)
}

/// The best width if each window has its own buckets, for this many full-size scalars.
pub fn separate_window_bits<P: PrimeField>(scalars: usize) -> usize {
    // A thread computes whole windows.
    let cost = |bits: usize| {
        windows::<P>(bits).div_ceil(threads()) * (scalars * ADDITION + (BUCKET << (bits - 1)))
    };
    cheapest(cost)
}

/// The best width if all windows share one set of buckets, for this many full-size scalars.
pub fn shared_window_bits<P: PrimeField>(scalars: usize) -> usize {
    let cost =
        |bits: usize| scalars * windows::<P>(bits) * ADDITION / threads() + (BUCKET << (bits - 1));
    cheapest(cost)
}

fn cheapest(cost: impl Fn(usize) -> usize) -> usize {
    (2..=MAX_BITS).min_by_key(|bits| cost(*bits)).unwrap_or(2)
}
