//! Op logs: the linked and signed ops of one writer (rules L3 to L5, L7 and L9).

use thiserror::Error;

use crate::{
    eddsa::{verify, PublicKey, SecretKey, Signature, SignatureRefused},
    field::{self, to_u64, FieldError, FIELD_BYTES},
    head::{signed_message, Head},
    item::Entry,
    key::{Key, KeyKind, KEY_BYTES},
    stamp::Stamp,
    F,
};

/// Length of an encoded op in bytes.
pub const OP_BYTES: usize = 8 + KEY_BYTES + FIELD_BYTES + 1;

/// The writer id of the owner.
pub const OWNER: u32 = 0;

/// An op: writes a value, writes a tombstone, marks the op before it, grants a writer, or replaces the
/// head of a writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Op {
    /// Hybrid logical clock, see [`Stamp::ts`].
    pub ts: u64,
    /// A shared or owned key; for a mark, an index key; for a grant, the key of the granted writer's head
    /// entry; for a replacement, [`Key::replacement`].
    pub key: Key,
    /// The value digest; 0 for a tombstone; for a grant, [`Head::digest`]; for a replacement,
    /// [`Replacement::digest`](crate::replacement::Replacement::digest).
    pub value: F,
    /// Whether the next op of the log belongs to the same group. A group is ingested and folded as a
    /// whole: it can be signed only after its last op (L11).
    pub more: bool,
}

/// An op, and a signature if the writer signed after it. A signature covers all earlier ops of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedOp {
    /// The op.
    pub op: Op,
    /// The writer's signature over the head and seq after this op.
    pub signature: Option<Signature>,
}

/// Consecutive ops of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogBatch {
    /// The writer of the log.
    pub writer: u32,
    /// The number of ops before the first op of the batch.
    pub first_seq: u64,
    /// The ops. The last one is signed.
    pub ops: Vec<SignedOp>,
}

/// The end of a log, to which the next op is linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// The writer's key, the number of ops and the head after them.
    pub head: Head,
    /// The stamp of the last op; in an empty log, of the genesis entry or of the grant.
    pub stamp: Stamp,
}

/// The bytes are not an op.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum OpError {
    /// The value digest is not below the modulus.
    #[error("value digest: {0}")]
    Value(#[from] FieldError),
    /// The last byte is neither 0 nor 1.
    #[error("op: whether its group goes on is 0 or 1, got {byte}")]
    More {
        /// The byte.
        byte: u8,
    },
}

