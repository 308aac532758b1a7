//! Mutations of protobuf messages field by field. The lengths of the enclosing fields are adapted:
//! without this, the decoder refuses most changes because of a wrong length.

use proptest::{collection::vec, prelude::*, sample::Index};

use crate::mutation::{self, put_varint, Change};

/// One field of a message.
struct Field {
    tag: u64,
    content: Content,
}

enum Content {
    Number(u64),
    Bytes(Vec<u8>),
}

/// One change of a field.
#[derive(Debug, Clone)]
enum FieldChange {
    /// Changes the content. A number is changed as eight bytes, little-endian.
    Content(Change),
    /// Removes the field.
    Drop,
    /// Inserts a copy of the field.
    Double,
    /// Exchanges the field with another one of the same message.
    Swap(Index),
    /// Replaces the field number.
    Renumber(u8),
}

/// Seeds with 1 to 3 changed fields, at depths of up to 4.
pub fn altered(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let change = (vec(any::<Index>(), 1..5), field_change());
    (any::<Index>(), vec(change, 1..4)).prop_map(move |(seed, changes)| {
        let mut bytes = seed.get(&seeds).clone();
        for (path, change) in &changes {
            bytes = inside(&bytes, path, change, &seeds).unwrap_or(bytes);
        }
        bytes
    })
}

fn field_change() -> impl Strategy<Value = FieldChange> {
    prop_oneof![
        6 => mutation::change().prop_map(FieldChange::Content),
        1 => Just(FieldChange::Drop),
        1 => Just(FieldChange::Double),
        1 => any::<Index>().prop_map(FieldChange::Swap),
        1 => (1..8u8).prop_map(FieldChange::Renumber),
    ]
}

/// The message after a change of the field at the end of `path`. The path ends early at a field
/// that is not a message. `None` if `message` has no fields or `path` is empty.
fn inside(
    message: &[u8],
    path: &[Index],
    change: &FieldChange,
    seeds: &[Vec<u8>],
) -> Option<Vec<u8>> {
    let mut fields = parse(message).filter(|fields| !fields.is_empty())?;
    let (first, rest) = path.split_first()?;
    let index = first.index(fields.len());
    let below = match &fields[index].content {
        Content::Bytes(bytes) => inside(bytes, rest, change, seeds),
        Content::Number(_) => None,
    };
    match (below, change) {
        (Some(changed), _) => fields[index].content = Content::Bytes(changed),
        (None, FieldChange::Content(change)) => alter(&mut fields[index].content, change, seeds),
        (None, FieldChange::Drop) => drop(fields.remove(index)),
        (None, FieldChange::Double) => {
            let Field { tag, content } = &fields[index];
            let content = match content {
                Content::Number(number) => Content::Number(*number),
                Content::Bytes(bytes) => Content::Bytes(bytes.clone()),
            };
            let double = Field { tag: *tag, content };
            fields.insert(index, double);
        }
        (None, FieldChange::Swap(other)) => {
            let other = other.index(fields.len());
            fields.swap(index, other);
        }
        (None, FieldChange::Renumber(number)) => {
            fields[index].tag = fields[index].tag & 7 | u64::from(*number) << 3;
        }
    }
    Some(encode(&fields))
}

fn alter(content: &mut Content, change: &Change, seeds: &[Vec<u8>]) {
    match content {
        Content::Bytes(bytes) => mutation::apply(change, bytes, seeds),
        Content::Number(number) => {
            let mut bytes = number.to_le_bytes().to_vec();
            mutation::apply(change, &mut bytes, seeds);
            bytes.resize(8, 0);
            *number = bytes.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte));
        }
    }
}

fn parse(mut bytes: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = number(&mut bytes)?;
        let content = match tag & 7 {
            0 => Content::Number(number(&mut bytes)?),
            2 => {
                let length = usize::try_from(number(&mut bytes)?).ok()?;
                let (content, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                Content::Bytes(content.to_vec())
            }
            _ => return None,
        };
        fields.push(Field { tag, content });
    }
    Some(fields)
}

fn encode(fields: &[Field]) -> Vec<u8> {
    let mut out = Vec::new();
    for Field { tag, content } in fields {
        put_varint(*tag, &mut out);
        match content {
            Content::Number(number) => put_varint(*number, &mut out),
            Content::Bytes(bytes) => {
                put_varint(bytes.len() as u64, &mut out);
                out.extend_from_slice(bytes);
            }
        }
    }
    out
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    prost::decode_length_delimiter(bytes).ok().map(|number| number as u64)
}
