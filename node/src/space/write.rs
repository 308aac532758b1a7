//! Local writes: the one way in which the program and the library sign ops with the present time.

use rootfold_core::{
    eddsa::SecretKey,
    key::Key,
    log::{LogError, Tip},
    mark::Mark,
    stamp::Stamp,
    tree, F,
};
use rootfold_light::{
    query::At,
    signing::{self, Admission, Change, COUNTER_BITS, OWNER},
    submission::{Ingested, Submission},
};
use std::time::Duration;
use thiserror::Error;

use super::{IngestError, Space, SpaceError};

/// A change of one key by a local writer.
#[derive(Debug, Clone)]
pub struct Write {
    /// The key.
    pub key: Key,
    /// The new value; `None` deletes.
    pub value: Option<Vec<u8>>,
    /// Marks that the entry gets. All other marks of the entry before are withdrawn.
    pub marks: Vec<Mark>,
}

impl Write {
    /// A change without marks.
    pub fn new(key: Key, value: Option<Vec<u8>>) -> Write {
        Write { key, value, marks: Vec::new() }
    }
}

/// The result of a local write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The number of the last op in the writer's log, from 1.
    pub seq: u64,
    /// The stamp of the last op.
    pub stamp: Stamp,
    /// What was ingested.
    pub ingested: Ingested,
}

