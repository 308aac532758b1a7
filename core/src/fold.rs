//! The fold: what an epoch of signed ops makes of the state (design 3).

use std::collections::BTreeMap;

use thiserror::Error;

use crate::{item::Entry, key::Key, log::LogError, run::CheckedRun, stamp::Stamp};

/// What one move of the root folds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Epoch {
    /// Runs of strictly increasing writers.
    pub runs: Vec<CheckedRun>,
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
    /// L2: the run does not start from what the tree holds.
    #[error("the run of writer {writer} does not start from the head entry of the old tree")]
    OtherHead {
        /// The writer of the run.
        writer: u32,
    },
    /// The run's writer is not admitted, or it admits one who is.
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

impl Epoch {
    /// The number of ops.
    pub fn ops(&self) -> u64 {
        self.runs.iter().map(|run| run.ops().len() as u64).sum()
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
        let writer = run.writer();
        if let Some(previous) = previous.filter(|previous| *previous >= writer) {
            return Err(FoldError::Order { writer, previous });
        }
        previous = Some(writer);
        match read(&Key::head(writer))? {
            None => return Err(LogError::UnknownWriter { writer }.into()),
            Some(entry) if entry != run.before().entry(writer) => {
                return Err(FoldError::OtherHead { writer });
            }
            Some(_) => {}
        }
        for (&granted, &seq) in run.granted() {
            if read(&Key::head(granted))?.is_some() {
                return Err(LogError::GrantedAlready { writer, seq, granted }.into());
            }
        }
        for op in run.ops() {
            let entry = op.entry(writer);
            let youngest = written.entry(op.key).or_insert(entry);
            if youngest.stamp < entry.stamp {
                *youngest = entry;
            }
        }
        let entry = run.after().entry(writer);
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