/// The ops do not continue the log. `seq` counts from 1 and is the number that is signed with the
/// op.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum LogError {
    /// The writer is not admitted.
    #[error("writer {writer} is not known in this space")]
    UnknownWriter {
        /// The writer.
        writer: u32,
    },
    /// The batch has no ops.
    #[error("writer {writer}: a batch without ops")]
    Empty {
        /// The writer.
        writer: u32,
    },
    /// The batch does not begin at the end of the log: ops are missing, or it is another branch.
    #[error(
        "writer {writer}: the batch begins after op {first_seq}, the log ends at op {expected}"
    )]
    Gap {
        /// The writer.
        writer: u32,
        /// The number of ops that the log has.
        expected: u64,
        /// The number of ops that the batch presumes.
        first_seq: u64,
    },
    /// The log is full, or the owner granted a seq of 2^64 or more.
    #[error("writer {writer}: the op number would reach 2^64")]
    SeqExhausted {
        /// The writer.
        writer: u32,
    },
    /// L3: the clock does not increase.
    #[error("writer {writer}, op {seq}: ts {ts} is not greater than {previous}")]
    ClockNotGrowing {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
        /// The op's clock.
        ts: u64,
        /// The clock of the op before.
        previous: u64,
    },
    /// L2: the right to shared keys in the head entry is neither 0 nor 1.
    #[error("writer {writer}: the owner granted neither 0 nor 1 as the right to shared keys")]
    RightRefused {
        /// The writer.
        writer: u32,
    },
    /// L9: nobody may write this key.
    #[error("writer {writer}, op {seq}: {key:?} is not a key that anyone may write")]
    KeyRefused {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
        /// The op's key.
        key: Key,
    },
    /// L9: an owned key of another writer.
    #[error(
        "writer {writer}, op {seq}: {key:?} belongs to writer {owner}, only they may write it"
    )]
    OtherOwner {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
        /// The op's key.
        key: Key,
        /// The writer to whom the key belongs.
        owner: u32,
    },
    /// L9: a shared key, and the writer has no right to shared keys.
    #[error(
        "writer {writer}, op {seq}: {key:?} is a shared key, and writer {writer} may write only \
         their own keys in this space"
    )]
    NotShared {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
        /// The op's key.
        key: Key,
    },
    /// L10: an index key that is not a mark of the op before it.
    #[error("writer {writer}, op {seq}: not a mark of the op before it: {reason}")]
    MarkRefused {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
        /// What is wrong.
        reason: MarkRefusal,
    },
    /// L11: a signature inside a group.
    #[error("writer {writer}, op {seq}: signed inside a group; a group is signed at its end")]
    GroupCut {
        /// The writer.
        writer: u32,
        /// The number of the signed op.
        seq: u64,
    },
    /// L7: only writer 0, the owner, grants and replaces heads.
    #[error(
        "writer {writer}, op {seq}: only the owner may admit writer {of} or replace their head"
    )]
    NotOwner {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
        /// The writer to be admitted or replaced.
        of: u32,
    },
    /// L12, L13: a replacement of a head that cannot be folded.
    #[error("writer {writer}, op {seq}: the head of writer {of} is not replaced: {reason}")]
    ReplacementRefused {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
        /// The writer whose head is to be replaced.
        of: u32,
        /// What is wrong.
        reason: ReplacementRefusal,
    },
    /// M3: a writer is admitted once.
    #[error("writer {writer}, op {seq}: writer {granted} is already admitted")]
    GrantedAlready {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
        /// The writer to be admitted.
        granted: u32,
    },
    /// The last op is not signed.
    #[error("writer {writer}, op {seq}: the last op of a batch must be signed")]
    Unsigned {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
    },
    /// L5: the signature is not valid for this log: it is by another key, an earlier op was changed,
    /// removed or moved, or the log is another branch.
    #[error("writer {writer}, op {seq}: {source}")]
    Signature {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
        /// The result of the verification.
        source: SignatureRefused,
    },
    /// The secret key does not belong to the log.
    #[error("the secret key does not belong to writer {writer}")]
    NotYourLog {
        /// The writer.
        writer: u32,
    },
}

/// Why an op on an index key is not a mark of the op before it (L10).
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum MarkRefusal {
    /// It is the first op of its group.
    #[error("no op is before it in its group")]
    Alone,
    /// The clocks differ.
    #[error("it has another clock")]
    Clock,
    /// The value is neither that of the op nor a tombstone.
    #[error("it has another value")]
    Value,
    /// The index key has the digest of another key.
    #[error("its key is not an index key of that op's key")]
    Key,
    /// The op has this mark already.
    #[error("the op is marked with it twice")]
    Twice,
}

/// Why a replacement is refused (L12, L13).
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum ReplacementRefusal {
    /// The bytes behind the op's value digest are not known.
    #[error("what it puts in place is not known")]
    Unknown,
    /// The head entry is not older than the op.
    #[error("the op is not later than the head that it replaces")]
    Clock,
    /// No run can start from the head.
    #[error("the head that it replaces has a number of ops or a right out of range")]
    Range,
    /// The run has replaced the same head.
    #[error("this run has replaced it before")]
    Twice,
    /// Another op follows one that replaces the owner's key.
    #[error("the op that replaces the owner's key is not the last one that the old key signs")]
    NotLast,
}

