//! Canonical bytes: one encoding for each value, and a reader that accepts nothing else.
//!
//! | value | bytes |
//! |---|---|
//! | integer | little-endian, fixed width |
//! | field element | 32 bytes, little-endian, below the modulus |
//! | curve point | its affine coordinates, each a field element (two for G2: `c0`, `c1`) |
//! | point at infinity | all coordinates zero |
//!
//! No curve used here contains (0, 0), so that the last row is unambiguous. Points are not
//! compressed: a proof is dominated by field elements, and square roots would cost the verifier
//! more time than the bytes saved.

use ark_ec::{
    short_weierstrass::{Affine, SWCurveConfig},
    AffineRepr,
};
use ark_ff::{BigInteger, Field, PrimeField, Zero};
use thiserror::Error;

/// Width of one encoded field element in bytes. Every field used here has a 254-bit modulus.
pub const FIELD_BYTES: usize = 32;

/// Why a byte string is not the encoding of anything.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The input ends inside a value.
    #[error("input ends at byte {at}, inside a value of {wanted} bytes")]
    Truncated {
        /// Where the value begins.
        at: usize,
        /// How many bytes it has.
        wanted: usize,
    },
    /// The input has a length that no encoding of this kind has.
    #[error("expected {expected} bytes, got {got}")]
    Length {
        /// The only possible length.
        expected: usize,
        /// The length of the input.
        got: usize,
    },
    /// Bytes follow the last value.
    #[error("{0} bytes follow the last value")]
    Trailing(usize),
    /// The first bytes do not name this kind of file.
    #[error("the first bytes do not name a {0}")]
    Magic(&'static str),
    /// The format version is unknown.
    #[error("unknown format version {0}")]
    Version(u8),
    /// A field element is not below the modulus.
    #[error("the field element at byte {0} is not below the modulus")]
    NotReduced(usize),
    /// A point does not satisfy the curve equation.
    #[error("the point at byte {0} is not on its curve")]
    NotOnCurve(usize),
    /// A point lies on the curve but outside the prime-order subgroup.
    #[error("the point at byte {0} is not in the prime-order subgroup")]
    NotInSubgroup(usize),
    /// A length or count exceeds what the format allows.
    #[error("the count {got} at byte {at} exceeds {max}")]
    TooMany {
        /// Where the count stands.
        at: usize,
        /// The count.
        got: u64,
        /// The largest allowed count.
        max: u64,
    },
    /// A flag or a character has a value without meaning.
    #[error("the byte at {0} has a value without meaning")]
    Meaningless(usize),
}

/// Appends canonical encodings to a byte vector.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty writer that can take `capacity` bytes before it allocates again.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity) }
    }

    /// Appends bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Appends one byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    /// Appends an integer of eight bytes.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Appends a field element.
    pub fn field<P: PrimeField>(&mut self, value: &P) -> &mut Self {
        let mut bytes = value.into_bigint().to_bytes_le();
        bytes.resize(FIELD_BYTES, 0);
        self.bytes(&bytes)
    }

    /// Appends field elements without their number.
    pub fn fields<P: PrimeField>(&mut self, values: &[P]) -> &mut Self {
        for value in values {
            self.field(value);
        }
        self
    }

    /// Appends a point.
    pub fn point<C: SWCurveConfig>(&mut self, point: &Affine<C>) -> &mut Self {
        let (x, y) = point.xy().unwrap_or_default();
        for coordinate in [x, y] {
            for element in coordinate.to_base_prime_field_elements() {
                self.field(&element);
            }
        }
        self
    }

    /// Number of bytes written so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes written so far.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes written.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads canonical encodings from a byte slice, in the order in which [`Writer`] wrote them.
