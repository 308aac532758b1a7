//! Values and their digests.
//!
//! A digest is of one of three kinds, and its kind is part of its name. Otherwise a writer could put
//! the digest of a log head into an op under a user's key, and no node could serve a user value
//! with that digest.

use rootfold_core::{
    field,
    head::{Head, HEAD_BYTES},
    item::Entry,
    key::{Key, KeyKind},
    replacement::{Replacement, ReplacementError},
    value::{tombstone, value_digest, MAX_VALUE},
    F,
};
use thiserror::Error;

/// The hash function of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueKind {
    /// BLAKE3, truncated to 31 bytes: [`value_digest`].
    User,
    /// Poseidon over the fields of a log head: [`Head::digest`].
    Head,
    /// Poseidon over what a replacement of a head puts in place: [`Replacement::digest`].
    Replacement,
}

/// The name of a value: the digest that its bytes must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueName {
    /// The hash function.
    pub kind: ValueKind,
    /// The digest.
    pub digest: F,
}

/// Bytes under a name that they may not match: see [`Value::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The name.
    pub name: ValueName,
    /// The bytes.
    pub content: Vec<u8>,
}

/// Why bytes do not match a name.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum ValueError {
    /// Longer than [`MAX_VALUE`].
    #[error("value of {length} bytes, the limit is {MAX_VALUE}")]
    TooLarge {
        /// The length in bytes.
        length: usize,
    },
    /// The bytes have another digest.
    #[error("value does not match its digest {digest}")]
    Mismatch {
        /// The digest of the name, in hexadecimal.
        digest: String,
    },
    /// Not the encoding of a log head.
    #[error("not a log head of {HEAD_BYTES} bytes (got {length} bytes)")]
    NotAHead {
        /// The length in bytes.
        length: usize,
    },
    /// Not the encoding of a replacement of a head.
    #[error(transparent)]
    NotAReplacement(#[from] ReplacementError),
}

impl ValueName {
    /// The name of the value that an op or entry refers to; `None` for a tombstone and for keys
    /// without values.
    pub fn of(key: &Key, digest: F) -> Option<ValueName> {
        if digest == tombstone() {
            return None;
        }
        let kind = match key.kind() {
            KeyKind::Shared | KeyKind::Owned(_) | KeyKind::Index => ValueKind::User,
            KeyKind::Head(_) => ValueKind::Head,
            KeyKind::Replacement(_) => ValueKind::Replacement,
            KeyKind::StartSentinel | KeyKind::EndSentinel | KeyKind::Unused => return None,
        };
        Some(ValueName { kind, digest })
    }

    /// The name of an entry's value; `None` as in [`ValueName::of`].
    pub fn of_entry(entry: &Entry) -> Option<ValueName> {
        ValueName::of(&entry.key, entry.value)
    }

    /// Checks that `content` has this name. Costs one hash of `content`.
    ///
    /// # Errors
    /// [`ValueError`].
    pub fn check(&self, content: &[u8]) -> Result<(), ValueError> {
        let digest = match self.kind {
            ValueKind::User if content.len() > MAX_VALUE => {
                return Err(ValueError::TooLarge { length: content.len() });
            }
            ValueKind::User => value_digest(content),
            ValueKind::Head => open_head(content)?.digest(),
            ValueKind::Replacement => Replacement::from_bytes(content)?.digest(),
        };
        if digest == self.digest {
            Ok(())
        } else {
            Err(ValueError::Mismatch { digest: field::to_hex(&self.digest) })
        }
    }
}

impl Value {
    /// A user value under its digest.
    pub fn user(content: Vec<u8>) -> Value {
        let name = ValueName { kind: ValueKind::User, digest: value_digest(&content) };
        Value { name, content }
    }

    /// The encoding of a log head under the head's digest.
    pub fn head(head: &Head) -> Value {
        let name = ValueName { kind: ValueKind::Head, digest: head.digest() };
        Value { name, content: head.to_bytes().to_vec() }
    }

    /// The encoding of a replacement of a head under its digest.
    pub fn replacement(replacement: &Replacement) -> Value {
        let name = ValueName { kind: ValueKind::Replacement, digest: replacement.digest() };
        Value { name, content: replacement.to_bytes() }
    }

    /// Checks the bytes against the name.
    ///
    /// # Errors
    /// [`ValueError`].
    pub fn check(&self) -> Result<(), ValueError> {
        self.name.check(&self.content)
    }
}

/// Decodes a log head.
///
/// # Errors
/// [`ValueError::NotAHead`].
pub fn open_head(content: &[u8]) -> Result<Head, ValueError> {
    let refused = || ValueError::NotAHead { length: content.len() };
    let bytes: &[u8; HEAD_BYTES] = content.try_into().map_err(|_| refused())?;
    Head::from_bytes(bytes).map_err(|_| refused())
}
