//! What an earlier import of a history has written, and what is missing to the state of `HEAD`.

use std::collections::{BTreeMap, BTreeSet};

use rootfold_core::{
    key::Key,
    log::SignedOp,
    value::{tombstone, value_digest},
};
use rootfold_light::query::At;
use rootfold_node::{
    git::{plan, Blobs, Change, Content, History},
    space::Space,
};

use super::{Author, Failure};

/// The number of ops that are read at a time.
const CHUNK: usize = 1024;

/// A path whose entry is not that of `HEAD`.
pub struct Difference {
    /// The index of the author who signs.
    pub author: usize,
    pub key: Key,
    /// The clock of the entry that is replaced; 0 without one.
    pub after: u64,
    /// The blob in `HEAD`; `None` deletes.
    pub blob: Option<String>,
}

/// A path whose entry is not that of `HEAD` and stays: another writer has written it since.
pub struct Kept {
    pub key: Key,
    /// Who has written it.
    pub writer: u32,
}

/// Compares the log of each author with this history. If it is not a beginning of the author's changes,
/// no change of the author is written again: a merge of older commits may have put others before
/// them, and [`differences`] finds what is missing.
///
/// # Errors
/// [`Failure`] with exit code 1 if most of the ops belong to another history.
pub fn check(
    space: &Space,
    history: &History,
    blobs: &mut Blobs,
    authors: &mut [Author],
) -> Result<(), Failure> {
    let mut changes: Vec<Vec<&Change>> = vec![Vec::new(); authors.len()];
    for change in &history.changes {
        changes[change.author].push(change);
    }
    let (mut known, mut foreign) = (0, 0);
    for (author, changes) in authors.iter_mut().zip(changes) {
        let log = log_of(space, author.writer)?;
        if log.is_empty() || continues(&log, &changes, blobs)? {
            known += log.len();
            continue;
        }
        let keys: BTreeSet<Key> =
            changes.iter().map(|change| plan::path_key(&change.path)).collect();
        let ours = log.values().filter(|signed| keys.contains(&signed.op.key)).count();
        known += ours;
        foreign += log.len() - ours;
        author.held = u64::MAX;
    }
    if foreign > known {
        return Err(Failure::refused(
            "the logs of these authors differs from this history: a space can hold one git history",
        ));
    }
    Ok(())
}

/// The ops of a log that this node holds, by the number of ops before them.
fn log_of(space: &Space, writer: u32) -> Result<BTreeMap<u64, SignedOp>, Failure> {
    let mut log = BTreeMap::new();
    let mut from = 0;
    loop {
        let ops = space.log(writer, from, CHUNK)?;
        let Some((last, _)) = ops.last() else { return Ok(log) };
        from = last + 1;
        log.extend(ops);
    }
}

/// Whether the ops are a beginning of the changes: by their keys, and by the value of the last one. A
/// bootstrapped replica does not hold the ops of its snapshot.
fn continues(
    log: &BTreeMap<u64, SignedOp>,
    changes: &[&Change],
    blobs: &mut Blobs,
) -> Result<bool, Failure> {
    let at = |seq: &u64| usize::try_from(*seq).ok().and_then(|index| changes.get(index));
    let both = log.iter().filter_map(|(seq, signed)| Some((*at(seq)?, signed)));
    let both: Vec<(&Change, &SignedOp)> = both.collect();
    if both.iter().any(|(change, signed)| plan::path_key(&change.path) != signed.op.key) {
        return Ok(false);
    }
    let Some((change, signed)) = both.last() else { return Ok(true) };
    let value = match &change.content {
        Content::Delete => tombstone(),
        Content::Put { blob } => value_digest(&blobs.contents(blob)?),
    };
    Ok(signed.op.value == value)
}

/// The entries that differ from `HEAD`: those of the authors, and those of other writers, in the order of
/// their keys.
pub fn differences(
    space: &Space,
    history: &History,
    blobs: &mut Blobs,
    authors: &[Author],
) -> Result<(Vec<Difference>, Vec<Kept>), Failure> {
    let writers: BTreeSet<u32> = authors.iter().map(|author| author.writer).collect();
    let mut last_author: BTreeMap<Key, usize> = BTreeMap::new();
    for change in &history.changes {
        last_author.insert(plan::path_key(&change.path), change.author);
    }
    let mut wanted: BTreeMap<Key, Option<&String>> = BTreeMap::new();
    for author in authors {
        for signed in log_of(space, author.writer)?.values() {
            wanted.insert(signed.op.key, None);
        }
    }
    wanted.extend(last_author.keys().map(|key| (*key, None)));
    wanted.extend(history.files.iter().map(|(path, blob)| (plan::path_key(path), Some(blob))));
    let (mut differences, mut kept) = (Vec::new(), Vec::new());
    for (key, blob) in wanted {
        let entry = space.get(At::Latest, &key)?.map(|found| found.entry);
        let value = match blob {
            None => tombstone(),
            Some(blob) => value_digest(&blobs.contents(blob)?),
        };
        let held = entry.map_or_else(tombstone, |entry| entry.value);
        if held == value {
            continue;
        }
        let other = entry.map(|entry| entry.stamp.writer).filter(|id| !writers.contains(id));
        if let Some(writer) = other {
            kept.push(Kept { key, writer });
        } else {
            let author = last_author.get(&key).copied().unwrap_or(0);
            let after = entry.map_or(0, |entry| entry.stamp.ts);
            differences.push(Difference { author, key, after, blob: blob.cloned() });
        }
    }
    Ok((differences, kept))
}
