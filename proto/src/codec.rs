//! The codec of all services: prost with a limit on elements.

use std::marker::PhantomData;

use prost::{bytes::Buf, Message, Name};
use tonic::{
    codec::{BufferSettings, Codec, DecodeBuf, Decoder},
    Status,
};
use tonic_prost::{ProstCodec, ProstEncoder};

use crate::{
    decode::{decode, DecodeError},
    elements::ElementsError,
};

impl From<DecodeError> for Status {
    fn from(e: DecodeError) -> Status {
        match e {
            DecodeError::Elements(ElementsError::TooMany) => Status::out_of_range(e.to_string()),
            _ => Status::invalid_argument(e.to_string()),
        }
    }
}

/// Encodes as prost does and decodes with [`decode`].
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
        // Does not copy the bytes.
        let bytes = buf.copy_to_bytes(buf.remaining());
        Ok(Some(decode(bytes)?))
    }
}
