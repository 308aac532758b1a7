//! Garbage: pages and values that no state needs any more.
//!
//! A page that a change replaces, and the value of an entry that it replaces, become *candidates*,
//! in the same batch. A collection takes candidates in turn. A candidate is needed if one of the
//! *roots* reaches it: the latest state, the proved state, the kept snapshots, and the states that
//! a reader in this process still uses. To find out costs one path from each root, since a page
//! tells the key below which it must stand, and a reference tells the keys that had a value.
//!
//! A candidate that the latest or the proved state reaches is forgotten: the change that removes it
//! from there makes it a candidate again. One that only a snapshot reaches is filed under that
//! snapshot until the snapshot is dropped.

use std::collections::BTreeSet;

use rootfold_core::{
    field::{self, FIELD_BYTES},
    key::{Key, KEY_BYTES},
    log::Op,
    tree::{self, Page, PageStore, TreeError},
    F,
};
use rootfold_light::values::{ValueKind, ValueName};

use super::{read_head, Space, State};
use crate::store::{
    records::{page_key, parse_value_key, value_key},
    Batch, Column, Durability, Store, StoreError,
};

/// The number of new candidates after which a change collects.
const COLLECT_AFTER: usize = 128;
/// The largest number of candidates of one collection.
const COLLECT_AT_MOST: usize = 512;

/// The steps under which candidates are filed that no snapshot needs.
const READY: u64 = 0;
const PAGE: u8 = b'p';
/// In place of the op of a reference: the value is the head of a grant, which is never collected,
/// since the owner's log refers to it.
const GRANTED: &[u8] = b"granted";

/// A candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Candidate {
    Page(F),
    Value(ValueName),
}

/// What a collection removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// The number of pages.
    pub pages: u64,
    /// The number of values.
    pub values: u64,
}

/// New candidates of a change.
pub(crate) struct Garbage<'a> {
    space: &'a Space,
    candidates: BTreeSet<Candidate>,
}

impl<'a> Garbage<'a> {
    pub(crate) fn new(space: &'a Space) -> Garbage<'a> {
        Garbage { space, candidates: BTreeSet::new() }
    }

    pub(crate) fn page(&mut self, name: F) {
        self.candidates.insert(Candidate::Page(name));
    }

    pub(crate) fn value(&mut self, name: Option<ValueName>) {
        self.candidates.extend(name.map(Candidate::Value));
    }

    /// Adds the candidates to a batch.
    pub(crate) fn stage(self, batch: &mut Batch) {
        self.space.count_garbage(self.candidates.len());
        for candidate in &self.candidates {
            batch.put(Column::Garbage, candidate.key(READY), []);
        }
    }
}

impl Candidate {
    fn key(&self, steps: u64) -> Vec<u8> {
        let mut key = steps.to_be_bytes().to_vec();
        match self {
            Candidate::Page(name) => {
                key.push(PAGE);
                key.extend(page_key(name));
            }
            Candidate::Value(name) => key.extend(value_key(name)),
        }
        key
    }

