//! Keys: 93 bytes, in three limbs of 31 bytes.

use std::ops::Range;

use ark_ff::{BigInteger, PrimeField};
use thiserror::Error;

use crate::{
    hash::{hash, Tag},
    F,
};

/// Length of a key in bytes.
pub const KEY_BYTES: usize = 93;
/// Length of a limb in bytes.
pub const LIMB_BYTES: usize = 31;
/// The longest application key of a shared key, in bytes.
pub const MAX_SHARED_KEY: usize = 91;
/// The longest application key of an owned key, in bytes.
pub const MAX_OWNED_KEY: usize = MAX_SHARED_KEY - WRITER_BYTES;
/// The first byte of a shared key.
pub const SHARED_BYTE: u8 = 0x01;
/// The first byte of an owned key. The id of its writer follows.
pub const OWNED_BYTE: u8 = 0x02;
/// The first byte of an index key.
pub const INDEX_BYTE: u8 = 0x03;
/// Length of a writer's id in bytes.
pub const WRITER_BYTES: usize = 4;

/// A key of the tree. Keys are ordered by their bytes, and equally by their limbs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; KEY_BYTES]);

/// The kind of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// The first key of every tree, (0,0,0).
    StartSentinel,
    /// The head entry of a writer.
    Head(u32),
    /// A shared key: the first byte is [`SHARED_BYTE`]. Each writer with the right to shared keys may
    /// write it.
    Shared,
    /// An owned key: the first byte is [`OWNED_BYTE`]. Only this writer may write it.
    Owned(u32),
    /// An index key: the first byte is [`INDEX_BYTE`]. Only a mark writes it ([`crate::mark`]).
    Index,
    /// The key of an op that replaces the head of a writer's log ([`crate::replacement`]). No tree has it.
    Replacement(u32),
    /// The last key of every tree, (max,max,max).
    EndSentinel,
    /// Any other key. Nobody may write it.
    Unused,
}

/// An application's key, and to whom it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplicationKey<'a> {
    /// The only writer who may write it; `None` for a shared key.
    pub owner: Option<u32>,
    /// The application's bytes.
    pub bytes: &'a [u8],
}

/// The bytes are not a key.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// The application key is too long.
    #[error("key of {length} bytes is longer than {limit}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The limit: [`MAX_SHARED_KEY`] or [`MAX_OWNED_KEY`].
        limit: usize,
    },
    /// The encoded key does not have 93 bytes.
    #[error("encoded key: expected {KEY_BYTES} bytes, got {length}")]
    WrongLength {
        /// The length in bytes.
        length: usize,
    },
}

impl Key {
    /// The first key of every tree.
    pub const START: Key = Key([0x00; KEY_BYTES]);
    /// The last key of every tree.
    pub const END: Key = Key([0xff; KEY_BYTES]);
    /// The last keys of the regions of head keys, shared keys and owned keys. Every genesis tree has
    /// them, and by definition they have the greatest height: no node has entries of two regions.
    pub const FENCES: [Key; 3] =
        [Key::last_of(0x00), Key::last_of(SHARED_BYTE), Key::last_of(OWNED_BYTE)];

    const fn last_of(first_byte: u8) -> Key {
        let mut bytes = [0xff; KEY_BYTES];
        bytes[0] = first_byte;
        Key(bytes)
    }

    /// The shared key of an application key. See [`ApplicationKey::key`].
    ///
    /// # Errors
    /// [`KeyError::TooLong`] above 91 bytes.
    pub fn shared(application_key: &[u8]) -> Result<Key, KeyError> {
        ApplicationKey::shared(application_key).key()
    }

    /// The key of an application key that only `owner` may write. See [`ApplicationKey::key`].
    ///
    /// # Errors
    /// [`KeyError::TooLong`] above 87 bytes.
    pub fn owned(owner: u32, application_key: &[u8]) -> Result<Key, KeyError> {
        ApplicationKey::owned(owner, application_key).key()
    }

    /// The key that begins with `prefix` and goes on with one byte, repeated.
    ///
    /// # Panics
    /// If the prefix has more than 93 bytes.
    pub fn filled(prefix: &[u8], fill: u8) -> Key {
        let mut bytes = [fill; KEY_BYTES];
        bytes[..prefix.len()].copy_from_slice(prefix);
        Key(bytes)
    }

