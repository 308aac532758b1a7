//! Heads: how far a writer's log is folded (design 3).

use crate::{
    eddsa::PublicKey,
    field::{self, FieldError, FIELD_BYTES},
    hash::{hash, Tag},
    F,
};

/// Length of an encoded head in bytes.
pub const HEAD_BYTES: usize = 4 * FIELD_BYTES;

/// What a head entry's value opens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The writer's key. Any two field elements; a key that is no good point signs nothing.
    pub public_key: PublicKey,
    /// Number of ops folded so far. A field element here because an owner may sign a grant with
    /// any number; a run starts and ends only below 2^64.
    pub seq: F,
    /// The head of the log after that many ops.
    pub head: F,
}

impl Head {
    /// The head of a log without ops: `head_0 = H_3^LOG(salt, pk.x, pk.y)`.
    pub fn first(salt: F, public_key: PublicKey) -> Head {
        let head = hash(Tag::Log, [salt, public_key.x, public_key.y]);
        Head { public_key, seq: F::from(0u64), head }
    }

    /// The value of the head entry: `H_4^HEAD(pk.x, pk.y, seq, head)`.
    pub fn digest(&self) -> F {
        hash(Tag::Head, [self.public_key.x, self.public_key.y, self.seq, self.head])
    }

    /// Encodes as pk.x, pk.y, seq, head: the "value bytes" of a head entry or a grant.
    pub fn to_bytes(&self) -> [u8; HEAD_BYTES] {
        let mut out = [0u8; HEAD_BYTES];
        let parts = [self.public_key.x, self.public_key.y, self.seq, self.head];
        for (chunk, part) in out.chunks_mut(FIELD_BYTES).zip(&parts) {
            chunk.copy_from_slice(&field::to_bytes(part));
        }
        out
    }

    /// Decodes what [`Head::to_bytes`] made.
    ///
    /// # Errors
    /// [`FieldError::NotCanonical`] if one of the four numbers is no field element.
    pub fn from_bytes(bytes: &[u8; HEAD_BYTES]) -> Result<Head, FieldError> {
        let part = |i: usize| {
            let mut chunk = [0u8; FIELD_BYTES];
            chunk.copy_from_slice(&bytes[i * FIELD_BYTES..][..FIELD_BYTES]);
            field::from_bytes(&chunk)
        };
        let public_key = PublicKey { x: part(0)?, y: part(1)? };
        Ok(Head { public_key, seq: part(2)?, head: part(3)? })
    }
}

/// `head' = H_2^LINK(head, item)`.
pub fn link(head: F, item: F) -> F {
    hash(Tag::Link, [head, item])
}

/// What a writer signs after every op: `H_2^SIG(head, seq)`.
pub fn signed_message(head: F, seq: F) -> F {
    hash(Tag::Sig, [head, seq])
}
