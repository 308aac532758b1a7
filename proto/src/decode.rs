//! Decoding with a limit on elements.

use prost::{bytes::Bytes, Message, Name};
use thiserror::Error;

use crate::elements::{self, ElementsError};

/// Why bytes are not a message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Refused before decoding.
    #[error("bad message: {0}")]
    Elements(#[from] ElementsError),
    /// Not an encoding of the expected message.
    #[error("bad message: {0}")]
    Prost(#[from] prost::DecodeError),
}

/// Decodes a message. Allocates at most a few times its length plus about a hundred bytes for each
/// of its elements, of which there are at most [`MAX_ELEMENTS`](crate::limits::MAX_ELEMENTS).
/// Unknown fields are skipped, as protobuf demands.
///
/// # Errors
/// [`DecodeError`].
pub fn decode<M: Message + Name + Default>(bytes: Bytes) -> Result<M, DecodeError> {
    elements::check::<M>(&bytes)?;
    Ok(M::decode(bytes)?)
}
