//! Decoding.

use std::marker::PhantomData;

use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::{Field, PrimeField, Zero};

use super::{
    error::DecodeError,
    order::{BigEndian, ByteOrder, LittleEndian, FIELD_BYTES},
};

/// Reads encoded values from a byte slice, in the order in which a [`Writer`](super::Writer) wrote
/// them.
///
/// Memory is allocated only for values whose bytes are present.
#[derive(Clone, Debug)]
pub struct Reader<'a, O = LittleEndian> {
    bytes: &'a [u8],
    at: usize,
    order: PhantomData<O>,
}

impl<'a> Reader<'a, LittleEndian> {
    /// A reader of little-endian numbers.
    pub fn little_endian(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, order: PhantomData }
    }
}

impl<'a> Reader<'a, BigEndian> {
    /// A reader of big-endian numbers.
    pub fn big_endian(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, order: PhantomData }
    }
}

impl<'a, O: ByteOrder> Reader<'a, O> {
    /// Offset of the next byte.
    pub fn offset(&self) -> usize {
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

    /// An integer of two bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if fewer remain.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_le_bytes(O::convert(self.array()?)))
    }

    /// An integer of four bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if fewer remain.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(O::convert(self.array()?)))
    }

    /// An integer of eight bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if fewer remain.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(O::convert(self.array()?)))
    }

    /// A count of eight bytes, at most `max`.
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
    /// [`DecodeError::Undefined`] for any other byte, [`DecodeError::Truncated`] at the end of
    /// the input.
    pub fn flag(&mut self) -> Result<bool, DecodeError> {
        let at = self.at;
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::Undefined(at)),
        }
    }

    /// A field element.
    ///
    /// # Errors
    /// [`DecodeError::NotReduced`] at or above the modulus, [`DecodeError::Truncated`] if bytes
    /// are missing.
    pub fn field<P: PrimeField>(&mut self) -> Result<P, DecodeError> {
        let at = self.at;
        O::decode_field(self.array()?).ok_or(DecodeError::NotReduced(at))
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

    /// A point without a check that it is on the curve. Only for bytes whose digest has been
    /// checked, never for bytes from a peer.
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
        C::BaseField::from_base_prime_field_elems(elements).ok_or(DecodeError::Undefined(at))
    }

    /// Checks that all bytes have been read.
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
