//! The index: entries that have a mark of a term, and what a node keeps to find their keys.
//!
//! An index key has only the digest of its primary key. A node keeps the primary key of each digest, and the
//! index keys of each primary key. It learns both from ops, and after a bootstrap from the tree, when they
//! are first needed.

use std::collections::BTreeSet;

use rootfold_core::{
    item::Entry,
    key::{ApplicationKey, Key, KeyKind, INDEX_BYTE, LIMB_BYTES},
    log::SignedOp,
    mark::{digest_of, digests_of, is_of, primary_digest},
    tree::{self, Page},
    value::tombstone,
    F,
};
use rootfold_light::query::{At, FindQuery, PageToken};
use rootfold_proto::limits::{MAX_MARKED, MAX_RANGE};

use super::{Found, Space, SpaceError};
use crate::store::{records::damaged, Batch, Column, Durability, StoreError};

/// Whether the records cover the whole tree.
const COMPLETE: &[u8] = b"index-complete";
/// The first byte of a record: digest -> primary key.
const PRIMARY: u8 = b'p';
/// The first byte of a record: digest, index key -> nothing. The entry may have changed since.
const MARKED: u8 = b'm';
/// The number of records that are written at once.
const AT_ONCE: usize = 10_000;

type Digest = [u8; LIMB_BYTES];

/// A part of the index of a term.
#[derive(Debug, Clone)]
pub(crate) struct IndexPart {
    /// For each entry of the index that is no tombstone, in the requested order: the entry of its primary
    /// key, and whether it is current.
    pub(crate) marked: Vec<(Entry, bool)>,
    /// The index key at which the rest begins; its end if the order is reversed.
    pub(crate) next: Option<Key>,
}

/// The current entries with a mark of a term.
#[derive(Debug, Clone)]
pub struct Hits {
    /// The entries with their values, in the requested order.
    pub entries: Vec<Found>,
    /// Where the rest begins; `None` if all entries of the term are covered.
    pub next: Option<PageToken>,
}

/// Adds that the records cover the whole tree: it is that of genesis.
pub(super) fn stage_complete(batch: &mut Batch) {
    batch.put(Column::Meta, COMPLETE, []);
}

/// Adds that the records do not cover the tree: it comes from a peer.
pub(super) fn stage_incomplete(batch: &mut Batch) {
    batch.delete(Column::Meta, COMPLETE);
}

/// Adds the records of new ops of one log, which begin with a group.
pub(super) fn stage_ops(batch: &mut Batch, ops: &[SignedOp]) {
    let mut primary = None;
    for op in ops.iter().map(|signed| &signed.op) {
        match primary {
            Some(key) if op.is_mark() => {
                if op.value != tombstone() {
                    stage_primary(batch, &digest_in(&op.key), &key);
                    stage_marked(batch, &digest_of(&key.digest()), &op.key);
                }
            }
            _ => primary = Some(op.key),
        }
    }
}

fn stage_primary(batch: &mut Batch, digest: &Digest, key: &Key) {
    batch.put(Column::Index, primary_record(digest), key.as_bytes());
}

fn stage_marked(batch: &mut Batch, digest: &Digest, index: &Key) {
    batch.put(Column::Index, [&marked_prefix(digest), index.as_bytes().as_slice()].concat(), []);
}

fn primary_record(digest: &Digest) -> Vec<u8> {
    [&[PRIMARY], digest.as_slice()].concat()
}

fn marked_prefix(digest: &Digest) -> Vec<u8> {
    [&[MARKED], digest.as_slice()].concat()
}

fn digest_in(index: &Key) -> Digest {
    let mut digest = [0; LIMB_BYTES];
    digest.copy_from_slice(primary_digest(index));
    digest
}

