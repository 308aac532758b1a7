//! Ingest: the only way of ops into a space, from local writers, callers of `Submit` and peers.
//!
//! A submission is checked without a lock, then folded and written in one batch under the lock of
//! changes. If it is refused, the store does not change.

mod error;
mod intake;
mod replaced;

use rootfold_core::{
    field,
    log::{LogBatch, Tip},
};
use rootfold_light::submission::{Ingested, Submission};

use crate::{
    space::{
        self,
        replaced::{self as records, ReplacedHead, ReplacedHeads},
        Latest, Space, State,
    },
    store::{Batch, StoreError},
};

pub use error::IngestError;
pub(super) use intake::{Intake, Take};

/// The result of [`Space::ingest_each`].
#[derive(Debug)]
pub struct IngestedEach {
    /// The ops that were new.
    pub ingested: Ingested,
    /// The logs that were refused, or of which only the first ops were taken.
    pub refused: Vec<IngestError>,
}

impl Space {
    /// Checks a submission and ingests it as a whole. Ops that the space holds already are skipped.
    ///
    /// # Errors
    /// [`IngestError`]; then the space has not changed.
    pub fn ingest(&self, submission: &Submission) -> Result<Ingested, IngestError> {
        Ok(self.ingest_part(submission, Take::Whole)?.done.ingested)
    }

    /// Ingests each log of a submission for itself: a log that is refused does not stop the others.
    /// Of a log that is ahead of this node's clock, that rests at a fork, or whose head the owner has
    /// replaced, the ops before that are taken. A value that is missing leaves a hole, see [`Space::holes`].
    ///
    /// If the owner replaces a head that this node has passed, it goes back: ops of that log which do
    /// not belong to it any more are removed, and the latest state is folded again without them.
    ///
    /// # Errors
    /// [`IngestError`] of this node; then the space has not changed, or only by the first ops.
    pub fn ingest_each(&self, submission: &Submission) -> Result<IngestedEach, IngestError> {
        let part = self.ingest_part(submission, Take::Each)?;
        let Some((of, named)) = part.passed else { return self.ingest_postponed(part, submission) };
        // A local write continues a tip, so none may begin before all ops are folded again.
        let writing = self.begin_writing();
        let gone_back = self.go_back(&writing, of, &named);
        if !gone_back.map_err(|e| IngestError::GoingBack(Box::new(e)))? {
            return self.ingest_postponed(part, submission);
        }
        drop(writing);
        let mut again = self.ingest_each(submission)?;
        again.ingested.ops += part.done.ingested.ops;
        Ok(again)
    }

    /// Ingests again ops that this node has taken before.
    pub(super) fn ingest_again(
        &self,
        submission: &Submission,
    ) -> Result<IngestedEach, IngestError> {
        let part = self.ingest_part(submission, Take::Again)?;
        self.ingest_postponed(part, submission)
    }

    /// Ingests what a first part has postponed, as often as that leaves something.
    fn ingest_postponed(
        &self,
        first: Part,
        submission: &Submission,
    ) -> Result<IngestedEach, IngestError> {
        let Part { mut done, mut postponed, take, .. } = first;
        while !postponed.is_empty() {
            let batches = std::mem::take(&mut postponed);
            let values = submission.values.clone();
            let next = self.ingest_part(&Submission { batches, values }, take)?;
            done.refused.extend(next.done.refused);
            if next.done.ingested.ops == 0 {
                break;
            }
            done.ingested.root = next.done.ingested.root;
            done.ingested.ops += next.done.ingested.ops;
            postponed = next.postponed;
        }
        Ok(done)
    }

    /// Ingests the ops before the first replacement of a head that needs them.
    fn ingest_part(&self, submission: &Submission, take: Take) -> Result<Part, IngestError> {
        // Signatures are checked before the lock. If a log has moved in the meantime, once more
        // under the lock.
        let mut intake = Intake::of(self, self.state(), submission, take)?;
        if intake.is_empty() {
            let ingested = Ingested { ops: 0, root: self.state().latest.root };
            return Ok(Part::of(intake, ingested, take));
        }
        let change = self.begin_change();
        let now = self.state();
        if !intake.rebase(&now)? {
            intake = Intake::of(self, now.clone(), submission, take)?;
        }
        let ops = intake.new_ops();
        let mut batch = Batch::new();
        let folded = intake.fold()?;
        intake.stage(&mut batch, &folded)?;
        space::stage_update(&mut batch, &folded.update, intake.heads());
        let root = folded.update.root;
        let latest = Latest { root, ops: now.latest.ops + ops, entries: folded.entries };
        let mut state = State { latest, tips: intake.tips(), ..State::clone(&now) };
        self.stage_replaced(&mut batch, &mut state, &intake)?;
        self.commit(&change, batch, state)?;
        self.forget_awaited(intake.replacements().map(|(_, replaced)| replaced.writer()));
        tracing::debug!(ops, root = %field::to_hex(&root), "ingested ops");
        Ok(Part::of(intake, Ingested { ops, root }, take))
    }

    /// Adds the records of the heads that a submission replaces. A fork of such a log is resolved.
    fn stage_replaced(
        &self,
        batch: &mut Batch,
        state: &mut State,
        intake: &Intake<'_>,
    ) -> Result<(), StoreError> {
        for (by, replacement) in intake.replacements() {
            let of = replacement.writer();
            self.stage_accepted(batch, state, of)?;
            if let Some(head) = ReplacedHead::of(replacement, by) {
                records::stage(batch, of, &head);
                let mut heads = ReplacedHeads::clone(&state.replaced);
                heads.entry(of).or_default().push(head);
                state.replaced = heads.into();
            }
        }
        Ok(())
    }
}

/// What was ingested of a submission, and what is left.
struct Part {
    take: Take,
    done: IngestedEach,
    postponed: Vec<LogBatch>,
    passed: Option<(u32, Tip)>,
}

impl Part {
    fn of(intake: Intake<'_>, ingested: Ingested, take: Take) -> Part {
        let Intake { postponed, passed, refused, .. } = intake;
        Part { take, done: IngestedEach { ingested, refused }, postponed, passed }
    }
}
