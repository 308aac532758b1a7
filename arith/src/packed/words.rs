//! Field elements as four words.

use ark_ff::{BigInt, Fp, MontBackend, MontConfig, PrimeField};

/// A prime field whose elements are four 64-bit words. arkworks represents x by
/// `x * 2^256 mod q`.
pub trait Words: PrimeField {
    /// The modulus q.
    const MODULUS_WORDS: [u64; 4];
    /// `-1 / q` modulo `2^64`.
    const NEGATED_INVERSE: u64;
    /// `2^256` as a field element.
    const TWO_TO_256: Self;
    /// 2 q.
    const TWICE_THE_MODULUS: [u64; 4] = {
        let [a, b, c, d] = Self::MODULUS_WORDS;
        [a << 1, b << 1 | a >> 63, c << 1 | b >> 63, d << 1 | c >> 63]
    };

    /// The words of arkworks' representation.
    fn words(&self) -> &[u64; 4];

    /// The element that arkworks represents by these words, which must be below q.
    fn from_words(words: [u64; 4]) -> Self;

    /// The element that arkworks represents by these words modulo q. The words need not be below q.
    #[inline(always)]
    fn reduced(words: [u64; 4]) -> Self {
        // 2^256 is less than 8 times a modulus of 254 bits.
        let mut words = words;
        while let Some(difference) = difference(words, &Self::MODULUS_WORDS) {
            words = difference;
        }
        Self::from_words(words)
    }

    /// `2 q - words`, for words up to 2 q.
    #[inline(always)]
    fn negate_words(words: &[u64; 4]) -> [u64; 4] {
        difference(Self::TWICE_THE_MODULUS, words).expect("the words are at most 2 q")
    }
}

impl<P: MontConfig<4>> Words for Fp<MontBackend<P, 4>, 4> {
    const MODULUS_WORDS: [u64; 4] = P::MODULUS.0;
    const NEGATED_INVERSE: u64 = P::INV;
    const TWO_TO_256: Self = Self::new_unchecked(P::R2);

    #[inline(always)]
    fn words(&self) -> &[u64; 4] {
        &self.0 .0
    }

    #[inline(always)]
    fn from_words(words: [u64; 4]) -> Self {
        Self::new_unchecked(BigInt(words))
    }
}

/// `x - y`, if that is not negative.
#[inline(always)]
pub(super) fn difference(x: [u64; 4], y: &[u64; 4]) -> Option<[u64; 4]> {
    let mut difference = [0; 4];
    let mut below = false;
    for (limb, (x, y)) in difference.iter_mut().zip(x.iter().zip(y)) {
        let (rest, first) = x.overflowing_sub(*y);
        let (rest, second) = rest.overflowing_sub(u64::from(below));
        (*limb, below) = (rest, first | second);
    }
    (!below).then_some(difference)
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fq;

    use super::Words;

    #[test]
    fn words_above_the_modulus_are_reduced() {
        assert_eq!(Fq::reduced([0; 4]), Fq::from(0));
        let [a, b, c, d] = Fq::MODULUS_WORDS;
        assert_eq!(Fq::reduced([a, b, c, d]), Fq::from(0));
        assert_eq!(Fq::reduced([a - 1, b, c, d]).words(), &[a - 1, b, c, d]);
        // The words 2^256 represent 1, and the words 1 represent 2^-256.
        let unit = Fq::from_words([1, 0, 0, 0]);
        assert_eq!(Fq::reduced([u64::MAX; 4]), Fq::from(1) - unit);
    }
}
