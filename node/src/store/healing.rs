//! A store that is opened again after a failed write.
//!
//! After an I/O error a database may refuse all further calls until it is closed and opened: redb
//! does, and so does RocksDB with a write-ahead log that it could not write. A disk that was full
//! and has space again must not need a restart of the node.

use std::{
    io,
    sync::{
        atomic::{AtomicBool, Ordering},
        PoisonError, RwLock, RwLockReadGuard,
    },
};

use super::{Batch, Column, Durability, Store, StoreError, Visit};

/// Opens the store.
pub type Open<S> = Box<dyn Fn() -> Result<S, StoreError> + Send + Sync>;

/// A store that is opened again after a failed write, before the next one.
pub struct HealingStore<S> {
    open: Open<S>,
    /// `None` only if it could not be opened again.
    inner: RwLock<Option<S>>,
    /// Whether a write has failed since the store was opened.
    failed: AtomicBool,
}

impl<S: Store> HealingStore<S> {
    /// Opens a store with `open`.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn new(open: Open<S>) -> Result<HealingStore<S>, StoreError> {
        let inner = RwLock::new(Some(open()?));
        Ok(HealingStore { open, inner, failed: AtomicBool::new(false) })
    }

    fn inner(&self) -> RwLockReadGuard<'_, Option<S>> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the store and opens it again.
    fn reopen(&self) -> Result<(), StoreError> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have done it in the meantime.
        if !self.failed.load(Ordering::Acquire) {
            return Ok(());
        }
        // A database admits one opening at a time.
        drop(inner.take());
        *inner = Some((self.open)()?);
        self.failed.store(false, Ordering::Release);
        tracing::info!(event = "store-reopened", "opened the database again after a failed write");
        Ok(())
    }

    fn read<T>(
        &self,
        column: Column,
        mut read: impl FnMut(&S) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let closed = || StoreError::Read { column, cause: "the database is closed".into() };
        let first = self.inner().as_ref().ok_or_else(closed).and_then(&mut read);
        match first {
            Err(StoreError::Read { .. }) if self.failed.load(Ordering::Acquire) => {
                self.reopen()?;
                self.inner().as_ref().ok_or_else(closed).and_then(read)
            }
            done => done,
        }
    }
}

impl<S: Store> Store for HealingStore<S> {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(column, |store| store.get(column, key))
    }

    fn scan(&self, column: Column, from: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        // A visit is not repeated: the keys that were visited stay visited.
        let inner = self.inner();
        let closed = io::Error::other("the database is closed").to_string();
        inner.as_ref().ok_or(StoreError::Read { column, cause: closed })?.scan(column, from, visit)
    }

    fn write(&self, batch: Batch, durability: Durability) -> Result<(), StoreError> {
        let changes = batch.len();
        if self.failed.load(Ordering::Acquire) {
            self.reopen().map_err(|e| StoreError::Write { changes, cause: e.to_string() })?;
        }
        let inner = self.inner();
        let closed = || StoreError::Write { changes, cause: "the database is closed".into() };
        let done = inner.as_ref().ok_or_else(closed)?.write(batch, durability);
        if done.is_err() {
            self.failed.store(true, Ordering::Release);
        }
        done
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::{atomic::AtomicUsize, Arc};

    use super::*;
    use crate::store::{check_contract, FailingStore, MemoryStore};

    #[test]
    fn a_failed_write_is_followed_by_one_opening() {
        let (store, fault) = FailingStore::new(MemoryStore::new());
        let (store, opened) = (Arc::new(store), Arc::new(AtomicUsize::new(0)));
        let count = opened.clone();
        let open = Box::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(store.clone())
        });
        let healing = HealingStore::new(open).unwrap();
        check_contract(&healing).unwrap();
        assert_eq!(opened.load(Ordering::Relaxed), 1);
        let put = || {
            let mut batch = Batch::new();
            batch.put(Column::Meta, *b"k", *b"v");
            healing.write(batch, Durability::Synced)
        };
        fault.writes_after(0);
        put().unwrap_err();
        put().unwrap_err();
        fault.heal();
        put().unwrap();
        put().unwrap();
        assert_eq!(opened.load(Ordering::Relaxed), 3);
        assert_eq!(healing.get(Column::Meta, b"k").unwrap().unwrap(), b"v");
    }
}