impl LogError {
    /// The writer of the log.
    pub fn writer(&self) -> u32 {
        match self {
            LogError::UnknownWriter { writer }
            | LogError::Empty { writer }
            | LogError::Gap { writer, .. }
            | LogError::SeqExhausted { writer }
            | LogError::ClockNotGrowing { writer, .. }
            | LogError::KeyRefused { writer, .. }
            | LogError::RightRefused { writer }
            | LogError::OtherOwner { writer, .. }
            | LogError::NotShared { writer, .. }
            | LogError::MarkRefused { writer, .. }
            | LogError::GroupCut { writer, .. }
            | LogError::NotOwner { writer, .. }
            | LogError::ReplacementRefused { writer, .. }
            | LogError::GrantedAlready { writer, .. }
            | LogError::Unsigned { writer, .. }
            | LogError::Signature { writer, .. }
            | LogError::NotYourLog { writer } => *writer,
        }
    }
}

impl Op {
    /// The op's stamp in the log of `writer`.
    pub fn stamp(&self, writer: u32) -> Stamp {
        Stamp { ts: self.ts, writer }
    }

    /// The entry that the op writes, unless the tree has an entry with a greater stamp.
    pub fn entry(&self, writer: u32) -> Entry {
        Entry { key: self.key, stamp: self.stamp(writer), value: self.value }
    }

    /// The op's item in the log of `writer`.
    pub fn item(&self, writer: u32) -> F {
        self.entry(writer).item()
    }

    /// Whether this is a mark of the op before it.
    pub fn is_mark(&self) -> bool {
        self.key.kind() == KeyKind::Index
    }

    /// Encodes ts (8 bytes, big-endian), key, value and `more` (1 byte).
    pub fn to_bytes(&self) -> [u8; OP_BYTES] {
        let mut out = [0u8; OP_BYTES];
        out[..8].copy_from_slice(&self.ts.to_be_bytes());
        out[8..8 + KEY_BYTES].copy_from_slice(self.key.as_bytes());
        out[8 + KEY_BYTES..OP_BYTES - 1].copy_from_slice(&field::to_bytes(&self.value));
        out[OP_BYTES - 1] = u8::from(self.more);
        out
    }

    /// Decodes the encoding of [`Op::to_bytes`].
    ///
    /// # Errors
    /// [`OpError`] if the value is not below the modulus or the last byte is neither 0 nor 1.
    pub fn from_bytes(bytes: &[u8; OP_BYTES]) -> Result<Op, OpError> {
        let (mut ts, mut key, mut value) = ([0u8; 8], [0u8; KEY_BYTES], [0u8; FIELD_BYTES]);
        ts.copy_from_slice(&bytes[..8]);
        key.copy_from_slice(&bytes[8..8 + KEY_BYTES]);
        value.copy_from_slice(&bytes[8 + KEY_BYTES..OP_BYTES - 1]);
        let value = field::from_bytes(&value)?;
        let more = match bytes[OP_BYTES - 1] {
            0 => false,
            1 => true,
            byte => return Err(OpError::More { byte }),
        };
        Ok(Op { ts: u64::from_be_bytes(ts), key: Key::from_bytes(key), value, more })
    }

    /// Checks that `writer` may write this key, in a log with the tip `tip` (L7, L9). Returns the writer
    /// that the op admits, if it is a grant. `seq` is for the error.
    ///
    /// # Errors
    /// [`LogError::KeyRefused`], [`LogError::OtherOwner`], [`LogError::NotShared`],
    /// [`LogError::NotOwner`], or [`LogError::RightRefused`].
    pub fn granted(&self, writer: u32, tip: &Tip, seq: u64) -> Result<Option<u32>, LogError> {
        let key = self.key;
        match key.kind() {
            KeyKind::Shared if !tip.may_share(writer)? => {
                Err(LogError::NotShared { writer, seq, key })
            }
            KeyKind::Owned(owner) if owner != writer => {
                Err(LogError::OtherOwner { writer, seq, key, owner })
            }
            KeyKind::Shared | KeyKind::Owned(_) | KeyKind::Index => Ok(None),
            KeyKind::Head(granted) if writer == OWNER => Ok(Some(granted)),
            KeyKind::Replacement(_) if writer == OWNER => Ok(None),
            KeyKind::Head(of) | KeyKind::Replacement(of) => {
                Err(LogError::NotOwner { writer, seq, of })
            }
            KeyKind::StartSentinel | KeyKind::EndSentinel | KeyKind::Unused => {
                Err(LogError::KeyRefused { writer, seq, key })
            }
        }
    }
}

