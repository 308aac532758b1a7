//! Replacements of heads in a submission (L12, L13).
//!
//! A replacement is taken where the log of its writer stands at exactly the head that it names. Until
//! then the owner's log waits before it.

use std::collections::BTreeSet;

use rootfold_core::{
    field::to_u64,
    key::KeyKind,
    log::{LogBatch, LogError, Tip, OWNER},
    replacement::Replacement,
    run::{extend_with, CheckedRun},
    F,
};
use rootfold_light::values::{ValueKind, ValueName};

use super::{
    intake::{number, Cut, Intake},
    IngestError,
};
use crate::store::StoreError;

impl Intake<'_> {
    /// Where a batch of new ops is cut because of replacements: the number of ops before, and why.
    pub(super) fn cut(&self, rest: &LogBatch) -> Result<Option<(usize, Cut)>, StoreError> {
        let writer = rest.writer;
        if self.replaced.contains(&writer) {
            return Ok(Some((0, Cut::Later)));
        }
        if writer != OWNER {
            let end = self.space.awaited(writer).and_then(|named| to_u64(&named.head.seq));
            let Some(end) = end else { return Ok(None) };
            let room = usize::try_from(end.saturating_sub(rest.first_seq)).unwrap_or(usize::MAX);
            let seq = number(rest, room);
            let why = IngestError::HeadReplaced { writer, seq };
            return Ok((room < rest.ops.len()).then_some((room, Cut::OfOldKey(why))));
        }
        let mut replaced = BTreeSet::new();
        for (index, signed) in rest.ops.iter().enumerate() {
            let KeyKind::Replacement(of) = signed.op.key.kind() else { continue };
            if !replaced.insert(of) {
                return Ok(Some((index, Cut::Later)));
            }
            match self.opened(signed.op.value)? {
                Some(Replacement::OwnerKey(_)) if index + 1 < rest.ops.len() => {
                    return Ok(Some((index + 1, Cut::Later)));
                }
                Some(Replacement::Head { writer: of, before: named, .. }) => {
                    if self.moved.contains_key(&of) {
                        return Ok(Some((index, Cut::Later)));
                    }
                    let tip = self.state.tips.get(&of);
                    if tip != Some(&named) {
                        let seq = |tip: &Tip| to_u64(&tip.head.seq);
                        let passed = tip.is_some_and(|tip| seq(tip) >= seq(&named));
                        return Ok(Some((index, Cut::OtherHead { of, named, passed })));
                    }
                }
                // The check of the run refuses an op whose replacement nobody has sent.
                Some(Replacement::OwnerKey(_)) | None => {}
            }
        }
        Ok(None)
    }

    /// The replacement with this digest, from the submission or the store.
    fn opened(&self, digest: F) -> Result<Option<Replacement>, StoreError> {
        let name = ValueName { kind: ValueKind::Replacement, digest };
        match self.offered.get(&name) {
            Some(value) => Ok(Replacement::from_bytes(&value.content).ok()),
            None => self.space.opened(digest),
        }
    }

    /// Checks that the owner has signed the op at `index` of a batch.
    pub(super) fn signed_up_to(
        &self,
        tip: &Tip,
        rest: &LogBatch,
        index: usize,
    ) -> Result<(), IngestError> {
        let signed = rest.ops[index..].iter().position(|op| op.signature.is_some());
        let end = signed.map_or(rest.ops.len(), |last| index + last + 1);
        self.extended(tip, &LogBatch { ops: rest.ops[..end].to_vec(), ..*rest })?;
        Ok(())
    }

    /// Checks that a batch continues its log at `tip`.
    pub(super) fn extended(&self, tip: &Tip, rest: &LogBatch) -> Result<CheckedRun, IngestError> {
        let known = |writer| self.tip(writer).is_some();
        let open = |digest| self.opened(digest).ok().flatten();
        extend_with(tip, &known, &open, rest).map_err(|e| match e {
            LogError::Signature { writer, seq, .. } if self.space.is_replaced(writer) => {
                IngestError::HeadReplaced { writer, seq }
            }
            e => e.into(),
        })
    }

    /// Notes the heads that a run replaces.
    pub(super) fn note_replaced(&mut self, run: &CheckedRun) {
        self.replaced.extend(run.replacements().values().map(Replacement::writer));
        self.moved.extend(run.replaced_tips());
    }

    /// The heads that the submission replaces, with the number of ops of the owner's log before each.
    pub(in crate::space) fn replacements(&self) -> impl Iterator<Item = (u64, &Replacement)> {
        let first = self.fresh.get(&OWNER).map_or(0, |(first, _)| *first);
        let run = self.runs.get(&OWNER).map(CheckedRun::replacements);
        run.into_iter().flatten().map(move |(index, replaced)| (first + *index as u64, replaced))
    }
}
