//! Encoding.

use std::marker::PhantomData;

use ark_ec::{
    short_weierstrass::{Affine, SWCurveConfig},
    AffineRepr,
};
use ark_ff::{Field, PrimeField};

use super::order::{BigEndian, ByteOrder, LittleEndian};

/// Appends encoded values to a byte vector.
#[derive(Clone, Debug)]
pub struct Writer<O = LittleEndian> {
    bytes: Vec<u8>,
    order: PhantomData<O>,
}

impl Writer<LittleEndian> {
    /// An empty writer of little-endian numbers, with room for `capacity` bytes.
    pub fn little_endian(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), order: PhantomData }
    }
}

impl Writer<BigEndian> {
    /// An empty writer of big-endian numbers, with room for `capacity` bytes.
    pub fn big_endian(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), order: PhantomData }
    }
}

impl<O: ByteOrder> Writer<O> {
    /// Appends bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Appends one byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    /// Appends an integer of two bytes.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&O::convert(value.to_le_bytes()))
    }

    /// Appends an integer of four bytes.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&O::convert(value.to_le_bytes()))
    }

    /// Appends an integer of eight bytes.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&O::convert(value.to_le_bytes()))
    }

    /// Appends a field element.
    pub fn field<P: PrimeField>(&mut self, value: &P) -> &mut Self {
        self.bytes(&O::encode_field(value))
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
