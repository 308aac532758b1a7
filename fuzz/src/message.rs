//! Messages as the services decode them.

use std::fmt::Debug;

use prost::{bytes::Bytes, Message, Name};

/// Decodes a message as the codec of the services does; `None` if it is refused.
///
/// # Panics
/// If what was decoded does not survive being sent on.
pub(crate) fn decode<M>(bytes: &[u8]) -> Option<M>
where
    M: Message + Name + Default + PartialEq + Debug,
{
    let message: M = rootfold_proto::decode(Bytes::copy_from_slice(bytes)).ok()?;
    let again = rootfold_proto::decode::<M>(message.encode_to_vec().into());
    assert_eq!(again.as_ref(), Ok(&message), "a message means one thing");
    Some(message)
}