impl Space {
    /// The current entries with a mark of a term, in the order of their marks, at most as many as the query
    /// allows.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub fn find(&self, at: At, query: &FindQuery) -> Result<Hits, SpaceError> {
        let view = self.view(at)?;
        let part = self.index_part(view.root, query)?;
        let current = part.marked.into_iter().filter(|(_, current)| *current);
        let entries =
            current.map(|(entry, _)| self.found(entry, true)).collect::<Result<_, _>>()?;
        let next = part.next.map(|key| PageToken { root: view.root, key });
        Ok(Hits { entries, next })
    }

    /// The live index keys of the entry of `primary` under `root`, once [`Self::complete_index`] has run.
    pub(super) fn marks_of(&self, root: F, primary: &Key) -> Result<Vec<Key>, SpaceError> {
        let prefix = marked_prefix(&digest_of(&primary.digest()));
        let mut keys = Vec::new();
        let mut bad = None;
        self.store().scan(Column::Index, &prefix, &mut |record, _| {
            let Some(key) = record.strip_prefix(prefix.as_slice()) else { return false };
            match Key::from_slice(key) {
                Ok(key) => keys.push(key),
                Err(e) => bad = Some(damaged(Column::Index, record, e.to_string())),
            }
            bad.is_none()
        })?;
        if let Some(bad) = bad {
            return Err(bad.into());
        }
        let mut live = Vec::new();
        for key in keys {
            let entry = tree::lookup(self.pages(), root, &key)?;
            if entry.is_some_and(|entry| entry.value != tombstone()) {
                live.push(key);
            }
        }
        Ok(live)
    }

    /// The first entries of a term that have at most as many current ones as the query allows.
    pub(crate) fn index_part(&self, root: F, query: &FindQuery) -> Result<IndexPart, SpaceError> {
        let range = query.range();
        let limit = usize::try_from(range.limit).unwrap_or(MAX_RANGE).clamp(1, MAX_RANGE);
        let none = IndexPart { marked: Vec::new(), next: None };
        let Some(mut rest) = range.rest() else { return Ok(none) };
        let mut part = none;
        let mut hits = 0;
        loop {
            let wanted = limit + 1 - hits;
            let index: Vec<Entry> = if range.reverse {
                tree::scan_back(self.pages(), root, rest.clone(), wanted)?
            } else {
                let scan = tree::scan(self.pages(), root, rest.clone())?;
                scan.take(wanted).collect::<Result<_, _>>()?
            };
            for entry in &index {
                if hits == limit || part.marked.len() == MAX_MARKED {
                    part.next = Some(if range.reverse { rest.end } else { entry.key });
                    return Ok(part);
                }
                if range.reverse {
                    rest.end = entry.key;
                }
                if entry.value == tombstone() {
                    continue;
                }
                let primary = self.primary_of(root, &entry.key)?;
                let current =
                    is_of(&entry.key, &primary.key.digest()) && primary.stamp == entry.stamp;
                hits += usize::from(current);
                part.marked.push((primary, current));
            }
            let Some(last) = index.last().filter(|_| index.len() == wanted) else {
                return Ok(part);
            };
            if !range.reverse {
                rest.start = last.key.successor();
            }
        }
    }

    /// The entry of the primary key of an index entry.
    fn primary_of(&self, root: F, index: &Key) -> Result<Entry, SpaceError> {
        let entry = tree::lookup(self.pages(), root, &self.primary_key_of(index)?)?;
        let what = "the primary key of an index entry has no entry";
        Ok(entry.ok_or_else(|| damaged(Column::Index, index.as_bytes(), what.to_owned()))?)
    }

    /// The primary keys of the entries of the index in a page, ascending, each once.
    pub(crate) fn primary_keys(&self, page: &Page) -> Result<BTreeSet<Key>, SpaceError> {
        let live = page.entries().iter().filter(|entry| entry.value != tombstone());
        let index = live.filter(|entry| entry.key.kind() == KeyKind::Index);
        index.map(|entry| self.primary_key_of(&entry.key)).collect()
    }

    /// The primary key of an index entry.
    fn primary_key_of(&self, index: &Key) -> Result<Key, SpaceError> {
        let record = primary_record(&digest_in(index));
        let mut found = self.store().get(Column::Index, &record)?;
        if found.is_none() {
            self.complete_index()?;
            found = self.store().get(Column::Index, &record)?;
        }
        let bad = |what: &str| damaged(Column::Index, &record, what.to_owned());
        let bytes = found.ok_or_else(|| bad("no primary key of an index entry"))?;
        Ok(Key::from_slice(&bytes).map_err(|e| bad(&e.to_string()))?)
    }

    /// Makes the records of the latest tree, if it came from a peer. Costs a hash for each entry then.
    pub(super) fn complete_index(&self) -> Result<(), SpaceError> {
        if self.store().get(Column::Meta, COMPLETE)?.is_some() {
            return Ok(());
        }
        let _change = self.begin_change();
        let root = self.root(At::Latest)?;
        let (mut batch, mut wanted) = (Batch::new(), BTreeSet::new());
        let index = Key::filled(&[INDEX_BYTE], 0x00)..Key::filled(&[INDEX_BYTE], 0xff);
        for entry in tree::scan(self.pages(), root, index)? {
            let entry = entry?;
            let digest = digest_in(&entry.key);
            wanted.insert(digest);
            if entry.value != tombstone() {
                stage_marked(&mut batch, &digest, &entry.key);
            }
            self.write_some(&mut batch, AT_ONCE)?;
        }
        if !wanted.is_empty() {
            for entry in tree::scan(self.pages(), root, ApplicationKey::all())? {
                let key = entry?.key;
                for digest in digests_of(&key.digest()) {
                    if wanted.contains(&digest) {
                        stage_primary(&mut batch, &digest, &key);
                        self.write_some(&mut batch, AT_ONCE)?;
                    }
                }
            }
        }
        stage_complete(&mut batch);
        self.write_some(&mut batch, 0)?;
        Ok(())
    }

    fn write_some(&self, batch: &mut Batch, most: usize) -> Result<(), StoreError> {
        if batch.len() > most {
            self.store().write(std::mem::take(batch), Durability::Buffered)?;
        }
        Ok(())
    }
}