impl SignedOp {
    /// Makes `op` the next op of a log, signed unless its group goes on. Returns it with the new tip.
    ///
    /// # Errors
    /// [`LogError`] if the op does not continue the log or `secret` does not belong to it.
    pub fn sign(
        tip: &Tip,
        writer: u32,
        op: Op,
        secret: &SecretKey,
    ) -> Result<(SignedOp, Tip), LogError> {
        if secret.public_key() != tip.head.public_key {
            return Err(LogError::NotYourLog { writer });
        }
        let tip = tip.apply(writer, &op)?;
        let sign = || secret.sign(signed_message(tip.head.head, tip.head.seq));
        Ok((SignedOp { op, signature: (!op.more).then(sign) }, tip))
    }
}

impl Tip {
    /// The tip of a genesis writer's empty log. `shared` says whether they may write shared keys.
    pub fn genesis(salt: F, writer: u32, public_key: PublicKey, shared: bool) -> Tip {
        Tip { head: Head::first(salt, public_key, shared), stamp: Stamp { ts: 0, writer } }
    }

    /// Whether the writer may write shared keys. `writer` is for the error.
    ///
    /// # Errors
    /// [`LogError::RightRefused`] if the owner granted neither 0 nor 1.
    pub fn may_share(&self, writer: u32) -> Result<bool, LogError> {
        match to_u64(&self.head.shared) {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            _ => Err(LogError::RightRefused { writer }),
        }
    }

    /// The number of ops. `writer` is for the error.
    ///
    /// # Errors
    /// [`LogError::SeqExhausted`] if the owner granted 2^64 or more.
    pub fn seq(&self, writer: u32) -> Result<u64, LogError> {
        to_u64(&self.head.seq).ok_or(LogError::SeqExhausted { writer })
    }

    /// The head entry of this tip.
    pub fn entry(&self, writer: u32) -> Entry {
        Entry { key: Key::head(writer), stamp: self.stamp, value: self.head.digest() }
    }

    /// The tip after `op`, by L3 and L4. Checks neither the key nor a signature, nor what a mark marks.
    ///
    /// # Errors
    /// [`LogError::ClockNotGrowing`], [`LogError::MarkRefused`] for a mark with another clock,
    /// [`LogError::SeqExhausted`] if seq would reach 2^64, or [`LogError::RightRefused`].
    pub fn apply(&self, writer: u32, op: &Op) -> Result<Tip, LogError> {
        self.may_share(writer)?;
        let seq = self.seq(writer)?;
        let seq = seq.checked_add(1).ok_or(LogError::SeqExhausted { writer })?;
        if op.is_mark() {
            if op.ts != self.stamp.ts {
                return Err(LogError::MarkRefused { writer, seq, reason: MarkRefusal::Clock });
            }
        } else if op.ts <= self.stamp.ts {
            let previous = self.stamp.ts;
            return Err(LogError::ClockNotGrowing { writer, seq, ts: op.ts, previous });
        }
        let head = self.head.after(op.item(writer), op.more);
        Ok(Tip { head, stamp: op.stamp(writer) })
    }

    /// Checks the signature over this tip.
    ///
    /// # Errors
    /// [`LogError::Signature`] if not.
    pub fn verify(&self, writer: u32, signature: &Signature) -> Result<(), LogError> {
        let seq = self.seq(writer)?;
        verify(&self.head.public_key, signed_message(self.head.head, self.head.seq), signature)
            .map_err(|source| LogError::Signature { writer, seq, source })
    }
}