///
/// Nothing is allocated before the bytes that fill it are known to be there.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Offset of the next byte.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Number of bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if fewer remain.
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        if self.remaining() < len {
            return Err(DecodeError::Truncated { at: self.at, wanted: len });
        }
        let taken = &self.bytes[self.at..self.at + len];
        self.at += len;
        Ok(taken)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if fewer remain.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end of the input.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(self.array::<1>()?[0])
    }

    /// An integer of eight bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if fewer remain.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// An integer of eight bytes that counts something and is at most `max`.
    ///
    /// # Errors
    /// [`DecodeError::TooMany`] above `max`, [`DecodeError::Truncated`] if bytes are missing.
    pub fn count(&mut self, max: usize) -> Result<usize, DecodeError> {
        let at = self.at;
        let got = self.u64()?;
        let too_many = DecodeError::TooMany { at, got, max: max as u64 };
        match usize::try_from(got) {
            Ok(count) if count <= max => Ok(count),
            _ => Err(too_many),
        }
    }

    /// A boolean, encoded as one byte 0 or 1.
    ///
    /// # Errors
    /// [`DecodeError::Meaningless`] for any other byte.
    pub fn flag(&mut self) -> Result<bool, DecodeError> {
        let at = self.at;
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::Meaningless(at)),
        }
    }

    /// A field element.
    ///
    /// # Errors
    /// [`DecodeError::NotReduced`] at or above the modulus, [`DecodeError::Truncated`] if bytes
    /// are missing.
    pub fn field<P: PrimeField>(&mut self) -> Result<P, DecodeError> {
        let at = self.at;
        let bytes = self.bytes(FIELD_BYTES)?;
        let mut integer = P::BigInt::default();
        for (limb, chunk) in integer.as_mut().iter_mut().zip(bytes.chunks_exact(8)) {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            *limb = u64::from_le_bytes(word);
        }
        P::from_bigint(integer).ok_or(DecodeError::NotReduced(at))
    }

    /// `len` field elements.
    ///
    /// # Errors
    /// As [`Reader::field`]; the length is checked before anything is allocated.
    pub fn fields<P: PrimeField>(&mut self, len: usize) -> Result<Vec<P>, DecodeError> {
        let wanted = len.saturating_mul(FIELD_BYTES);
        if self.remaining() < wanted {
            return Err(DecodeError::Truncated { at: self.at, wanted });
        }
        (0..len).map(|_| self.field()).collect()
    }

    /// A point of the prime-order subgroup, infinity included.
    ///
    /// # Errors
    /// [`DecodeError::NotOnCurve`], [`DecodeError::NotInSubgroup`], or those of [`Reader::field`].
    pub fn point<C: SWCurveConfig>(&mut self) -> Result<Affine<C>, DecodeError> {
        let at = self.at;
        let point = self.point_unchecked()?;
        if !point.is_on_curve() {
            return Err(DecodeError::NotOnCurve(at));
        }
        if !point.is_in_correct_subgroup_assuming_on_curve() {
            return Err(DecodeError::NotInSubgroup(at));
        }
        Ok(point)
    }

    /// A pair of coordinates taken for a point. For bytes whose digest is known; never for a peer's.
    ///
    /// # Errors
    /// Those of [`Reader::field`].
    pub fn point_unchecked<C: SWCurveConfig>(&mut self) -> Result<Affine<C>, DecodeError> {
        let x = self.coordinate::<C>()?;
        let y = self.coordinate::<C>()?;
        if x.is_zero() && y.is_zero() {
            return Ok(Affine::identity());
        }
        Ok(Affine::new_unchecked(x, y))
    }

    fn coordinate<C: SWCurveConfig>(&mut self) -> Result<C::BaseField, DecodeError> {
        let at = self.at;
        let degree = C::BaseField::extension_degree() as usize;
        let elements = (0..degree).map(|_| self.field()).collect::<Result<Vec<_>, _>>()?;
        C::BaseField::from_base_prime_field_elems(elements).ok_or(DecodeError::Meaningless(at))
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`DecodeError::Trailing`] if bytes remain.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.remaining() {
            0 => Ok(()),
            left => Err(DecodeError::Trailing(left)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine};
    use ark_ec::CurveGroup;
    use ark_ff::{AdditiveGroup, UniformRand};
    use ark_std::test_rng;

    #[test]
    fn values_survive_a_round_trip() {
        let rng = &mut test_rng();
        let (f, g1, g2) = (Fr::rand(rng), G1Affine::rand(rng), G2Affine::rand(rng));
        let mut writer = Writer::default();
        writer.u64(7).field(&f).point(&g1).point(&g2).point(&G1Affine::identity());
        let bytes = writer.finish();
        assert_eq!(bytes.len(), 8 + 32 + 64 + 128 + 64);
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.u64(), Ok(7));
        assert_eq!(reader.field(), Ok(f));
        assert_eq!(reader.point(), Ok(g1));
        assert_eq!(reader.point(), Ok(g2));
        assert_eq!(reader.point(), Ok(G1Affine::identity()));
        assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn a_field_element_has_one_encoding() {
        let modulus = Fr::MODULUS.to_bytes_le();
        assert_eq!(Reader::new(&modulus).field::<Fr>(), Err(DecodeError::NotReduced(0)));
        assert_eq!(Reader::new(&[0xff; 32]).field::<Fq>(), Err(DecodeError::NotReduced(0)));
    }

    #[test]
    fn points_off_the_curve_are_refused() {
        let mut writer = Writer::default();
        writer.fields(&[Fq::from(1), Fq::from(1)]);
        assert_eq!(
            Reader::new(writer.as_slice()).point::<ark_bn254::g1::Config>(),
            Err(DecodeError::NotOnCurve(0))
        );
    }

    #[test]
    fn points_outside_the_subgroup_are_refused() {
        // Almost no point of the twist lies in the subgroup, so the first x that has a y will do.
        let outside = (1u64..)
            .find_map(|x| {
                G2Affine::get_point_from_x_unchecked(Fq2::new(Fq::from(x), Fq::ZERO), false)
            })
            .expect("half of all x have a y");
        assert!(!(outside.into_group() * Fr::from(-1) + outside).into_affine().is_zero());
        let mut writer = Writer::default();
        writer.point(&outside);
        assert_eq!(
            Reader::new(writer.as_slice()).point::<ark_bn254::g2::Config>(),
            Err(DecodeError::NotInSubgroup(0))
        );
    }

    /// With a constant term, (0, 0) does not satisfy the curve equation.
    #[test]
    fn the_bytes_of_infinity_are_no_other_point() {
        assert_ne!(ark_bn254::g1::Config::COEFF_B, Fq::ZERO);
        assert_ne!(ark_bn254::g2::Config::COEFF_B, Fq2::ZERO);
        assert_ne!(ark_grumpkin::GrumpkinConfig::COEFF_B, Fr::ZERO);
    }
}
