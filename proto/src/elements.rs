//! Counts the elements of a message in its bytes, before anything is allocated for them.
//!
//! An empty element of a repeated field takes two bytes on the wire and about a hundred in memory. A
//! limit on bytes alone would let decoding allocate fifty times the length of a message.

use std::{
    collections::{BTreeMap, HashMap},
    sync::OnceLock,
};

use prost::{Message, Name};
use prost_types::{
    field_descriptor_proto::{Label, Type},
    DescriptorProto, FileDescriptorSet,
};
use thiserror::Error;

use crate::{limits::MAX_ELEMENTS, v1::FILE_DESCRIPTOR_SET};

/// Why bytes are refused before decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ElementsError {
    /// The bytes end inside a field, or a field has a wire type that proto3 does not have.
    #[error("not a sequence of protobuf fields")]
    NoFields,
    /// All repeated fields together, at any depth, exceed [`MAX_ELEMENTS`].
    #[error("more than {MAX_ELEMENTS} elements")]
    TooMany,
}

/// Checks that a message of the type `M` has at most [`MAX_ELEMENTS`] elements.
///
/// # Errors
/// [`ElementsError`].
pub fn check<M: Name>(bytes: &[u8]) -> Result<(), ElementsError> {
    let mut left = MAX_ELEMENTS;
    count(bytes, &M::full_name(), &mut left)
}

/// A field of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    repeated: bool,
    /// The full name of its message type, for a field that holds messages.
    message: Option<String>,
}

/// For each message by its full name: its fields by number.
type Shapes = HashMap<String, BTreeMap<u64, Field>>;

fn shapes() -> &'static Shapes {
    static SHAPES: OnceLock<Shapes> = OnceLock::new();
    SHAPES.get_or_init(|| {
        let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET)
            .expect("the build script has encoded the descriptors");
        let named = |file: &prost_types::FileDescriptorProto| {
            let package = file.package().to_owned();
            let named = move |message: &DescriptorProto| {
                (format!("{package}.{}", message.name()), shape(message))
            };
            file.message_type.iter().map(named).collect::<Vec<_>>()
        };
        files.file.iter().flat_map(named).collect()
    })
}

fn shape(message: &DescriptorProto) -> BTreeMap<u64, Field> {
    let field = |field: &prost_types::FieldDescriptorProto| {
        let name = field.type_name().trim_start_matches('.').to_owned();
        let message = (field.r#type() == Type::Message).then_some(name);
        let repeated = field.label() == Label::Repeated;
        (field.number().unsigned_abs().into(), Field { repeated, message })
    };
    message.field.iter().map(field).collect()
}

/// Subtracts the elements of a message from `left`.
fn count(mut bytes: &[u8], name: &str, left: &mut usize) -> Result<(), ElementsError> {
    let fields = shapes().get(name);
    while !bytes.is_empty() {
        let (number, content) = next_field(&mut bytes).ok_or(ElementsError::NoFields)?;
        let Some(field) = fields.and_then(|fields| fields.get(&number)) else { continue };
        if field.repeated {
            *left = left.checked_sub(1).ok_or(ElementsError::TooMany)?;
        }
        if let (Some(message), Some(content)) = (&field.message, content) {
            count(content, message, left)?;
        }
    }
    Ok(())
}

/// Reads the number of the next field and, for a length-delimited field, its content.
fn next_field<'a>(bytes: &mut &'a [u8]) -> Option<(u64, Option<&'a [u8]>)> {
    let tag = varint(bytes)?;
    let content = match tag & 7 {
        0 => {
            varint(bytes)?;
            None
        }
        1 => {
            take(bytes, 8)?;
            None
        }
        2 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            Some(take(bytes, length)?)
        }
        5 => {
            take(bytes, 4)?;
            None
        }
        // Groups; proto3 does not have them.
        _ => return None,
    };
    Some((tag >> 3, content))
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1;

    /// A length-delimited field: tag, length, content.
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2];
        prost::encode_length_delimiter(content.len(), &mut out).expect("a vector grows");
        out.extend_from_slice(content);
        out
    }

    #[test]
    fn elements_are_counted_at_every_depth() {
        let op = field(3, &[]);
        let batch = |ops: usize| field(2, &op.repeat(ops));
        let request = |batches: &[Vec<u8>]| field(2, &batches.concat());
        let most = request(&[batch(MAX_ELEMENTS / 2 - 1), batch(MAX_ELEMENTS / 2 - 1)]);
        assert_eq!(check::<v1::SubmitRequest>(&most), Ok(()));
        let one_more = request(&[batch(MAX_ELEMENTS / 2), batch(MAX_ELEMENTS / 2 - 1)]);
        assert_eq!(check::<v1::SubmitRequest>(&one_more), Err(ElementsError::TooMany));
        // A field that is given many times is one message: prost merges its parts.
        let spread = request(&[batch(1)]).repeat(MAX_ELEMENTS / 2 + 1);
        assert_eq!(check::<v1::SubmitRequest>(&spread), Err(ElementsError::TooMany));
        // The same bytes have fewer elements as another message.
        assert_eq!(check::<v1::GetRequest>(&one_more), Ok(()));
    }

    #[test]
    fn bytes_that_are_not_fields_are_refused() {
        for bytes in [&[0x80][..], &[0x0a, 5, 1], &[0x0b], &[0x0c], &[0x09, 1], &[0xff; 11]] {
            assert_eq!(check::<v1::PagesRequest>(bytes), Err(ElementsError::NoFields));
        }
    }

    /// The recursion of `count` is as deep as the schema, and no repeated field is packed.
    #[test]
    fn the_schema_suits_the_count() {
        fn depth(name: &str, above: usize) -> usize {
            assert!(above < 8, "{name} contains itself");
            let below = shapes()[name].values().filter_map(|field| field.message.as_deref());
            1 + below.map(|message| depth(message, above + 1)).max().unwrap_or(0)
        }
        assert_eq!(depth("rootfold.v1.SubmitRequest", 0), 4);
        for name in shapes().keys() {
            depth(name, 0);
        }
        let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("decodes");
        let messages = files.file.iter().flat_map(|file| &file.message_type);
        for message in messages {
            assert!(message.nested_type.is_empty(), "nested messages are not in the table");
            for field in message.field.iter().filter(|field| field.label() == Label::Repeated) {
                let unpacked = matches!(field.r#type(), Type::Message | Type::Bytes | Type::String);
                assert!(unpacked, "{field:?}");
            }
        }
    }
}
