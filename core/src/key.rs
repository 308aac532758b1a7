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
/// The longest application key, in bytes.
pub const MAX_APPLICATION_KEY: usize = 91;
/// First byte of every user key.
pub const USER_BYTE: u8 = 0x01;

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
    /// A user key: the first byte is `0x01`.
    User,
    /// The last key of every tree, (max,max,max).
    EndSentinel,
    /// Any other key. No entry has one.
    Unused,
}

/// The bytes are not a key.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// The application key is too long.
    #[error("key of {length} bytes is longer than {MAX_APPLICATION_KEY}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
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

    /// The user key of an application key: `0x01`, the application key, zero padding, its length.
    /// User keys have the order of their application keys.
    ///
    /// # Errors
    /// [`KeyError::TooLong`] above 91 bytes.
    pub fn user(application_key: &[u8]) -> Result<Key, KeyError> {
        let length = application_key.len();
        if length > MAX_APPLICATION_KEY {
            return Err(KeyError::TooLong { length });
        }
        let mut bytes = [0u8; KEY_BYTES];
        bytes[0] = USER_BYTE;
        bytes[1..=length].copy_from_slice(application_key);
        bytes[KEY_BYTES - 1] = length as u8;
        Ok(Key(bytes))
    }

    /// A range that has all user keys whose application keys begin with `prefix`, and others: those of
    /// shorter application keys, which differ in their lengths.
    ///
    /// # Errors
    /// [`KeyError::TooLong`] above 91 bytes.
    pub fn with_prefix(prefix: &[u8]) -> Result<Range<Key>, KeyError> {
        let length = prefix.len();
        if length > MAX_APPLICATION_KEY {
            return Err(KeyError::TooLong { length });
        }
        let bound = |fill: u8| {
            let mut bytes = [fill; KEY_BYTES];
            bytes[0] = USER_BYTE;
            bytes[1..=length].copy_from_slice(prefix);
            Key(bytes)
        };
        // The last byte of a user key is a length, so none equals the end.
        Ok(bound(0x00)..bound(0xff))
    }

    /// The key of a writer's head entry: `k1 = k2 = 0`, `k3 = 2^32 + writer`.
    pub fn head(writer: u32) -> Key {
        let mut bytes = [0u8; KEY_BYTES];
        let k3 = (1u64 << 32) | u64::from(writer);
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

    /// The application key of a user key that [`Key::user`] can return; `None` for any other key.
    pub fn application_key(&self) -> Option<&[u8]> {
        let length = usize::from(self.0[KEY_BYTES - 1]);
        let regular = self.0[0] == USER_BYTE
            && length <= MAX_APPLICATION_KEY
            && self.0[1 + length..KEY_BYTES - 1].iter().all(|b| *b == 0);
        regular.then(|| &self.0[1..=length])
    }

    /// The kind of the key.
    pub fn kind(&self) -> KeyKind {
        let (front, tail) = self.0.split_at(KEY_BYTES - 8);
        let mut k3 = [0u8; 8];
        k3.copy_from_slice(tail);
        let k3 = u64::from_be_bytes(k3);
        if self.0[0] == USER_BYTE {
            KeyKind::User
        } else if *self == Key::START {
            KeyKind::StartSentinel
        } else if *self == Key::END {
            KeyKind::EndSentinel
        } else if front.iter().all(|b| *b == 0) && k3 >> 32 == 1 {
            KeyKind::Head(k3 as u32)
        } else {
            KeyKind::Unused
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

/// `kappa = H_3^KEY(k1, k2, k3)`.
pub fn key_digest(limbs: [F; 3]) -> F {
    hash(Tag::Key, limbs)
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.kind(), self.application_key()) {
            (_, Some(key)) => write!(f, "Key({:?})", String::from_utf8_lossy(key)),
            (KeyKind::User | KeyKind::Unused, None) => {
                f.write_str("Key(0x")?;
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))?;
                f.write_str(")")
            }
            (kind, None) => write!(f, "Key({kind:?})"),
        }
    }
}
