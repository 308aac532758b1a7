//! How seeds are altered.

use proptest::{collection::vec, prelude::*, sample::Index};

/// The longest input that altering makes, in bytes, beyond twice the longest seed.
const MAX_GROWTH: usize = 4096;

/// One change of an input. Positions are parts of its length.
#[derive(Debug, Clone)]
pub enum Change {
    /// A bit the other way round.
    Flip(Index, u8),
    /// Another byte.
    Set(Index, u8),
    /// Nothing after this.
    Cut(Index),
    /// Some bytes less.
    Remove(Index, u8),
    /// Some bytes more.
    Insert(Index, Vec<u8>),
    /// Some bytes several times.
    Repeat(Index, u8, u8),
    /// The rest of another seed from a place of its own.
    Splice(Index, Index, Index),
    /// A number of one to eight bytes, as lengths and counts are written, of a size to worry about.
    Number(Index, u64, u8, bool),
    /// The same as protobuf writes it.
    Varint(Index, u64),
}

/// Seeds with a few changes.
pub fn altered(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (any::<Index>(), vec(change(), 1..6)).prop_map(move |(seed, changes)| {
        let mut bytes = seed.get(&seeds).clone();
        for change in &changes {
            apply(change, &mut bytes, &seeds);
        }
        let longest = seeds.iter().map(Vec::len).max().unwrap_or(0);
        bytes.truncate(2 * longest + MAX_GROWTH);
        bytes
    })
}

/// A change.
pub fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    let sizes = prop_oneof![
        Just(0),
        Just(1),
        0..300u64,
        Just(u64::from(u16::MAX)),
        Just(1 << 20),
        Just(u64::from(u32::MAX)),
        Just(1 << 31),
        Just(u64::MAX >> 1),
        Just(u64::MAX),
    ];
    let sizes = sizes.boxed();
    prop_oneof![
        4 => (at(), 0..8u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        1 => at().prop_map(Change::Cut),
        1 => (at(), any::<u8>()).prop_map(|(at, length)| Change::Remove(at, length)),
        1 => (at(), vec(any::<u8>(), 1..40)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (at(), any::<u8>(), 1..20u8).prop_map(|(at, n, times)| Change::Repeat(at, n, times)),
        2 => (at(), at(), at()).prop_map(|(at, other, from)| Change::Splice(at, other, from)),
        2 => (at(), sizes.clone(), 1..9u8, any::<bool>())
            .prop_map(|(at, number, width, big)| Change::Number(at, number, width, big)),
        2 => (at(), sizes).prop_map(|(at, number)| Change::Varint(at, number)),
    ]
}

/// Makes a change. `seeds` are those that can be spliced in.
pub fn apply(change: &Change, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    // A place in the input, or its end.
    let place = |at: &Index, bytes: &[u8]| at.index(bytes.len() + 1);
    let overwrite = |bytes: &mut Vec<u8>, at: usize, new: &[u8]| {
        let end = (at + new.len()).min(bytes.len());
        bytes.splice(at..end, new.iter().copied());
    };
    match change {
        Change::Flip(at, bit) => {
            let at = place(at, bytes);
            bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << bit);
        }
        Change::Set(at, new) => {
            let at = place(at, bytes);
            bytes.get_mut(at).into_iter().for_each(|byte| *byte = *new);
        }
        Change::Cut(at) => bytes.truncate(place(at, bytes)),
        Change::Remove(at, length) => {
            let at = place(at, bytes);
            let end = (at + usize::from(*length)).min(bytes.len());
            bytes.drain(at..end);
        }
        Change::Insert(at, new) => {
            let at = place(at, bytes);
            bytes.splice(at..at, new.iter().copied());
        }
        Change::Repeat(at, length, times) => {
            let at = place(at, bytes);
            let end = (at + usize::from(*length)).min(bytes.len());
            let again = bytes[at..end].repeat(usize::from(*times));
            bytes.splice(at..at, again);
        }
        Change::Splice(at, other, from) => {
            let other = other.get(seeds);
            bytes.truncate(place(at, bytes));
            bytes.extend_from_slice(&other[place(from, other)..]);
        }
        Change::Number(at, number, width, big) => {
            let width = usize::from(*width);
            let number = match big {
                true => number.to_be_bytes()[8 - width..].to_vec(),
                false => number.to_le_bytes()[..width].to_vec(),
            };
            overwrite(bytes, place(at, bytes), &number);
        }
        Change::Varint(at, number) => {
            let mut varint = Vec::new();
            put_varint(*number, &mut varint);
            overwrite(bytes, place(at, bytes), &varint);
        }
    }
}

/// Appends a number as protobuf writes it.
pub fn put_varint(number: u64, out: &mut Vec<u8>) {
    let length = usize::try_from(number).expect("addresses have 64 bits here");
    prost::encode_length_delimiter(length, out).expect("a vector has room");
}
