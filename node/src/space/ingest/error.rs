//! Why ops are refused.

use std::time::Duration;

use rootfold_core::{
    fold::FoldError,
    log::{LogError, OWNER},
    tree::TreeError,
};
use rootfold_light::values::ValueError;
use rootfold_proto::limits::{MAX_BATCH_OPS, MAX_GROUP_BYTES, MAX_GROUP_OPS};
use thiserror::Error;

use crate::{space::SpaceError, store::StoreError};

/// Why a submission is refused. `seq` is the number of the op in its log, from 1, as in [`LogError`].
#[derive(Debug, Error)]
pub enum IngestError {
    /// An op does not continue its writer's log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The space holds another op with this number: the writer has signed two continuations, or the
    /// submitted op is forged.
    #[error("writer {writer}, op {seq}: the node holds another op with this number (forked log)")]
    Fork {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
    },
    /// This node has evidence that the writer's log is forked.
    #[error(
        "writer {writer}, op {seq}: the log is forked after op {shared} and rests there \
         (`rootfold forks` shows the evidence)"
    )]
    Rests {
        /// The writer.
        writer: u32,
        /// The number of the first refused op.
        seq: u64,
        /// The number of ops before the fork.
        shared: u64,
    },
    /// The clock of an op is too far ahead of that of this node.
    #[error(
        "writer {writer}, op {seq}: its clock is {} s ahead of this node's; it is held back until then",
        ahead.as_secs()
    )]
    Ahead {
        /// The writer.
        writer: u32,
        /// The number of the first op that is held back.
        seq: u64,
        /// How far it is ahead.
        ahead: Duration,
    },
    /// The operator of this node refuses the ops of this writer.
    #[error("writer {writer}: this node takes no ops of this writer (--deny-writer)")]
    Denied {
        /// The writer.
        writer: u32,
    },
    /// The writer has stored as many bytes as this node accepts.
    #[error("writer {writer}: {bytes} bytes of ops and values, the limit of this node is {limit}")]
    Quota {
        /// The writer.
        writer: u32,
        /// The number of bytes with the refused ops.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The owner has closed the log.
    #[error("writer {writer}: the owner has closed this log")]
    Closed {
        /// The writer.
        writer: u32,
    },
    /// The owner has replaced the head of the log, and these ops are of the old key.
    #[error(
        "writer {writer}, op {seq}: the owner has replaced the head of this log before this op"
    )]
    HeadReplaced {
        /// The writer.
        writer: u32,
        /// The number of the first refused op.
        seq: u64,
    },
    /// The owner replaces a head at which the log of its writer does not stand here.
    #[error(
        "writer {writer}, op {seq}: it replaces the head of writer {of} after their op {at}, and this node \
         holds {held} of their ops, or another branch"
    )]
    OtherHead {
        /// The owner.
        writer: u32,
        /// The number of the op that replaces the head.
        seq: u64,
        /// The writer whose head is replaced.
        of: u32,
        /// The number of their ops before the named head.
        at: u64,
        /// The number of their ops that this node holds.
        held: u64,
    },
    /// Ops before and after the replacement of a head, in one submission that is taken as a whole.
    #[error(
        "writer {writer}: a head is replaced in the middle of this submission; submit the ops before and \
         after it one after the other"
    )]
    Apart {
        /// The writer whose ops come later.
        writer: u32,
    },
    /// The ops of this node could not be folded again without those that the owner has cut off.
    #[error("going back before a replaced head: {0}")]
    GoingBack(#[source] Box<SpaceError>),
    /// A batch has more than [`MAX_BATCH_OPS`] ops.
    #[error("writer {writer}: batch of {ops} ops, the limit is {MAX_BATCH_OPS}")]
    BatchTooLong {
        /// The writer.
        writer: u32,
        /// The number of ops.
        ops: usize,
    },
    /// Too many consecutive ops without a signature: the log could not be cut into messages.
    #[error(
        "writer {writer}, op {seq}: at least one of {MAX_GROUP_OPS} consecutive ops must be signed"
    )]
    UnsignedTooLong {
        /// The writer.
        writer: u32,
        /// The number of the op at the limit.
        seq: u64,
    },
    /// The values of ops that one signature covers do not fit into a message.
    #[error(
        "writer {writer}, op {seq}: the values of the ops that its signature covers exceed \
         {MAX_GROUP_BYTES} bytes"
    )]
    GroupTooLarge {
        /// The writer.
        writer: u32,
        /// The number of the signed op.
        seq: u64,
    },
    /// The value of an op is neither in the submission nor in the store.
    #[error("writer {writer}, op {seq}: value {digest} is missing")]
    ValueMissing {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
        /// The digest of the value, in hexadecimal.
        digest: String,
    },
    /// A value is too long or does not match the digest of its op.
    #[error("writer {writer}, op {seq}: {source}")]
    Value {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
        /// What is wrong.
        source: ValueError,
    },
    /// The fold refuses the ops.
    #[error("fold: {0}")]
    Fold(#[from] FoldError<TreeError>),
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IngestError {
    /// Whether the submission is bad, rather than that this node failed or holds the ops back.
    pub fn is_refusal(&self) -> bool {
        !self.is_local() && !matches!(self, IngestError::Ahead { .. } | IngestError::Denied { .. })
    }

    /// Whether this node failed, whatever the submission is.
    pub fn is_local(&self) -> bool {
        matches!(
            self,
            IngestError::Store(_)
                | IngestError::Tree(_)
                | IngestError::GoingBack(_)
                | IngestError::Fold(FoldError::Old(_))
        )
    }

    /// The writer whose ops are refused; `None` if it is not the ops of one writer.
    pub fn writer(&self) -> Option<u32> {
        match self {
            IngestError::Log(e) => Some(e.writer()),
            IngestError::Fork { writer, .. }
            | IngestError::Rests { writer, .. }
            | IngestError::Ahead { writer, .. }
            | IngestError::Denied { writer }
            | IngestError::Quota { writer, .. }
            | IngestError::Closed { writer }
            | IngestError::HeadReplaced { writer, .. }
            | IngestError::OtherHead { writer, .. }
            | IngestError::Apart { writer }
            | IngestError::BatchTooLong { writer, .. }
            | IngestError::UnsignedTooLong { writer, .. }
            | IngestError::GroupTooLarge { writer, .. }
            | IngestError::ValueMissing { writer, .. }
            | IngestError::Value { writer, .. }
            | IngestError::Fold(
                FoldError::OtherHead { writer }
                | FoldError::StampTaken { writer, .. }
                | FoldError::Order { writer, .. },
            ) => Some(*writer),
            IngestError::Fold(FoldError::Log(e)) => Some(e.writer()),
            IngestError::Fold(
                FoldError::OtherHeadReplaced { .. } | FoldError::ReplacedInRun { .. },
            ) => Some(OWNER),
            IngestError::Fold(FoldError::Old(_))
            | IngestError::Tree(_)
            | IngestError::Store(_)
            | IngestError::GoingBack(_) => None,
        }
    }

    /// The writer whose log may be forked: the ops do not continue the log that this node holds. They
    /// may also be forged.
    pub fn other_branch(&self) -> Option<u32> {
        match self {
            IngestError::Fork { writer, .. }
            | IngestError::Log(
                LogError::Signature { writer, .. } | LogError::ClockNotGrowing { writer, .. },
            ) => Some(*writer),
            _ => None,
        }
    }
}
