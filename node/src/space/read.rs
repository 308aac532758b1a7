//! Reading a space.

use rootfold_core::{
    item::Entry,
    key::{Key, KEY_BYTES, MAX_APPLICATION_KEY, USER_BYTE},
    log::SignedOp,
    tree::{self, Page, PageStore},
    F,
};
use rootfold_light::{answer::At, snapshot::SnapshotHeader, values::ValueName};

use crate::store::{
    records::{damaged, decode_op, op_key, parse_op_key, value_key},
    Column, StoreError,
};

use super::{Space, SpaceError};

/// An entry with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The entry.
    pub entry: Entry,
    /// Its value; `None` for a tombstone, for a sentinel, and if values were not asked for.
    pub value: Option<Vec<u8>>,
}

impl Space {
    /// The root of a state.
    ///
    /// # Errors
    /// [`SpaceError::NoSnapshot`].
    pub fn root(&self, at: At) -> Result<F, SpaceError> {
        match at {
            At::Latest => Ok(self.state().latest.root),
            At::Snapshot => Ok(self.snapshot_header()?.root),
        }
    }

    /// The newest snapshot's header; before there is one, that of genesis, which needs no proof.
    ///
    /// # Errors
    /// [`SpaceError::NoSnapshot`] if this replica does not hold genesis either.
    pub fn snapshot_header(&self) -> Result<SnapshotHeader, SpaceError> {
        let state = self.state();
        match state.snapshot {
            Some(header) => Ok(header),
            None if state.proved.is_some() => Ok(SnapshotHeader::genesis(self.id())),
            None => Err(SpaceError::NoSnapshot { id: self.id() }),
        }
    }

    /// The entry of a key with its value.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub fn get(&self, at: At, key: &Key) -> Result<Option<Found>, SpaceError> {
        let entry = tree::lookup(self.pages(), self.root(at)?, key)?;
        entry.map(|entry| self.found(entry, true)).transpose()
    }

    /// The entries from `from` up to, but not with, `to`: at most `limit`, tombstones too.
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
        let entries = tree::scan(self.pages(), self.root(at)?, *from..*to)?;
        entries.take(limit).map(|entry| self.found(entry?, with_values)).collect()
    }

    /// The entries whose keys are made by [`Key::user`] from application keys that begin with
    /// `prefix`: at most `limit`, tombstones too.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub fn scan_prefix(
        &self,
        at: At,
        prefix: &[u8],
        limit: usize,
        with_values: bool,
    ) -> Result<Vec<Found>, SpaceError> {
        let entries = tree::scan_prefix(self.pages(), self.root(at)?, prefix)?;
        entries.take(limit).map(|entry| self.found(entry?, with_values)).collect()
    }

    fn found(&self, entry: Entry, with_value: bool) -> Result<Found, SpaceError> {
        let Some(name) = ValueName::of_entry(&entry).filter(|_| with_value) else {
            return Ok(Found { entry, value: None });
        };
        match self.value(&name)? {
            Some(value) => Ok(Found { entry, value: Some(value) }),
            None => Err(damaged(Column::Values, &value_key(&name), "missing").into()),
        }
    }

    /// A value by its name.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    pub fn value(&self, name: &ValueName) -> Result<Option<Vec<u8>>, StoreError> {
        self.store().get(Column::Values, &value_key(name))
    }

    pub(crate) fn has_value(&self, name: &ValueName) -> Result<bool, StoreError> {
        Ok(self.value(name)?.is_some())
    }

    /// At most `limit` ops of a log that are held, from the one with `from` ops before it on,
    /// each with the number of ops before it. A bootstrapped replica does not hold those that its
    /// snapshot folded.
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
            (Some((_, seq)), Some(op)) => {
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

    /// A page as it is sent: with its small values. `None` if it is not held.
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
            // A value that cannot be read is a failure of this machine, not a page without it.
            self.value(&name).unwrap_or_else(|e| {
                failed.set(Some(e));
                None
            })
        });
        failed.into_inner().map_or(Ok(bytes), |e| Err(e.into()))
    }

    /// The pages of a state as trees read them.
    pub fn page_store(&self) -> &(impl PageStore + Send + Sync + 'static) {
        self.pages()
    }
}

/// A range of keys, from and up to but not with, that has all keys of the application that begin
/// with `prefix`. It may have a few others: keys are padded with zeros. A prefix longer than any
/// key gives an empty range.
pub fn prefix_range(prefix: &[u8]) -> (Key, Key) {
    if prefix.len() > MAX_APPLICATION_KEY {
        return (Key::START, Key::START);
    }
    let bound = |fill: u8| {
        let mut bytes = [fill; KEY_BYTES];
        bytes[0] = USER_BYTE;
        bytes[1..=prefix.len()].copy_from_slice(prefix);
        // No key of an application ends with this byte, so the upper bound itself is none.
        bytes[KEY_BYTES - 1] = fill;
        Key::from_bytes(bytes)
    };
    (bound(0x00), bound(0xff))
}