    /// The next key in the order of bytes; [`Key::END`] has none and returns itself.
    #[must_use]
    pub fn successor(&self) -> Key {
        let mut bytes = self.0;
        for byte in bytes.iter_mut().rev() {
            let (next, carry) = byte.overflowing_add(1);
            *byte = next;
            if !carry {
                return Key(bytes);
            }
        }
        Key::END
    }

    /// The key of a writer's head entry: `k1 = k2 = 0`, `k3 = 2^32 + writer`.
    pub fn head(writer: u32) -> Key {
        Key::of_writer(1, writer)
    }

    /// The key of an op that replaces a writer's head: `k1 = k2 = 0`, `k3 = 2^33 + writer`.
    pub fn replacement(writer: u32) -> Key {
        Key::of_writer(2, writer)
    }

    /// `k1 = k2 = 0`, `k3 = 2^32 * region + writer`.
    fn of_writer(region: u64, writer: u32) -> Key {
        let mut bytes = [0u8; KEY_BYTES];
        let k3 = (region << 32) | u64::from(writer);
        bytes[KEY_BYTES - 8..].copy_from_slice(&k3.to_be_bytes());
        Key(bytes)
    }

    /// The key with these bytes.
    ///
    /// # Errors
    /// [`KeyError::WrongLength`] unless there are 93 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Key, KeyError> {
        let bytes = bytes.try_into().map_err(|_| KeyError::WrongLength { length: bytes.len() })?;
        Ok(Key(bytes))
    }

    /// The key with these bytes.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Key {
        Key(bytes)
    }

    /// The 93 bytes.
    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// The application key of a key that [`Key::shared`] or [`Key::owned`] can return; `None` for any
    /// other key.
    pub fn application_key(&self) -> Option<ApplicationKey<'_>> {
        let (owner, start) = match self.kind() {
            KeyKind::Shared => (None, 1),
            KeyKind::Owned(owner) => (Some(owner), 1 + WRITER_BYTES),
            _ => return None,
        };
        let length = usize::from(self.0[KEY_BYTES - 1]);
        let padding = self.0.get(start + length..KEY_BYTES - 1)?;
        let regular = padding.iter().all(|b| *b == 0);
        regular.then(|| ApplicationKey { owner, bytes: &self.0[start..start + length] })
    }

    /// The kind of the key.
    pub fn kind(&self) -> KeyKind {
        let [first, owner @ .., _] =
            *self.0.first_chunk::<{ WRITER_BYTES + 2 }>().expect("93 bytes");
        let (front, tail) = self.0.split_at(KEY_BYTES - 8);
        let k3 = u64::from_be_bytes(tail.try_into().expect("8 bytes"));
        match first {
            SHARED_BYTE => KeyKind::Shared,
            OWNED_BYTE => KeyKind::Owned(u32::from_be_bytes(owner)),
            INDEX_BYTE => KeyKind::Index,
            _ if *self == Key::START => KeyKind::StartSentinel,
            _ if *self == Key::END => KeyKind::EndSentinel,
            _ if front.iter().any(|b| *b != 0) => KeyKind::Unused,
            _ => match k3 >> 32 {
                1 => KeyKind::Head(k3 as u32),
                2 => KeyKind::Replacement(k3 as u32),
                _ => KeyKind::Unused,
            },
        }
    }

    /// The limbs `k1, k2, k3`, each below 2^248.
    pub fn limbs(&self) -> [F; 3] {
        let limb = |i: usize| F::from_be_bytes_mod_order(&self.0[i * LIMB_BYTES..][..LIMB_BYTES]);
        [limb(0), limb(1), limb(2)]
    }

    /// The key with these limbs; `None` if a limb is not below 2^248.
    ///
    /// ```
    /// use rootfold_core::{key::Key, F};
    ///
    /// let [k1, k2, k3] = Key::END.limbs();
    /// assert_eq!(Key::from_limbs(&[k1, k2, k3]), Some(Key::END));
    /// assert_eq!(Key::from_limbs(&[k1, k2, k3 + F::from(1u64)]), None);
    /// ```
    pub fn from_limbs(limbs: &[F; 3]) -> Option<Key> {
        let mut bytes = [0u8; KEY_BYTES];
        for (part, limb) in bytes.chunks_exact_mut(LIMB_BYTES).zip(limbs) {
            let limb = limb.into_bigint().to_bytes_be();
            let (high, low) = limb.split_at(limb.len() - LIMB_BYTES);
            if high.iter().any(|byte| *byte != 0) {
                return None;
            }
            part.copy_from_slice(low);
        }
        Some(Key(bytes))
    }

    /// The key digest `kappa = H_3^KEY(k1, k2, k3)`.
    pub fn digest(&self) -> F {
        key_digest(self.limbs())
    }
}

