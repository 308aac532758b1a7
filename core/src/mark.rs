//! Marks: the entries of an index (`docs/design.md`, section 3).
//!
//! A mark is an op that follows the op on a primary key in the same group. It writes the entry of an
//! index key, which has a term, an order and the digest of the primary key, so that the entries of one
//! term are one range, sorted by order. The op of a mark has the stamp of the primary op, and its value
//! or, to withdraw the mark, a tombstone.

use std::{ops::Range, sync::LazyLock};

use ark_ff::{BigInteger, Field, PrimeField};
use thiserror::Error;

use crate::{
    field,
    key::{Key, INDEX_BYTE, KEY_BYTES, LIMB_BYTES},
    F,
};

/// Length of an encoded term in bytes.
pub const TERM_BYTES: usize = LIMB_BYTES - 1;
/// The longest term that an index key contains. Of a longer one it contains a digest.
pub const MAX_PLAIN_TERM: usize = TERM_BYTES - 1;
/// The longest term in bytes.
pub const MAX_TERM: usize = 1024;
/// The longest order in bytes.
pub const MAX_ORDER: usize = LIMB_BYTES;
/// The last byte of an encoded term that is a digest.
const DIGESTED: u8 = 0xff;
/// Bits of a key digest above the 248 bits of a limb.
pub const HIGH_BITS: usize = 6;

/// A term and an order: under which an entry is found, and where among the others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    term: Vec<u8>,
    order: Vec<u8>,
}

/// The bytes are not a mark.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum MarkError {
    /// The term is too long.
    #[error("term of {length} bytes is longer than {MAX_TERM}")]
    TermTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The order is too long.
    #[error("order of {length} bytes is longer than {MAX_ORDER}")]
    OrderTooLong {
        /// Its length in bytes.
        length: usize,
    },
}

impl Mark {
    /// A mark. Orders are compared as bytes, and zero bytes at the end of an order do not count.
    ///
    /// # Errors
    /// [`MarkError`] for a term above 1,024 or an order above 31 bytes.
    pub fn new(term: &[u8], order: &[u8]) -> Result<Mark, MarkError> {
        if term.len() > MAX_TERM {
            return Err(MarkError::TermTooLong { length: term.len() });
        }
        if order.len() > MAX_ORDER {
            return Err(MarkError::OrderTooLong { length: order.len() });
        }
        let significant = order.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        Ok(Mark { term: term.to_vec(), order: order[..significant].to_vec() })
    }

    /// The term.
    pub fn term(&self) -> &[u8] {
        &self.term
    }

    /// The order, without zero bytes at its end.
    pub fn order(&self) -> &[u8] {
        &self.order
    }

    /// The index key of this mark on `primary`: [`INDEX_BYTE`], the encoded term (30 bytes), the order
    /// (31 bytes, padded with zeros), and the lowest 31 bytes of the digest of the primary key.
    pub fn key(&self, primary: &Key) -> Key {
        let mut bytes = [0u8; KEY_BYTES];
        bytes[..LIMB_BYTES].copy_from_slice(&term_prefix(&self.term));
        bytes[LIMB_BYTES..][..self.order.len()].copy_from_slice(&self.order);
        bytes[2 * LIMB_BYTES..].copy_from_slice(&digest_of(&primary.digest()));
        Key::from_bytes(bytes)
    }
}

/// The first limb of the index keys of a term: [`INDEX_BYTE`]; then either a term of up to 29 bytes,
/// zero padding and its length, or 29 bytes of the BLAKE3 hash of a longer one and `0xff`.
pub fn term_prefix(term: &[u8]) -> [u8; LIMB_BYTES] {
    let mut bytes = [0u8; LIMB_BYTES];
    bytes[0] = INDEX_BYTE;
    if term.len() <= MAX_PLAIN_TERM {
        bytes[1..=term.len()].copy_from_slice(term);
        bytes[LIMB_BYTES - 1] = term.len() as u8;
    } else {
        bytes[1..=MAX_PLAIN_TERM].copy_from_slice(&blake3::hash(term).as_bytes()[..MAX_PLAIN_TERM]);
        bytes[LIMB_BYTES - 1] = DIGESTED;
    }
    bytes
}

/// The range of the index keys of a term.
pub fn term_range(term: &[u8]) -> Range<Key> {
    let prefix = term_prefix(term);
    Key::filled(&prefix, 0x00)..Key::filled(&prefix, 0xff)
}

/// The term of an index key; `None` if the key has only a digest of it, or [`Mark::key`] makes no such
/// key.
pub fn term_of(index: &Key) -> Option<&[u8]> {
    let [_, term @ .., length] = index.as_bytes().first_chunk::<LIMB_BYTES>()?;
    term.get(..usize::from(*length))
}

/// The order of an index key, without zero bytes at its end.
pub fn order_of(index: &Key) -> &[u8] {
    let order = &index.as_bytes()[LIMB_BYTES..2 * LIMB_BYTES];
    let significant = order.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &order[..significant]
}

/// The part of an index key that names the primary key: the lowest 31 bytes of its digest.
pub fn primary_digest(index: &Key) -> &[u8] {
    &index.as_bytes()[2 * LIMB_BYTES..]
}

