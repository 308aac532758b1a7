//! Reads of a space.

use std::{collections::BTreeMap, sync::Arc};

use rootfold_core::{
    head::Head,
    item::Entry,
    key::{ApplicationKey, Key, KeyKind},
    log::{SignedOp, Tip},
    tree::{self, Page, PageStore},
    F,
};
use rootfold_light::{
    query::At,
    snapshot::SnapshotHeader,
    values::{open_head, ValueKind, ValueName},
};

use crate::store::{
    records::{damaged, decode_op, op_key, parse_op_key, value_key},
    Column, Store, StoreError,
};

use super::{pin::Pin, Pinned, Space, SpaceError, State};

/// An entry with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The entry.
    pub entry: Entry,
    /// The value; `None` for tombstones and sentinels, if values were not requested, and if it is
    /// missing.
    pub value: Option<Vec<u8>>,
    /// Whether no peer has sent the value yet: see [`Space::holes`].
    pub missing: bool,
}

/// A state that is kept while it is read: see [`Space::view`].
#[derive(Clone)]
pub struct View {
    /// The root.
    pub root: F,
    _state: Arc<State>,
    _pinned: Option<Arc<Pinned>>,
}

impl Space {
    /// The root of a state.
    ///
    /// # Errors
    /// [`SpaceError::NoSnapshot`].
    pub fn root(&self, at: At) -> Result<F, SpaceError> {
        self.root_in(&self.state(), at)
    }

    fn root_in(&self, state: &State, at: At) -> Result<F, SpaceError> {
        match at {
            At::Latest => Ok(state.latest.root),
            At::Snapshot => Ok(self.header_in(state)?.root),
            At::Root(root) if self.keeps(&root) => Ok(root),
            At::Root(root) => Err(SpaceError::StateGone { root }),
        }
    }

    /// Whether this node keeps the state with this root, at least for a while.
    fn keeps(&self, root: &F) -> bool {
        let whole = |pin: &Pin| pin.whole && pin.root == *root;
        self.roots().contains(root) || self.pinned().iter().any(whole)
    }

    /// The roots of all states that this node keeps.
    pub(crate) fn roots(&self) -> Vec<F> {
        let state = self.state();
        let proved = state.proved.map(|proved| proved.root);
        let kept = state.kept.iter().map(|header| header.root);
        [state.latest.root].into_iter().chain(proved).chain(kept).collect()
    }

    /// The root of a state whose pages and values are kept as long as the view lives. Reads from a
    /// root without a view can fail while another thread writes.
    ///
    /// # Errors
    /// [`SpaceError::NoSnapshot`].
    pub fn view(&self, at: At) -> Result<View, SpaceError> {
        let state = self.state();
        // The state has only the newest snapshot. Pinned before the look, so that nothing is collected after it.
        let pinned = match at {
            At::Root(root) => Some(Arc::new(self.pin(root))),
            At::Latest | At::Snapshot => None,
        };
        let root = self.root_in(&state, at)?;
        Ok(View { root, _state: state, _pinned: pinned })
    }

    /// The header of the newest snapshot; that of genesis if there is none.
    ///
    /// # Errors
    /// [`SpaceError::NoSnapshot`] if this node does not hold the genesis state either.
    pub fn snapshot_header(&self) -> Result<SnapshotHeader, SpaceError> {
        self.header_in(&self.state())
    }

    fn header_in(&self, state: &State) -> Result<SnapshotHeader, SpaceError> {
        match state.snapshot {
            Some(header) => Ok(header),
            None if state.proved.is_some() => Ok(SnapshotHeader::genesis(self.id())),
            None => Err(SpaceError::NoSnapshot { id: self.id() }),
        }
    }

