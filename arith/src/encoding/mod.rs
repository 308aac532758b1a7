//! Numbers and points as bytes. Each value has one encoding, and the reader accepts no other.
//!
//! | value | bytes |
//! |---|---|
//! | integer | fixed width |
//! | field element | 32 bytes, below the modulus |
//! | curve point | its affine coordinates, each a field element (two for G2: `c0`, `c1`) |
//! | point at infinity | all coordinates zero |
//!
//! The format determines the byte order: [`LittleEndian`] for proofs, keys and parameters,
//! [`BigEndian`] for pages and records.
//!
//! No curve used here contains (0, 0), so the encoding of infinity is unambiguous. Points are not
//! compressed: decompression takes a square root, and proofs consist mostly of field elements.

mod error;
mod order;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use error::DecodeError;
pub use order::{BigEndian, ByteOrder, LittleEndian, FIELD_BYTES};
pub use reader::Reader;
pub use writer::Writer;