impl<'a> ApplicationKey<'a> {
    /// A key that each writer with the right to shared keys may write.
    pub fn shared(bytes: &'a [u8]) -> Self {
        ApplicationKey { owner: None, bytes }
    }

    /// A key that only `owner` may write.
    pub fn owned(owner: u32, bytes: &'a [u8]) -> Self {
        ApplicationKey { owner: Some(owner), bytes }
    }

    /// The key: its region, which is [`SHARED_BYTE`], or [`OWNED_BYTE`] and the owner's id; the bytes;
    /// zero padding; the number of bytes. Keys of one region have the order of their application keys.
    ///
    /// # Errors
    /// [`KeyError::TooLong`] above 91 bytes for shared and 87 for owned keys.
    pub fn key(&self) -> Result<Key, KeyError> {
        let mut key = Key::filled(&self.prefix()?, 0x00);
        key.0[KEY_BYTES - 1] = self.bytes.len() as u8;
        Ok(key)
    }

    /// A range that has all keys of the region whose application keys begin with these bytes, and
    /// others: those of shorter application keys, which differ in their lengths.
    ///
    /// # Errors
    /// [`KeyError::TooLong`] as for [`ApplicationKey::key`].
    pub fn range(&self) -> Result<Range<Key>, KeyError> {
        let prefix = self.prefix()?;
        // The last byte of an application key is a length, so none equals the end.
        Ok(Key::filled(&prefix, 0x00)..Key::filled(&prefix, 0xff))
    }

    /// A range that has all keys with application keys.
    pub fn all() -> Range<Key> {
        Key::filled(&[SHARED_BYTE], 0x00)..Key::filled(&[INDEX_BYTE], 0x00)
    }

    /// Whether both are of one region and the bytes begin with those of `prefix`.
    pub fn begins_with(&self, prefix: &ApplicationKey<'_>) -> bool {
        self.owner == prefix.owner && self.bytes.starts_with(prefix.bytes)
    }

    /// The region and the bytes.
    fn prefix(&self) -> Result<Vec<u8>, KeyError> {
        let (mut prefix, limit) = match self.owner {
            None => (vec![SHARED_BYTE], MAX_SHARED_KEY),
            Some(owner) => {
                ([&[OWNED_BYTE], owner.to_be_bytes().as_slice()].concat(), MAX_OWNED_KEY)
            }
        };
        let length = self.bytes.len();
        if length > limit {
            return Err(KeyError::TooLong { length, limit });
        }
        prefix.extend_from_slice(self.bytes);
        Ok(prefix)
    }
}

/// `kappa = H_3^KEY(k1, k2, k3)`.
pub fn key_digest(limbs: [F; 3]) -> F {
    hash(Tag::Key, limbs)
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(ApplicationKey { owner, bytes }) = self.application_key() {
            let text = String::from_utf8_lossy(bytes);
            return match owner {
                None => write!(f, "Key({text:?})"),
                Some(owner) => write!(f, "Key(@{owner}/{text:?})"),
            };
        }
        match self.kind() {
            kind @ (KeyKind::Head(_)
            | KeyKind::Replacement(_)
            | KeyKind::StartSentinel
            | KeyKind::EndSentinel) => {
                write!(f, "Key({kind:?})")
            }
            _ => {
                f.write_str("Key(0x")?;
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))?;
                f.write_str(")")
            }
        }
    }
}
