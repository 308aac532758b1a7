//! The fold: what an epoch of signed ops makes of the state (design 3).

use std::collections::BTreeMap;

use thiserror::Error;

use crate::{
    eddsa::Signature,
    item::Entry,
    key::Key,
    log::{LogBatch, LogError, Op, Tip},
    stamp::Stamp,
};

/// One writer's ops in an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Whose ops.
    pub writer: u32,
    /// The end of his log in the old tree.
    pub before: Tip,
    /// His next ops, at least one.
    pub ops: Vec<Op>,
    /// His signature over the head after the last of them.
    pub signature: Signature,
}

/// What one move of the root folds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Epoch {
    /// Runs of strictly increasing writers.
    pub runs: Vec<Run>,
}

/// Why an epoch cannot be folded into a tree. The circuit refuses the same epochs.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FoldError<E> {
    /// The old tree could not be read.
    #[error("reading the old tree: {0}")]
    Old(E),
    /// L1: writers do not increase from run to run.
    #[error("the run of writer {writer} comes after that of writer {previous}")]
    Order {
        /// The writer of the run.
        writer: u32,
        /// The writer of the run before.
        previous: u32,
    },
    /// A run without ops.
    #[error("the run of writer {writer} has no ops")]
    EmptyRun {
        /// The writer of the run.
        writer: u32,
    },
    /// L2: the run does not start from what the tree holds.
    #[error("the run of writer {writer} does not start from the head entry of the old tree")]
    OtherHead {
        /// The writer of the run.
        writer: u32,
    },
    /// An op or the signature is refused.
    #[error(transparent)]
    Log(#[from] LogError),
    /// M1: the old tree holds an op with the stamp of a new one.
    #[error("writer {writer}: the old tree holds an op of ts {ts} under {key:?} already")]
    StampTaken {
        /// The writer of the new op.
        writer: u32,
        /// Its clock.
        ts: u64,
        /// Its key.
        key: Key,
    },
}

impl Run {
    /// The run that a batch makes of the log that ends at `before`; `None` if its last op is not
    /// signed or it has none. Checks nothing else.
    pub fn from_batch(before: Tip, batch: &LogBatch) -> Option<Run> {
        let signature = batch.ops.last()?.signature?;
        let ops = batch.ops.iter().map(|signed| signed.op).collect();
        Some(Run { writer: batch.writer, before, ops, signature })
    }

    /// The end of the log after the run. Checks nothing: [`fold`] does.
    pub fn after(&self) -> Tip {
        self.ops.iter().fold(self.before, |tip, op| tip.advance(self.writer, op))
    }

    /// L3 to L5 and L7, and that the run is not empty: the tip after the run and the writers that
    /// it admits.
    fn check<E>(&self) -> Result<(Tip, BTreeMap<u32, u64>), FoldError<E>> {
        let writer = self.writer;
        if self.ops.is_empty() {
            return Err(FoldError::EmptyRun { writer });
        }
        let mut admitted = BTreeMap::new();
        let mut tip = self.before;
        for op in &self.ops {
            tip = tip.apply(writer, op)?;
            let seq = tip.seq(writer)?;
            if let Some(granted) = op.granted(writer, seq)? {
                if admitted.insert(granted, seq).is_some() {
                    return Err(LogError::GrantedAlready { writer, seq, granted }.into());
                }
            }
        }
        tip.verify(writer, &self.signature)?;
        Ok((tip, admitted))
    }
}

impl Epoch {
    /// The number of ops.
    pub fn ops(&self) -> u64 {
        self.runs.iter().map(|run| run.ops.len() as u64).sum()
    }
}

/// Folds `epoch` into the tree that `old` reads: the entries to be written, sorted by key.
///
/// Last writer wins: of all ops on a key and its old entry the one with the largest stamp stays,
/// and nothing is written where that is the old entry. Each run also moves its writer's head entry.
///
/// # Errors
/// [`FoldError`] wherever the circuit would refuse the epoch.
pub fn fold<E>(
    old: &dyn Fn(&Key) -> Result<Option<Entry>, E>,
    epoch: &Epoch,
) -> Result<Vec<Entry>, FoldError<E>> {
    let read = |key: &Key| old(key).map_err(FoldError::Old);
    let mut written: BTreeMap<Key, Entry> = BTreeMap::new();
    let mut previous = None;
    for run in &epoch.runs {
        let writer = run.writer;
        if let Some(previous) = previous.filter(|previous| *previous >= writer) {
            return Err(FoldError::Order { writer, previous });
        }
        previous = Some(writer);
        match read(&Key::head(writer))? {
            None => return Err(LogError::UnknownWriter { writer }.into()),
            Some(entry) if entry != run.before.entry(writer) => {
                return Err(FoldError::OtherHead { writer });
            }
            Some(_) => {}
        }
        let (after, admitted) = run.check()?;
        for (granted, seq) in admitted {
            if read(&Key::head(granted))?.is_some() {
                return Err(LogError::GrantedAlready { writer, seq, granted }.into());
            }
        }
        for op in &run.ops {
            let entry = op.entry(writer);
            let youngest = written.entry(op.key).or_insert(entry);
            if youngest.stamp < entry.stamp {
                *youngest = entry;
            }
        }
        let entry = after.entry(writer);
        written.insert(entry.key, entry);
    }
    let mut upserts = Vec::with_capacity(written.len());
    for (key, entry) in written {
        match read(&key)? {
            Some(old) if old.stamp > entry.stamp => {}
            Some(old) if old.stamp == entry.stamp => {
                let Stamp { ts, writer } = entry.stamp;
                return Err(FoldError::StampTaken { writer, ts, key });
            }
            _ => upserts.push(entry),
        }
    }
    Ok(upserts)
}
