//! Decoding of messages as in the gRPC services.

use std::fmt::Debug;

use prost::{bytes::Bytes, Message, Name};

/// Decodes a message with the codec of the services. `None` if the codec refuses it.
///
/// # Panics
/// If the message changes when it is encoded and decoded again.
pub(crate) fn decode<M>(bytes: &[u8]) -> Option<M>
where
    M: Message + Name + Default + PartialEq + Debug,
{
    let message: M = rootfold_proto::decode(Bytes::copy_from_slice(bytes)).ok()?;
    let again = rootfold_proto::decode::<M>(message.encode_to_vec().into());
    assert_eq!(again.as_ref(), Ok(&message), "a decoded message changes when it is encoded again");
    Some(message)
}
