//! The fold: the entries that an epoch of signed ops writes (`docs/design.md`, section 3).

use std::collections::BTreeMap;

use thiserror::Error;

use crate::{
    item::Entry,
    key::{Key, KeyKind},
    log::LogError,
    replacement::Replacement,
    run::CheckedRun,
    stamp::Stamp,
};

/// The ops between one root and the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Epoch {
    /// Runs with strictly increasing writers.
    pub runs: Vec<CheckedRun>,
}

/// The epoch cannot be folded into the tree. The circuit refuses the same epochs.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FoldError<E> {
    /// The old tree could not be read.
    #[error("reading the old tree: {0}")]
    Old(E),
    /// L1: the writers of runs do not increase.
    #[error("the run of writer {writer} comes after that of writer {previous}")]
    Order {
        /// The writer of the run.
        writer: u32,
        /// The writer of the previous run.
        previous: u32,
    },
    /// L2: the run does not start from the head entry of the tree.
    #[error("the run of writer {writer} does not start from the head entry of the old tree")]
    OtherHead {
        /// The writer of the run.
        writer: u32,
    },
    /// L12: the tree does not hold the head that an op replaces.
    #[error("writer {of}: the old tree does not hold the head that the owner replaces")]
    OtherHeadReplaced {
        /// The writer whose head is to be replaced.
        of: u32,
    },
    /// M3: the head of a writer is replaced in an epoch that has a run of them.
    #[error("writer {of}: their head is replaced in an epoch in which their log goes on")]
    ReplacedInRun {
        /// The writer whose head is to be replaced.
        of: u32,
    },
    /// The run's writer is not admitted, or a granted writer is already admitted.
    #[error(transparent)]
    Log(#[from] LogError),
    /// M1: the old tree has an entry with the key and stamp of a new op.
    #[error("writer {writer}: the old tree already has an op of ts {ts} under {key:?}")]
    StampTaken {
        /// The writer of the new op.
        writer: u32,
        /// The clock of the new op.
        ts: u64,
        /// The key of the new op.
        key: Key,
    },
}

impl Epoch {
    /// The number of ops.
    pub fn ops(&self) -> u64 {
        self.runs.iter().map(|run| run.ops().len() as u64).sum()
    }
}

/// Folds `epoch` into the tree that `old` reads. Returns the entries to write, sorted by key.
///
/// The greatest stamp wins: of the ops on a key and its old entry, the one with the greatest stamp
/// remains. If that is the old entry, nothing is written. Each run also writes the head entry of its
/// writer, and each replacement that of the writer whom it names.
///
/// # Errors
/// [`FoldError`] for exactly the epochs that the circuit refuses.
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
        for replacement in run.replacements().values() {
            let Replacement::Head { writer: of, before, .. } = replacement else { continue };
            let of = *of;
            if read(&Key::head(of))? != Some(before.entry(of)) {
                return Err(FoldError::OtherHeadReplaced { of });
            }
            if epoch.runs.iter().any(|run| run.writer() == of) {
                return Err(FoldError::ReplacedInRun { of });
            }
        }
        for (of, tip) in run.replaced_tips() {
            let entry = tip.entry(of);
            written.insert(entry.key, entry);
        }
        for op in run.ops() {
            // A replacement writes a head entry, and none of its own.
            if matches!(op.key.kind(), KeyKind::Replacement(_)) {
                continue;
            }
            let entry = op.entry(writer);
            let latest = written.entry(op.key).or_insert(entry);
            if latest.stamp < entry.stamp {
                *latest = entry;
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