/// Why a local write is not made. Nothing was signed or written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The writer is not admitted.
    #[error("writer {writer} is not known in this space")]
    UnknownWriter {
        /// The writer.
        writer: u32,
    },
    /// The log is forked.
    #[error(
        "the log of writer {writer} is forked after op {shared} and rests there: nothing was written. \
         `rootfold forks` shows the evidence; ask the owner to admit a new key"
    )]
    Forked {
        /// The writer.
        writer: u32,
        /// The number of ops before the fork.
        shared: u64,
    },
    /// The last op of the log is ahead of this node's clock.
    #[error(
        "the last op of writer {writer} is dated {} s ahead of this node's clock: nothing was written. \
         Check the clock of this machine, or wait",
        ahead.as_secs()
    )]
    LogAhead {
        /// The writer.
        writer: u32,
        /// How far it is ahead.
        ahead: Duration,
    },
    /// The entry of the key is ahead of this node's clock, and hides a write of now.
    #[error(
        "the entry of this key is dated {} s ahead of this node's clock, by writer {writer}; a write of \
         now would stay invisible behind it: nothing was written",
        ahead.as_secs()
    )]
    EntryAhead {
        /// The writer of the entry.
        writer: u32,
        /// How far it is ahead.
        ahead: Duration,
    },
    /// The owner's log cannot be closed.
    #[error("the owner's log is not closed: nobody could admit writers any more")]
    OwnersLog,
    /// The key is not the owner's.
    #[error("only the owner replaces the head of a log")]
    NotOwner,
    /// This node has no evidence of a fork.
    #[error("this node has no evidence of a fork of writer {writer}")]
    NoFork {
        /// The writer.
        writer: u32,
    },
    /// The evidence has no such branch.
    #[error("a fork has the branches 1 and 2, not {branch}")]
    NoBranch {
        /// The number that was asked for.
        branch: usize,
    },
    /// This node cannot take the chosen branch.
    #[error(
        "this node keeps no state before the fork of writer {writer}, or not all ops since: resolve it on a \
         node that does, or choose the branch that this node holds"
    )]
    BranchUnknown {
        /// The writer.
        writer: u32,
    },
    /// The op cannot be signed.
    #[error("signing: {0}")]
    Log(#[from] LogError),
    /// The op is refused.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The space cannot be read.
    #[error(transparent)]
    Space(#[from] SpaceError),
}

impl WriteError {
    /// Whether the write is not allowed, rather than that this node failed.
    pub fn is_refusal(&self) -> bool {
        match self {
            WriteError::Ingest(e) => !e.is_local(),
            WriteError::Space(_) => false,
            _ => true,
        }
    }
}

impl Space {
    /// Signs changes with the present time and ingests them as one group, which is folded as a whole too. Each op is later than the
    /// entry of its key, so it is visible when this returns. Threads may write for one writer at the
    /// same time.
    ///
    /// # Errors
    /// [`WriteError`]; then nothing was signed.
    pub fn write(
        &self,
        writer: u32,
        secret: &SecretKey,
        writes: Vec<Write>,
    ) -> Result<Written, WriteError> {
        let _writing = self.begin_writing();
        let tip = self.ready_tip(writer)?;
        let mut at = self.policy().clock.now_ms();
        for write in &writes {
            at = at.max(self.after_entry(&write.key)?);
        }
        self.complete_index()?;
        let root = self.root(At::Latest)?;
        let mut changes = Vec::with_capacity(writes.len());
        for Write { key, value, marks } in writes {
            let mut withdrawn = self.marks_of(root, &key)?;
            for mark in &marks {
                withdrawn.extend(self.fence(root, &mark.key(&key))?);
            }
            let fence = self.fence(root, &key)?;
            changes.push(Change { key, value, marks, withdrawn, at });
            changes.extend(fence.map(|fence| Change::new(fence, None, at)));
        }
        let (submission, tip) = signing::compose(&tip, writer, secret, changes)?;
        self.written(writer, &submission, &tip)
    }

    /// Admits a writer, with the present time.
    ///
    /// # Errors
    /// [`WriteError`]; then nothing was signed.
    pub fn grant(
        &self,
        secret: &SecretKey,
        salt: F,
        admission: &Admission,
    ) -> Result<Written, WriteError> {
        let _writing = self.begin_writing();
        let tip = self.ready_tip(OWNER)?;
        let now = self.policy().clock.now_ms();
        let (submission, tip) = signing::grant(&tip, secret, salt, admission, now)?;
        self.written(OWNER, &submission, &tip)
    }

    pub(super) fn written(
        &self,
        writer: u32,
        submission: &Submission,
        tip: &Tip,
    ) -> Result<Written, WriteError> {
        let ingested = self.ingest(submission)?;
        Ok(Written { seq: tip.seq(writer)?, stamp: tip.stamp, ingested })
    }

    /// The tip of a log that can go on now.
    pub(super) fn ready_tip(&self, writer: u32) -> Result<Tip, WriteError> {
        let state = self.state();
        if let Some(shared) = state.forks.get(&writer).and_then(|fork| fork.rests_after()) {
            return Err(WriteError::Forked { writer, shared });
        }
        let tip = *state.tips.get(&writer).ok_or(WriteError::UnknownWriter { writer })?;
        let policy = self.policy();
        if tip.stamp.ts >= policy.latest_ts() {
            let ahead = policy.ahead(tip.stamp.ts);
            return Err(WriteError::LogAhead { writer, ahead });
        }
        Ok(tip)
    }

    /// A key that divides the node of `key` after it, if many items follow it there: otherwise each epoch
    /// with an op on `key` would pass them one by one.
    fn fence(&self, root: F, key: &Key) -> Result<Option<Key>, WriteError> {
        let crowd = tree::crowd(self.pages(), root, key).map_err(SpaceError::from)?;
        Ok(crowd.and_then(|crowd| crowd.fence(key)))
    }

    /// The first millisecond after the entry of a key; 0 without an entry.
    fn after_entry(&self, key: &Key) -> Result<u64, WriteError> {
        let root = self.root(At::Latest)?;
        let entry = tree::lookup(self.pages(), root, key).map_err(SpaceError::from)?;
        let Some(Stamp { ts, writer }) = entry.map(|entry| entry.stamp) else { return Ok(0) };
        let policy = self.policy();
        if ts >= policy.latest_ts() {
            return Err(WriteError::EntryAhead { writer, ahead: policy.ahead(ts) });
        }
        Ok((ts >> COUNTER_BITS) + 1)
    }
}