/// Whether the third limb of an index key belongs to the primary key with the digest `kappa`: they are
/// equal modulo 2^248, where `kappa` stands for any of its representatives below 2^254. There are up to
/// two. [`Mark::key`] takes the smaller one. A mark with the other is a legal op that no reader finds.
pub fn belongs_to(index_limbs: &[F; 3], kappa: F) -> bool {
    high_part(index_limbs, kappa).into_bigint().num_bits() <= HIGH_BITS as u32
}

/// `(kappa - k3) / 2^248`, below 64 if the limb belongs to the key digest.
fn high_part(index_limbs: &[F; 3], kappa: F) -> F {
    (kappa - index_limbs[2]) * inverse_of_limb()
}

/// `2^-248`.
pub fn inverse_of_limb() -> F {
    // Computed once: each mark of a log and each slot of the circuit needs it.
    static INVERSE: LazyLock<F> = LazyLock::new(|| {
        let limb = F::from(2u64).pow([8 * LIMB_BYTES as u64]);
        limb.inverse().expect("a power of two is not zero modulo an odd prime")
    });
    *INVERSE
}

/// Whether an index key has the digest `kappa` of its primary key in the form that [`Mark::key`] makes.
pub fn is_of(index: &Key, kappa: &F) -> bool {
    primary_digest(index) == digest_of(kappa)
}

/// The last limbs of all index keys that [`belongs_to`] accepts for a key digest, the one that
/// [`Mark::key`] makes first.
pub fn digests_of(kappa: &F) -> Vec<[u8; LIMB_BYTES]> {
    let mut other = kappa.into_bigint();
    other.add_with_carry(&F::MODULUS);
    let mut digests = vec![digest_of(kappa)];
    if other.num_bits() as usize <= 8 * LIMB_BYTES + HIGH_BITS {
        let bytes = other.to_bytes_be();
        let mut low = [0u8; LIMB_BYTES];
        low.copy_from_slice(&bytes[bytes.len() - LIMB_BYTES..]);
        digests.push(low);
    }
    digests
}

/// The lowest 31 bytes of a key digest.
pub fn digest_of(kappa: &F) -> [u8; LIMB_BYTES] {
    let mut low = [0u8; LIMB_BYTES];
    let digest = field::to_bytes(kappa);
    low.copy_from_slice(&digest[digest.len() - LIMB_BYTES..]);
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;

    fn mark(term: &[u8], order: &[u8]) -> Mark {
        Mark::new(term, order).expect("short enough")
    }

    #[test]
    fn an_index_key_belongs_to_its_primary_key_alone() {
        let keys: Vec<Key> =
            (0u32..300).map(|i| Key::shared(&i.to_be_bytes()).expect("short")).collect();
        for (i, primary) in keys.iter().enumerate() {
            let index = mark(b"cats", b"1").key(primary);
            assert_eq!(index.kind(), KeyKind::Index);
            assert!(belongs_to(&index.limbs(), primary.digest()), "key {i}");
            assert!(is_of(&index, &primary.digest()));
            let other = keys[(i + 1) % keys.len()];
            assert!(!belongs_to(&index.limbs(), other.digest()));
            assert!(!is_of(&index, &other.digest()));
        }
    }

    /// A digest has a second representative below 2^254 if it is below 2^254 - r, about one third.
    #[test]
    fn the_other_representative_belongs_too_and_is_not_found() {
        let second = |primary: &Key| {
            let digest = *digests_of(&primary.digest()).get(1)?;
            let mut index = *mark(b"cats", b"1").key(primary).as_bytes();
            index[2 * LIMB_BYTES..].copy_from_slice(&digest);
            Some(Key::from_bytes(index))
        };
        let keys = (0u32..100).map(|i| Key::shared(&i.to_be_bytes()).expect("short"));
        let pairs: Vec<(Key, Key)> =
            keys.filter_map(|primary| Some((primary, second(&primary)?))).collect();
        assert!(!pairs.is_empty());
        for (primary, index) in pairs {
            assert!(belongs_to(&index.limbs(), primary.digest()));
            assert!(!is_of(&index, &primary.digest()));
        }
    }

    #[test]
    fn terms_do_not_collide() {
        let long = [b'a'; MAX_PLAIN_TERM + 1];
        let plain = &long[..MAX_PLAIN_TERM];
        let mut digested = [0u8; MAX_PLAIN_TERM];
        digested.copy_from_slice(&term_prefix(&long)[1..=MAX_PLAIN_TERM]);
        let terms: [&[u8]; 7] = [b"", b"\0", b"a", b"a\0", plain, &long, &digested];
        for (i, a) in terms.iter().enumerate() {
            for b in &terms[i + 1..] {
                assert_ne!(term_prefix(a), term_prefix(b), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn limits() {
        assert!(Mark::new(&[b'a'; MAX_TERM], &[1; MAX_ORDER]).is_ok());
        let long = Mark::new(&[b'a'; MAX_TERM + 1], b"");
        assert_eq!(long, Err(MarkError::TermTooLong { length: MAX_TERM + 1 }));
        let long = Mark::new(b"", &[1; MAX_ORDER + 1]);
        assert_eq!(long, Err(MarkError::OrderTooLong { length: MAX_ORDER + 1 }));
        assert_eq!(mark(b"a", b"1\0\0"), mark(b"a", b"1"));
    }
}