    fn parse(key: &[u8]) -> Option<(u64, Candidate)> {
        let (steps, rest) = key.split_first_chunk::<8>()?;
        let candidate = match rest.split_first()? {
            (&PAGE, name) => {
                let name: &[u8; FIELD_BYTES] = name.try_into().ok()?;
                Candidate::Page(field::from_bytes(name).ok()?)
            }
            _ => Candidate::Value(parse_value_key(rest)?),
        };
        Some((u64::from_be_bytes(*steps), candidate))
    }
}

fn reference_key(name: &ValueName, key: &Key) -> Vec<u8> {
    [value_key(name).as_slice(), key.as_bytes()].concat()
}

/// Records that an op gave its key this value.
pub(crate) fn stage_reference(batch: &mut Batch, writer: u32, seq: u64, op: &Op) {
    let Some(name) = ValueName::of(&op.key, op.value) else { return };
    let mut by = writer.to_be_bytes().to_vec();
    by.extend(seq.to_be_bytes());
    if matches!(name.kind, ValueKind::Head | ValueKind::Replacement) {
        by = GRANTED.to_vec();
    }
    batch.put(Column::References, reference_key(&name, &op.key), by);
}

/// Records that an entry of a tree has this value.
pub(crate) fn stage_entry_reference(batch: &mut Batch, key: &Key, name: &ValueName) {
    batch.put(Column::References, reference_key(name, key), []);
}

/// Whether an entry of the latest state has this value, or may have it: a damaged page does not say.
pub(super) fn is_needed(space: &Space, name: &ValueName) -> Result<bool, StoreError> {
    let root = space.state().latest.root;
    for (key, _) in references(space.store(), name)? {
        if has_value(space, root, &key, name).unwrap_or(true) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The keys that had a value, each with the record of who gave it to them.
fn references(store: &dyn Store, name: &ValueName) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
    let prefix = value_key(name);
    let mut keys = Vec::new();
    store.scan(Column::References, &prefix, &mut |key, by| {
        let Some(key) = key.strip_prefix(prefix.as_slice()) else { return false };
        if let Ok(key) = <[u8; KEY_BYTES]>::try_from(key) {
            keys.push((Key::from_bytes(key), by.to_vec()));
        }
        true
    })?;
    Ok(keys)
}

fn has_value(space: &Space, root: F, key: &Key, name: &ValueName) -> Result<bool, StoreError> {
    let entry = tree::lookup(space.pages(), root, key).map_err(unreadable)?;
    Ok(entry.is_some_and(|entry| entry.value == name.digest))
}

fn unreadable(e: TreeError) -> StoreError {
    StoreError::Read { column: Column::Pages, cause: e.to_string() }
}

/// Who needs a candidate.
enum Need {
    /// A state that makes it a candidate again when it drops it, or an op that does so when it is
    /// proved.
    Changing,
    /// A reader: look again later.
    Later,
    /// The snapshot after this number of steps.
    Snapshot(u64),
    Nobody,
}

/// The roots of a collection.
struct Roots<'a> {
    space: &'a Space,
    latest: F,
    proved: Option<F>,
    read: Vec<F>,
    snapshots: Vec<(u64, F)>,
}

impl Roots<'_> {
    fn of(space: &Space) -> Roots<'_> {
        let state = space.state();
        let snapshots = state.kept.iter().map(|header| (header.steps, header.root));
        Roots {
            space,
            latest: state.latest.root,
            proved: state.proved.map(|proved| proved.root),
            read: space.roots_in_use(),
            snapshots: snapshots.collect(),
        }
    }

    /// Who needs something that `has` finds below a root.
    fn need(&self, has: &dyn Fn(F) -> Result<bool, StoreError>) -> Result<Need, StoreError> {
        if has(self.latest)? || self.proved.map_or(Ok(false), has)? {
            return Ok(Need::Changing);
        }
        for root in &self.read {
            if has(*root)? {
                return Ok(Need::Later);
            }
        }
        for (steps, root) in &self.snapshots {
            if has(*root)? {
                return Ok(Need::Snapshot(*steps));
            }
        }
        Ok(Need::Nobody)
    }

    fn need_of_page(&self, name: &F) -> Result<Need, StoreError> {
        let Some(page) = self.space.pages().read(name)? else { return Ok(Need::Nobody) };
        let key = key_of(&page);
        self.need(&|root| Ok(page_at(self.space, root, &key, page.rank())? == Some(*name)))
    }

    fn need_of_value(&self, name: &ValueName) -> Result<Need, StoreError> {
        let references = references(self.space.store(), name)?;
        if references.iter().any(|(_, by)| by == GRANTED) {
            return Ok(Need::Changing);
        }
        let has = |root: F| {
            for (key, _) in &references {
                if has_value(self.space, root, key, name)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        match self.need(&has)? {
            Need::Nobody if self.is_pending(&references)? => Ok(Need::Changing),
            need => Ok(need),
        }
    }

    /// Whether an op that gave the value is not proved yet: a snapshot in between may need it.
    fn is_pending(&self, references: &[(Key, Vec<u8>)]) -> Result<bool, StoreError> {
        let Some(proved) = self.proved else { return Ok(false) };
        for (_, by) in references {
            let Some((writer, seq)) = by.split_first_chunk::<4>() else { continue };
            let Ok(seq) = seq.try_into().map(u64::from_be_bytes) else { continue };
            let key = Key::head(u32::from_be_bytes(*writer));
            let head = tree::lookup(self.space.pages(), proved, &key).map_err(unreadable)?;
            let Some(head) = head else { return Ok(true) };
            let folded = field::to_u64(&read_head(self.space.store(), head.value)?.seq);
            if folded.is_some_and(|folded| folded <= seq) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A key below which a page must stand.
fn key_of(page: &Page) -> Key {
    let key = match page {
        Page::Leaf(entries) => entries.first().map(|entry| entry.key),
        Page::Internal { children, .. } => children.first().map(|child| child.last_key),
    };
    key.unwrap_or(Key::START)
}

/// The name of the page of `rank` on the path to `key`; `None` if the tree has no page there.
fn page_at(space: &Space, root: F, key: &Key, rank: u8) -> Result<Option<F>, StoreError> {
    let mut name = root;
    loop {
        let Some(page) = space.pages().page(&name).map_err(|e| unreadable(e.into()))? else {
            return Ok(None);
        };
        if page.rank() <= rank {
            return Ok((page.rank() == rank).then_some(name));
        }
        let children = page.children();
        let below = children.partition_point(|child| child.last_key < *key);
        match children.get(below) {
            Some(child) => name = child.digest,
            None => return Ok(None),
        }
    }
}

impl Space {
    /// Whether a page is part of the tree of one of these roots, which this node holds.
    pub(crate) fn reaches(&self, roots: &[F], name: &F, page: &Page) -> Result<bool, StoreError> {
        let key = key_of(page);
        for root in roots {
            if page_at(self, *root, &key, page.rank())? == Some(*name) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes pages and values that nothing needs: all whose candidates are filed as such, at most
    /// `limit` of them. A running node calls it by itself.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was removed.
    pub fn collect(&self, limit: usize) -> Result<Collected, StoreError> {
        let _change = self.begin_change();
        self.collect_during_change(limit)
    }

    /// Collects if many candidates are new. The caller holds the lock of changes.
    pub(super) fn collect_if_due(&self) {
        if self.garbage_since() < COLLECT_AFTER {
            return;
        }
        // The change that is done does not fail because of it.
        match self.collect_during_change(COLLECT_AT_MOST) {
            Ok(Collected { pages, values }) => {
                self.forget_garbage();
                tracing::debug!(pages, values, "collected garbage");
            }
            Err(e) => {
                tracing::warn!(event = "garbage-failed", error = %e, "garbage was not collected")
            }
        }
    }

    fn collect_during_change(&self, limit: usize) -> Result<Collected, StoreError> {
        let (roots, mut batch) = (Roots::of(self), Batch::new());
        let mut collected = Collected::default();
        let mut gone = Vec::new();
        for (steps, candidate) in self.candidates(limit)? {
            let need = match &candidate {
                Candidate::Page(name) => roots.need_of_page(name)?,
                Candidate::Value(name) => roots.need_of_value(name)?,
            };
            match need {
                Need::Later => continue,
                Need::Changing => {}
                Need::Snapshot(of) => batch.put(Column::Garbage, candidate.key(of), []),
                Need::Nobody => match candidate {
                    Candidate::Page(name) => {
                        batch.delete(Column::Pages, page_key(&name));
                        gone.push(name);
                        collected.pages += 1;
                    }
                    Candidate::Value(name) => {
                        self.stage_removal(&mut batch, &name)?;
                        collected.values += 1;
                    }
                },
            }
            batch.delete(Column::Garbage, candidate.key(steps));
        }
        if !batch.is_empty() {
            self.store().write(batch, Durability::Buffered)?;
        }
        gone.iter().for_each(|name| self.pages().forget(name));
        Ok(collected)
    }

    fn stage_removal(&self, batch: &mut Batch, name: &ValueName) -> Result<(), StoreError> {
        for (key, _) in references(self.store(), name)? {
            batch.delete(Column::References, reference_key(name, &key));
        }
        for column in [Column::Values, Column::LargeValues] {
            batch.delete(column, value_key(name));
        }
        Ok(())
    }

    /// At most `limit` candidates that no kept snapshot needs, with the steps under which they are
    /// filed.
    fn candidates(&self, limit: usize) -> Result<Vec<(u64, Candidate)>, StoreError> {
        let kept: BTreeSet<u64> = self.state().kept.iter().map(|header| header.steps).collect();
        let mut candidates = Vec::new();
        let mut from = Some(READY);
        while let Some(first) = from.take() {
            self.store().scan(Column::Garbage, &first.to_be_bytes(), &mut |key, _| {
                let Some((steps, candidate)) = Candidate::parse(key) else { return true };
                if kept.contains(&steps) {
                    from = steps.checked_add(1);
                    return false;
                }
                candidates.push((steps, candidate));
                candidates.len() < limit
            })?;
        }
        Ok(candidates)
    }

    /// Makes all pages and values of a tree candidates: a state that replaces it as a whole does
    /// that.
    pub(crate) fn stage_tree_as_garbage(
        &self,
        batch: &mut Batch,
        root: F,
    ) -> Result<(), TreeError> {
        let mut garbage = Garbage::new(self);
        for page in tree::pages_below(self.pages(), root) {
            let (place, page) = page?;
            garbage.page(place.name);
            page.entries().iter().for_each(|entry| garbage.value(ValueName::of_entry(entry)));
        }
        garbage.stage(batch);
        Ok(())
    }
}

/// The heads that a seal or an ingest stores, as references of their entries.
pub(crate) fn stage_head_reference(batch: &mut Batch, writer: u32, digest: F) {
    let name = ValueName { kind: ValueKind::Head, digest };
    stage_entry_reference(batch, &Key::head(writer), &name);
}

/// The roots of all states but `latest` that a reader still uses.
pub(super) fn roots_of<'a>(states: impl Iterator<Item = std::sync::Arc<State>> + 'a) -> Vec<F> {
    let mut roots: Vec<F> = states
        .flat_map(|state| {
            let proved = state.proved.map(|proved| proved.root);
            let snapshot = state.snapshot.map(|header| header.root);
            [Some(state.latest.root), proved, snapshot].into_iter().flatten().collect::<Vec<_>>()
        })
        .collect();
    roots.sort_unstable();
    roots.dedup();
    roots
}
