//! Values under their digests.
//!
//! A digest is of one of two kinds, and the kinds are kept apart everywhere: otherwise a writer
//! could put the digest of some head into a user's op, and nobody could ever serve that value.

use rootfold_core::{
    field,
    head::{Head, HEAD_BYTES},
    item::Entry,
    key::{Key, KeyKind},
    value::{tombstone, value_digest, MAX_VALUE},
    F,
};
use thiserror::Error;

/// What a digest was computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueKind {
    /// BLAKE3, cut to 31 bytes.
    User,
    /// [`Head::digest`].
    Head,
}

/// The name of a value: what it must hash to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueName {
    /// What the digest was computed with.
    pub kind: ValueKind,
    /// The digest.
    pub digest: F,
}

/// A value and what it claims to be; see [`Value::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Its name.
    pub name: ValueName,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Why bytes are not the value of that name.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum ValueRefused {
    /// Longer than [`MAX_VALUE`].
    #[error("a value of {length} bytes, the limit is {MAX_VALUE}")]
    TooLarge {
        /// Its length.
        length: usize,
    },
    /// The digest of the bytes is another.
    #[error("the value does not match its digest {digest}")]
    Mismatch {
        /// The digest that was asked for, in hexadecimal.
        digest: String,
    },
    /// Not four field elements.
    #[error("{length} bytes are not the opening of a head, which has {HEAD_BYTES}")]
    NotAHead {
        /// The length.
        length: usize,
    },
}

impl ValueName {
    /// The value that an op or entry with this key and digest needs; `None` for a tombstone and
    /// for the sentinels.
    pub fn of(key: &Key, digest: F) -> Option<ValueName> {
        if digest == tombstone() {
            return None;
        }
        let kind = match key.kind() {
            KeyKind::User => ValueKind::User,
            KeyKind::Head(_) => ValueKind::Head,
            KeyKind::StartSentinel | KeyKind::EndSentinel | KeyKind::Unused => return None,
        };
        Some(ValueName { kind, digest })
    }

    /// The value that `entry` needs.
    pub fn of_entry(entry: &Entry) -> Option<ValueName> {
        ValueName::of(&entry.key, entry.value)
    }

    /// Checks that `content` is the value of this name.
    ///
    /// # Errors
    /// [`ValueRefused`].
    pub fn check(&self, content: &[u8]) -> Result<(), ValueRefused> {
        let digest = match self.kind {
            ValueKind::User if content.len() > MAX_VALUE => {
                return Err(ValueRefused::TooLarge { length: content.len() });
            }
            ValueKind::User => value_digest(content),
            ValueKind::Head => open_head(content)?.digest(),
        };
        if digest == self.digest {
            Ok(())
        } else {
            Err(ValueRefused::Mismatch { digest: field::to_hex(&self.digest) })
        }
    }
}

impl Value {
    /// A user's value under its digest.
    pub fn user(content: Vec<u8>) -> Value {
        let name = ValueName { kind: ValueKind::User, digest: value_digest(&content) };
        Value { name, content }
    }

    /// The opening of a head under its digest.
    pub fn head(head: &Head) -> Value {
        let name = ValueName { kind: ValueKind::Head, digest: head.digest() };
        Value { name, content: head.to_bytes().to_vec() }
    }

    /// Checks the bytes against the name.
    ///
    /// # Errors
    /// [`ValueRefused`].
    pub fn check(&self) -> Result<(), ValueRefused> {
        self.name.check(&self.content)
    }
}

/// Decodes the opening of a head.
///
/// # Errors
/// [`ValueRefused::NotAHead`].
pub fn open_head(content: &[u8]) -> Result<Head, ValueRefused> {
    let refused = || ValueRefused::NotAHead { length: content.len() };
    let bytes: &[u8; HEAD_BYTES] = content.try_into().map_err(|_| refused())?;
    Head::from_bytes(bytes).map_err(|_| refused())
}
