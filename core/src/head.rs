//! Heads: the state of a writer's log in the tree (`docs/design.md`, section 3).

use ark_ff::Field;

use crate::{
    eddsa::PublicKey,
    field::{self, FieldError, FIELD_BYTES},
    hash::{hash, Tag},
    F,
};

/// Length of an encoded head in bytes.
pub const HEAD_BYTES: usize = 5 * FIELD_BYTES;

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
    /// 1 if the writer may write shared keys, 0 if only their own. It is a field element because the
    /// owner may sign a grant with any number; a run starts only with 0 or 1.
    pub shared: F,
}

impl Head {
    /// The head of a log without ops: `head_0 = H_3^LOG(salt, pk.x, pk.y)`. `shared` says whether the
    /// writer may write shared keys.
    pub fn first(salt: F, public_key: PublicKey, shared: bool) -> Head {
        let head = hash(Tag::Log, [salt, public_key.x, public_key.y]);
        Head { public_key, seq: F::from(0u64), head, shared: F::from(shared) }
    }

    /// All parts zero: what the registers hold before the first run.
    pub(crate) fn zero() -> Head {
        let zero = F::from(0u64);
        let public_key = PublicKey { x: zero, y: zero };
        Head { public_key, seq: zero, head: zero, shared: zero }
    }

    /// The head after an op with this item (L4). `more` says whether the op's group goes on.
    #[must_use]
    pub fn after(&self, item: F, more: bool) -> Head {
        let (seq, head) = (self.seq + F::ONE, link(self.head, item, more));
        Head { seq, head, ..*self }
    }

    /// The value of the head entry: `H_5^HEAD(pk.x, pk.y, seq, head, shared)`.
    pub fn digest(&self) -> F {
        hash(Tag::Head, self.to_fields())
    }

    fn to_fields(self) -> [F; 5] {
        [self.public_key.x, self.public_key.y, self.seq, self.head, self.shared]
    }

    /// Encodes pk.x, pk.y, seq, head and shared with 32 big-endian bytes each: the value bytes of a head
    /// entry or a grant.
    pub fn to_bytes(&self) -> [u8; HEAD_BYTES] {
        let mut out = [0u8; HEAD_BYTES];
        for (chunk, part) in out.chunks_mut(FIELD_BYTES).zip(&self.to_fields()) {
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
        Ok(Head { public_key, seq: part(2)?, head: part(3)?, shared: part(4)? })
    }
}

/// The next head, `H_2^LINK(head, item)`, or `H_2^LINK_MORE(head, item)` if the next op belongs to the
/// same group.
pub fn link(head: F, item: F, more: bool) -> F {
    hash(if more { Tag::LinkMore } else { Tag::Link }, [head, item])
}

/// The message that a writer signs after an op, `H_2^SIG(head, seq)`.
pub fn signed_message(head: F, seq: F) -> F {
    hash(Tag::Sig, [head, seq])
}
