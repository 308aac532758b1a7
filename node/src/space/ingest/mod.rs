//! Ingest: the only way of ops into a space, from local writers, callers of `Submit` and peers.
//!
//! A submission is checked without a lock, then folded and written in one batch under the lock of
//! changes. If it is refused, the store does not change.

mod error;
mod intake;

use rootfold_core::field;
use rootfold_light::submission::{Ingested, Submission};

use crate::space::{self, Latest, Space, State};
use crate::store::Batch;

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
        Ok(self.ingest_as(submission, Take::Whole)?.ingested)
    }

    /// Ingests each log of a submission for itself: a log that is refused does not stop the others.
    /// Of a log that is ahead of this node's clock, or that rests at a fork, the ops before that are
    /// taken. A value that is missing leaves a hole, see [`Space::holes`].
    ///
    /// # Errors
    /// [`IngestError`] of this node; then the space has not changed.
    pub fn ingest_each(&self, submission: &Submission) -> Result<IngestedEach, IngestError> {
        self.ingest_as(submission, Take::Each)
    }

    fn ingest_as(&self, submission: &Submission, take: Take) -> Result<IngestedEach, IngestError> {
        // Signatures are checked before the lock. If a log has moved in the meantime, once more
        // under the lock.
        let mut intake = Intake::of(self, self.state(), submission, take)?;
        if intake.is_empty() {
            let root = self.state().latest.root;
            let ingested = Ingested { ops: 0, root };
            return Ok(IngestedEach { ingested, refused: intake.refused });
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
        let (tips, refused) = (intake.tips(), std::mem::take(&mut intake.refused));
        let state = State { latest, tips, ..State::clone(&now) };
        self.commit(&change, batch, state)?;
        tracing::debug!(ops, root = %field::to_hex(&root), "ingested ops");
        Ok(IngestedEach { ingested: Ingested { ops, root }, refused })
    }
}
