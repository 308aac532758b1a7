//! What the owner does with the log of a writer: another key, no more ops, or one branch of a fork.

use rootfold_core::{
    eddsa::{PublicKey, SecretKey},
    log::{LogBatch, Tip},
    replacement::Replacement,
    stamp::Stamp,
};
use rootfold_light::{
    signing::{self, COUNTER_BITS, OWNER},
    submission::Submission,
};
use std::sync::MutexGuard;

use super::{IngestError, Space, WriteError, Written};

impl Space {
    /// Gives the log of a writer another key, from the op on that is the last one here. Ops that follow it
    /// anywhere do not belong to the log any more. The right to shared keys stays as it is, unless
    /// `shared` says something else.
    ///
    /// # Errors
    /// [`WriteError`]; then nothing was signed.
    pub fn replace_key(
        &self,
        secret: &SecretKey,
        writer: u32,
        public_key: PublicKey,
        shared: Option<bool>,
    ) -> Result<Written, WriteError> {
        let writing = self.begin_writing();
        self.replace(&writing, secret, writer, public_key, shared)
    }

    /// Closes the log of a writer after the op that is the last one here.
    ///
    /// # Errors
    /// [`WriteError`]; then nothing was signed.
    pub fn close_log(&self, secret: &SecretKey, writer: u32) -> Result<Written, WriteError> {
        if writer == OWNER {
            return Err(WriteError::OwnersLog);
        }
        self.replace_key(secret, writer, PublicKey::CLOSED, None)
    }

    /// Resolves the fork of a log: it goes on with one of the branches of the evidence, 1 or 2, under the
    /// same key. If this node holds the other one, it goes back, and takes of the chosen one
    /// the ops that the evidence has.
    ///
    /// # Errors
    /// [`WriteError`]; then nothing was signed.
    pub fn resolve_fork(
        &self,
        secret: &SecretKey,
        writer: u32,
        branch: usize,
    ) -> Result<Written, WriteError> {
        let writing = self.begin_writing();
        let fork = self.fork(writer).map_err(IngestError::from)?;
        let fork = fork.ok_or(WriteError::NoFork { writer })?;
        let chosen = branch.checked_sub(1).and_then(|index| fork.fork().branches.get(index));
        let chosen = chosen.ok_or(WriteError::NoBranch { branch })?;
        if !self.is_held(chosen)? {
            self.take_branch(&writing, fork.fork().base.public_key, chosen)?;
        }
        self.replace(&writing, secret, writer, fork.public_key(), None)
    }

    fn replace(
        &self,
        _writing: &MutexGuard<'_, ()>,
        secret: &SecretKey,
        writer: u32,
        public_key: PublicKey,
        shared: Option<bool>,
    ) -> Result<Written, WriteError> {
        let tip = self.ready_tip(OWNER)?;
        if secret.public_key() != tip.head.public_key {
            return Err(WriteError::NotOwner);
        }
        let before = self.tip(writer).ok_or(WriteError::UnknownWriter { writer })?;
        let policy = self.policy();
        if before.stamp.ts >= policy.latest_ts() {
            return Err(WriteError::LogAhead { writer, ahead: policy.ahead(before.stamp.ts) });
        }
        let replacement = if writer == OWNER {
            Replacement::OwnerKey(public_key)
        } else {
            let shared = shared.map_or_else(|| before.may_share(writer), Ok)?;
            Replacement::Head { writer, before, public_key, shared }
        };
        let at = policy.clock.now_ms().max((before.stamp.ts >> COUNTER_BITS) + 1);
        let (submission, tip) = signing::replace(&tip, secret, &replacement, at)?;
        self.written(OWNER, &submission, &tip)
    }

    /// Whether this node holds the ops of a branch.
    fn is_held(&self, branch: &LogBatch) -> Result<bool, WriteError> {
        let held = self.log(branch.writer, branch.first_seq, branch.ops.len());
        let held = held.map_err(IngestError::from)?;
        let pairs = held.iter().zip(&branch.ops);
        Ok(held.len() == branch.ops.len() && pairs.into_iter().all(|((_, a), b)| a.op == b.op))
    }

    /// Goes back before a fork and takes the ops of a branch, of a log with this key.
    fn take_branch(
        &self,
        writing: &MutexGuard<'_, ()>,
        public_key: PublicKey,
        branch: &LogBatch,
    ) -> Result<(), WriteError> {
        let writer = branch.writer;
        let base = self.head_at(writer, branch.first_seq)?;
        let Some(base) = base.filter(|base| base.public_key == public_key) else {
            return Err(WriteError::BranchUnknown { writer });
        };
        let ts = branch.ops.first().map_or(0, |first| first.op.ts.saturating_sub(1));
        let mut named = Tip { head: base, stamp: Stamp { ts, writer } };
        for signed in &branch.ops {
            named = named.apply(writer, &signed.op)?;
        }
        if !self.go_back(writing, writer, &named)? {
            return Err(WriteError::BranchUnknown { writer });
        }
        self.await_head(writer, named);
        let submission = Submission { batches: vec![branch.clone()], values: Vec::new() };
        let done = self.ingest_again(&submission)?;
        match done.refused.into_iter().next() {
            Some(refused) => Err(refused.into()),
            None => Ok(()),
        }
    }
}