    /// The entry and the value of a key.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub fn get(&self, at: At, key: &Key) -> Result<Option<Found>, SpaceError> {
        let view = self.view(at)?;
        let entry = tree::lookup(self.pages(), view.root, key)?;
        entry.map(|entry| self.found(entry, true)).transpose()
    }

    /// The entries in `from..to`, at most `limit`, by key and including tombstones.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub fn scan(
        &self,
        at: At,
        from: &Key,
        to: &Key,
        limit: usize,
        with_values: bool,
    ) -> Result<Vec<Found>, SpaceError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let view = self.view(at)?;
        let entries = tree::scan(self.pages(), view.root, *from..*to)?;
        entries.take(limit).map(|entry| self.found(entry?, with_values)).collect()
    }

    /// The entries whose application keys begin with `prefix`, or all with application keys, by key, with
    /// their values and including tombstones.
    ///
    /// # Errors
    /// [`SpaceError`], also if the prefix is longer than the longest application key.
    pub fn scan_prefix<'a>(
        &'a self,
        at: At,
        prefix: Option<ApplicationKey<'a>>,
    ) -> Result<impl Iterator<Item = Result<Found, SpaceError>> + use<'a>, SpaceError> {
        let view = self.view(at)?;
        let entries = tree::scan_prefix(self.pages(), view.root, prefix)?;
        Ok(entries.map(move |entry| {
            let _kept = &view;
            self.found(entry?, true)
        }))
    }

    pub(super) fn found(&self, entry: Entry, with_value: bool) -> Result<Found, SpaceError> {
        let Some(name) = ValueName::of_entry(&entry).filter(|_| with_value) else {
            return Ok(Found { entry, value: None, missing: false });
        };
        match self.value(&name)? {
            Some(value) => Ok(Found { entry, value: Some(value), missing: false }),
            // A hole: no peer has sent it yet.
            None => Ok(Found { entry, value: None, missing: true }),
        }
    }

    /// The tips of all writers in the tree of `root`.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub(crate) fn tips_below(&self, root: F) -> Result<BTreeMap<u32, Tip>, SpaceError> {
        let mut tips = BTreeMap::new();
        for entry in tree::heads(self.pages(), root)? {
            let entry = entry?;
            if let KeyKind::Head(writer) = entry.key.kind() {
                let head = self.head(entry.value)?;
                tips.insert(writer, Tip { head, stamp: entry.stamp });
            }
        }
        Ok(tips)
    }

    /// The head with this digest.
    ///
    /// # Errors
    /// [`StoreError`], if the store does not hold the head among others.
    pub(crate) fn head(&self, digest: F) -> Result<Head, StoreError> {
        read_head(self.store(), digest)
    }

    /// A value by its name.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    pub fn value(&self, name: &ValueName) -> Result<Option<Vec<u8>>, StoreError> {
        read_value(self.store(), name)
    }

    /// A value that is short enough to be inline in a page.
    fn short_value(&self, name: &ValueName) -> Result<Option<Vec<u8>>, StoreError> {
        self.store().get(Column::Values, &value_key(name))
    }

    /// A value that is too long to be inline in a page.
    pub(crate) fn long_value(&self, name: &ValueName) -> Result<Option<Vec<u8>>, StoreError> {
        self.store().get(Column::LargeValues, &value_key(name))
    }

    /// Whether there is a value of this name that is too long to be inline in a page.
    pub(crate) fn has_long_value(&self, name: &ValueName) -> Result<bool, StoreError> {
        Ok(self.long_value(name)?.is_some())
    }

    pub(crate) fn has_value(&self, name: &ValueName) -> Result<bool, StoreError> {
        holds_value(self.store(), name)
    }

    /// At most `limit` ops of a log, each with the number of ops before it, beginning with the first op
    /// that has at least `from` ops before it. A bootstrapped replica does not hold the ops of its
    /// snapshot.
    ///
    /// # Errors
    /// [`StoreError::Read`], [`StoreError::Damaged`].
    pub fn log(
        &self,
        writer: u32,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, SignedOp)>, StoreError> {
        let mut ops = Vec::new();
        let mut bad = None;
        if limit == 0 {
            return Ok(ops);
        }
        self.store().scan(Column::Ops, &op_key(writer, from), &mut |key, value| match (
            parse_op_key(key),
            decode_op(value),
        ) {
            (Some((of, _)), _) if of != writer => false,
            (Some((_, seq)), Some((op, _))) => {
                ops.push((seq, op));
                ops.len() < limit
            }
            _ => {
                bad = Some(damaged(Column::Ops, key, "not an op"));
                false
            }
        })?;
        bad.map_or(Ok(ops), Err)
    }

    /// The encoding of a page with its inline values; `None` if the store does not hold the page.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub fn page_bytes(&self, name: &F) -> Result<Option<Vec<u8>>, SpaceError> {
        let Some(page) = self.pages().read(name)? else { return Ok(None) };
        self.encode(&page).map(Some)
    }

    fn encode(&self, page: &Page) -> Result<Vec<u8>, SpaceError> {
        let failed = std::cell::Cell::new(None);
        let bytes = page.encode(&|entry| {
            let name = ValueName::of_entry(entry)?;
            // A failed read is an error, not an omitted value.
            // Longer values are not read to be dropped.
            self.short_value(&name).unwrap_or_else(|e| {
                failed.set(Some(e));
                None
            })
        });
        failed.into_inner().map_or(Ok(bytes), |e| Err(e.into()))
    }

    /// The store of pages.
    pub fn page_store(&self) -> &(impl PageStore + Send + Sync + 'static) {
        self.pages()
    }
}

/// Whether a store holds a value.
pub(crate) fn holds_value(store: &dyn Store, name: &ValueName) -> Result<bool, StoreError> {
    Ok(read_value(store, name)?.is_some())
}

fn read_value(store: &dyn Store, name: &ValueName) -> Result<Option<Vec<u8>>, StoreError> {
    match store.get(Column::Values, &value_key(name))? {
        Some(value) => Ok(Some(value)),
        None => store.get(Column::LargeValues, &value_key(name)),
    }
}

/// Reads the head with this digest. Every head entry of a tree and every grant has its head in the
/// store.
///
/// # Errors
/// [`StoreError::Damaged`] if it is missing, otherwise [`StoreError::Read`].
pub(crate) fn read_head(store: &dyn Store, digest: F) -> Result<Head, StoreError> {
    let key = value_key(&ValueName { kind: ValueKind::Head, digest });
    let content = store.get(Column::Values, &key)?;
    content
        .and_then(|content| open_head(&content).ok())
        .ok_or_else(|| damaged(Column::Values, &key, "not a log head"))
}
