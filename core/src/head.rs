//! Heads: the state of a writer's log in the tree (`docs/design.md`, section 3).

use crate::{
    eddsa::PublicKey,
    field::{self, FieldError, FIELD_BYTES},
    hash::{hash, Tag},
    F,
};

/// Length of an encoded head in bytes.
pub const HEAD_BYTES: usize = 4 * FIELD_BYTES;

/// The preimage of a head entry's value digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The writer's key. It may be off the curve: then the log has no valid signature.
    pub public_key: PublicKey,
    /// Number of folded ops. It is a field element because the owner may sign a grant with any
    /// number; a run starts and ends only with numbers below 2^64.
    pub seq: F,
    /// The head of the log after these ops.
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

    /// Encodes pk.x, pk.y, seq and head with 32 big-endian bytes each: the value bytes of a head
    /// entry or a grant.
    pub fn to_bytes(&self) -> [u8; HEAD_BYTES] {
        let mut out = [0u8; HEAD_BYTES];
        let parts = [self.public_key.x, self.public_key.y, self.seq, self.head];
        for (chunk, part) in out.chunks_mut(FIELD_BYTES).zip(&parts) {
            chunk.copy_from_slice(&field::to_bytes(part));
        }
        out
    }

    /// Decodes the encoding of [`Head::to_bytes`].
    ///
    /// # Errors
    /// [`FieldError::NotCanonical`] if a number is not below the modulus.
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

/// The next head, `H_2^LINK(head, item)`.
pub fn link(head: F, item: F) -> F {
    hash(Tag::Link, [head, item])
}

/// The message that a writer signs after an op, `H_2^SIG(head, seq)`.
pub fn signed_message(head: F, seq: F) -> F {
    hash(Tag::Sig, [head, seq])
}
