//! Numbers in limbs of 29 bits, for processors that multiply 32 by 32 bits.

/// Limbs of a number.
pub(super) const LIMBS: usize = 9;
/// Bits of a limb.
pub(super) const LIMB_BITS: usize = 29;
/// The largest limb.
pub(super) const MASK: u64 = (1 << LIMB_BITS) - 1;
/// Packed residues are in Montgomery form with `R = 2^261`; arkworks uses `2^256`. This is the log2
/// of the ratio.
pub(super) const EXTRA_BITS: usize = LIMBS * LIMB_BITS - 256;

/// A number in limbs, the least significant first.
pub(super) type Limbs = [u64; LIMBS];

/// The limbs of `x * 2^shift`, which must be below R. The shift is below 64.
pub(super) const fn limbs(x: &[u64; 4], shift: usize) -> Limbs {
    let mut words = [0; 6];
    let mut i = 0;
    while i < 4 {
        words[i] |= x[i] << shift;
        words[i + 1] = x[i] >> 1 >> (63 - shift);
        i += 1;
    }
    let mut limbs = [0; LIMBS];
    let mut i = 0;
    while i < LIMBS {
        let (word, bit) = (i * LIMB_BITS / 64, i * LIMB_BITS % 64);
        limbs[i] = ((words[word] >> bit) | (words[word + 1] << 1 << (63 - bit))) & MASK;
        i += 1;
    }
    limbs
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fq;
    use ark_ff::{BigInt, PrimeField, UniformRand};
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::{super::words::Words, limbs, EXTRA_BITS, LIMB_BITS};

    #[test]
    fn limbs_represent_the_shifted_number() {
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        let x = Fq::rand(rng);
        for shift in [0, 1, EXTRA_BITS] {
            let value = limbs(x.words(), shift)
                .iter()
                .rev()
                .fold(Fq::from(0), |sum, limb| sum * Fq::from(1u64 << LIMB_BITS) + Fq::from(*limb));
            let words = Fq::from_bigint(BigInt(*x.words())).expect("words are reduced");
            assert_eq!(value, words * Fq::from(1u64 << shift));
        }
    }
}
