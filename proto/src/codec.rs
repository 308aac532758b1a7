//! From bytes to messages: prost behind a limit of elements.

use std::marker::PhantomData;

use prost::{
    bytes::{Buf, Bytes},
    Message, Name,
};
use thiserror::Error;
use tonic::{
    codec::{BufferSettings, Codec, DecodeBuf, Decoder},
    Status,
};
use tonic_prost::{ProstCodec, ProstEncoder};

use crate::elements::{self, ElementsRefused};

/// Why bytes are not a message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Refused before anything was decoded.
    #[error("a message of {0}")]
    Elements(#[from] ElementsRefused),
    /// Refused by prost.
    #[error("not the message that belongs here: {0}")]
    Prost(#[from] prost::DecodeError),
}

/// Decodes a message. Allocates no more than a few times its length and about a hundred bytes for
/// each of its elements, of which there are at most
/// [`MAX_ELEMENTS`](crate::limits::MAX_ELEMENTS).
///
/// # Errors
/// [`DecodeError`].
pub fn decode<M: Message + Name + Default>(bytes: Bytes) -> Result<M, DecodeError> {
    elements::check::<M>(&bytes)?;
    Ok(M::decode(bytes)?)
}

impl From<DecodeError> for Status {
    fn from(e: DecodeError) -> Status {
        match e {
            DecodeError::Elements(ElementsRefused::TooMany) => Status::out_of_range(e.to_string()),
            _ => Status::invalid_argument(e.to_string()),
        }
    }
}

/// The codec of all services: encodes as prost does, decodes with [`decode`].
#[derive(Debug, Clone)]
pub struct LimitedCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for LimitedCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for LimitedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Name + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = LimitedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::raw_encoder(BufferSettings::default())
    }

    fn decoder(&mut self) -> Self::Decoder {
        LimitedDecoder(PhantomData)
    }
}

/// The decoder of [`LimitedCodec`].
#[derive(Debug, Clone)]
pub struct LimitedDecoder<U>(PhantomData<U>);

impl<U: Message + Name + Default> Decoder for LimitedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        // Takes the bytes over without a copy.
        let bytes = buf.copy_to_bytes(buf.remaining());
        Ok(Some(decode(bytes)?))
    }
}
