//! Replacements: ops with which the owner puts another opening into a head entry (rules L12 and L13).
//!
//! A writer loses their key, or it is stolen, or they must not write any more. The owner replaces the
//! head of their log: the log goes on from the same op under another key, or it is closed. The op names
//! the head entry that it replaces, so its effect does not depend on the order in which ops arrive: what
//! the writer wrote up to that head stays, and no other continuation of it belongs to the log.

use thiserror::Error;

use crate::{
    eddsa::{PublicKey, POINT_BYTES},
    field::FieldError,
    hash::{hash, Tag},
    head::{Head, HEAD_BYTES},
    key::Key,
    log::{Tip, OWNER},
    stamp::Stamp,
    F,
};

/// Length of the encoded replacement of the head of a writer other than the owner, in bytes.
pub const REPLACEMENT_BYTES: usize = 4 + HEAD_BYTES + 8 + 4 + POINT_BYTES + 1;

/// What a replacement does: the preimage of its op's value digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacement {
    /// The head of a writer other than the owner is replaced.
    Head {
        /// The writer.
        writer: u32,
        /// The end of the log, from which it goes on.
        before: Tip,
        /// The key under which the log goes on; [`PublicKey::CLOSED`] closes it.
        public_key: PublicKey,
        /// Whether the writer may write shared keys from now on.
        shared: bool,
    },
    /// The owner's key is replaced. The op is the last one under the old key, and ends its run.
    OwnerKey(PublicKey),
}

/// The bytes are not a replacement.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum ReplacementError {
    /// The length is wrong.
    #[error(
        "a replacement of a head has {REPLACEMENT_BYTES} bytes, or {POINT_BYTES} for the owner's, not \
         {length}"
    )]
    Length {
        /// The length in bytes.
        length: usize,
    },
    /// The owner's head is replaced as another writer's.
    #[error("a replacement of the owner's head has only the new key")]
    Owner,
    /// A number is not below the modulus.
    #[error("a replacement of a head: {0}")]
    Field(#[from] FieldError),
    /// The byte of the right to shared keys is neither 0 nor 1.
    #[error("a replacement of a head: the right to shared keys is 0 or 1, got {byte}")]
    Right {
        /// The byte.
        byte: u8,
    },
}

impl Replacement {
    /// The writer whose head is replaced.
    pub fn writer(&self) -> u32 {
        match self {
            Replacement::Head { writer, .. } => *writer,
            Replacement::OwnerKey(_) => OWNER,
        }
    }

    /// The key of the op.
    pub fn key(&self) -> Key {
        Key::replacement(self.writer())
    }

    /// The key under which the log goes on.
    pub fn public_key(&self) -> PublicKey {
        match self {
            Replacement::Head { public_key, .. } | Replacement::OwnerKey(public_key) => *public_key,
        }
    }

    /// The new head of the writer; `None` for the owner, whose head contains this op.
    pub fn after(&self) -> Option<Head> {
        match *self {
            Replacement::Head { before, public_key, shared, .. } => {
                Some(Head { public_key, shared: F::from(shared), ..before.head })
            }
            Replacement::OwnerKey(_) => None,
        }
    }

    /// The value digest of the op: `H_2^REPLACE(item of the old head entry, digest of the new head)`, or
    /// for the owner `H_2^REPLACE(pk.x, pk.y)`.
    pub fn digest(&self) -> F {
        let inputs = match (self, self.after()) {
            (Replacement::Head { writer, before, .. }, Some(after)) => {
                [before.entry(*writer).item(), after.digest()]
            }
            _ => [self.public_key().x, self.public_key().y],
        };
        hash(Tag::Replace, inputs)
    }

    /// Encodes the writer (4 bytes), the old head, the clock (8 bytes) and writer (4 bytes) of its stamp,
    /// the new key and the right to shared keys (1 byte); for the owner, only the new key. Numbers are
    /// big-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Replacement::Head { writer, before, public_key, shared } => {
                let mut out = writer.to_be_bytes().to_vec();
                out.extend_from_slice(&before.head.to_bytes());
                out.extend_from_slice(&before.stamp.ts.to_be_bytes());
                out.extend_from_slice(&before.stamp.writer.to_be_bytes());
                out.extend_from_slice(&public_key.to_bytes());
                out.push(u8::from(*shared));
                out
            }
            Replacement::OwnerKey(public_key) => public_key.to_bytes().to_vec(),
        }
    }

    /// Decodes the encoding of [`Replacement::to_bytes`]. The new key may be one under which no signature
    /// is valid.
    ///
    /// # Errors
    /// [`ReplacementError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Replacement, ReplacementError> {
        if let Ok(key) = <&[u8; POINT_BYTES]>::try_from(bytes) {
            return Ok(Replacement::OwnerKey(PublicKey::from_bytes(key)?));
        }
        let wrong = || ReplacementError::Length { length: bytes.len() };
        let (writer, rest) = bytes.split_first_chunk::<4>().ok_or_else(wrong)?;
        let (head, rest) = rest.split_first_chunk::<HEAD_BYTES>().ok_or_else(wrong)?;
        let (ts, rest) = rest.split_first_chunk::<8>().ok_or_else(wrong)?;
        let (stamped_by, rest) = rest.split_first_chunk::<4>().ok_or_else(wrong)?;
        let (public_key, rest) = rest.split_first_chunk::<POINT_BYTES>().ok_or_else(wrong)?;
        let shared = match rest {
            [0] => false,
            [1] => true,
            [byte] => return Err(ReplacementError::Right { byte: *byte }),
            _ => return Err(wrong()),
        };
        let writer = u32::from_be_bytes(*writer);
        if writer == OWNER {
            return Err(ReplacementError::Owner);
        }
        let stamp = Stamp { ts: u64::from_be_bytes(*ts), writer: u32::from_be_bytes(*stamped_by) };
        let before = Tip { head: Head::from_bytes(head)?, stamp };
        let public_key = PublicKey::from_bytes(public_key)?;
        Ok(Replacement::Head { writer, before, public_key, shared })
    }
}
