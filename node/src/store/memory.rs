//! A store in memory, for tests and for replays without a data directory.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Batch, Column, Durability, Store, StoreError, Visit};

type Columns = BTreeMap<Column, BTreeMap<Vec<u8>, Vec<u8>>>;

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    columns: Mutex<Columns>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    fn columns(&self) -> MutexGuard<'_, Columns> {
        // A poisoned map is consistent: no change panics halfway.
        self.columns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.columns().get(&column).and_then(|map| map.get(key)).cloned())
    }

    fn scan(&self, column: Column, from: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        let mut bound = Bound::Included(from.to_vec());
        loop {
            // The lock is not held during a visit, so the visitor may read from the store.
            let next = self.columns().get(&column).and_then(|map| {
                let (key, value) = map.range((bound.clone(), Bound::Unbounded)).next()?;
                Some((key.clone(), value.clone()))
            });
            let Some((key, value)) = next else { return Ok(()) };
            if !visit(&key, &value) {
                return Ok(());
            }
            bound = Bound::Excluded(key);
        }
    }

    fn write(&self, batch: Batch, _durability: Durability) -> Result<(), StoreError> {
        let mut columns = self.columns();
        for (column, key, value) in batch.changes {
            let map = columns.entry(column).or_default();
            match value {
                Some(value) => map.insert(key, value),
                None => map.remove(&key),
            };
        }
        Ok(())
    }
}
