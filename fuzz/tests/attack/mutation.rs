//! Mutations of bytes.

use proptest::{collection::vec, prelude::*, sample::Index};

/// The largest length of an altered seed, in bytes, in addition to twice the longest seed.
const MAX_GROWTH: usize = 4096;

/// One change of an input. A position is an [`Index`], which is scaled to the length of the input.
#[derive(Debug, Clone)]
pub enum Change {
    /// Flips one bit of a byte.
    Flip(Index, u8),
    /// Replaces a byte.
    Set(Index, u8),
    /// Truncates the input.
    Cut(Index),
    /// Removes up to 255 bytes.
    Remove(Index, u8),
    /// Inserts bytes.
    Insert(Index, Vec<u8>),
    /// Repeats up to 255 bytes: their number, and how many copies are added.
    Repeat(Index, u8, u8),
    /// Replaces the rest of the input by the rest of a seed: the position, the seed, and the
    /// position in the seed.
    Splice(Index, Index, Index),
    /// Overwrites bytes with a number, like a length or a count: the number, its length of 1 to 8
    /// bytes, and whether it is big-endian.
    Number(Index, u64, u8, bool),
    /// Overwrites bytes with a number encoded as a protobuf varint.
    Varint(Index, u64),
}

/// Seeds with 1 to 5 changes.
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

/// A random change. Numbers are small or close to the limits of integer types.
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

/// Applies a change to `bytes`. [`Change::Splice`] takes its bytes from `seeds`.
pub fn apply(change: &Change, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    // A position in the input, or its end.
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

/// Appends a number as a protobuf varint.
pub fn put_varint(number: u64, out: &mut Vec<u8>) {
    let length = usize::try_from(number).expect("usize has 64 bits");
    prost::encode_length_delimiter(length, out).expect("a vector grows");
}
