//! A disk whose unsynced writes are lost in a crash.

use std::sync::{Mutex, MutexGuard};

use rootfold_node::store::{
    dump, Batch, Column, Dump, Durability, MemoryStore, Store, StoreError, Visit,
};

/// A store in memory with a copy of what is synced.
pub struct SimStore {
    state: Mutex<State>,
}

struct State {
    current: MemoryStore,
    /// The batches since the last synced one.
    unsynced: Vec<Batch>,
    synced: MemoryStore,
}

fn copy(records: Dump) -> MemoryStore {
    let store = MemoryStore::new();
    let mut batch = Batch::new();
    for (column, key, value) in records {
        batch.put(column, key, value);
    }
    store.write(batch, Durability::Synced).unwrap();
    store
}

impl SimStore {
    pub fn new(records: Dump) -> SimStore {
        let (current, synced) = (copy(records.clone()), copy(records));
        SimStore { state: Mutex::new(State { current, unsynced: Vec::new(), synced }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Loses what is not synced. Returns whether there was something.
    pub fn crash(&self) -> bool {
        let mut state = self.state();
        let lost = !state.unsynced.is_empty();
        state.unsynced.clear();
        state.current = copy(dump(&state.synced).unwrap());
        lost
    }
}

impl Store for SimStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.state().current.get(column, key)
    }

    fn scan(&self, column: Column, from: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        self.state().current.scan(column, from, visit)
    }

    fn write(&self, batch: Batch, durability: Durability) -> Result<(), StoreError> {
        let mut state = self.state();
        state.current.write(batch.clone(), durability)?;
        state.unsynced.push(batch);
        if durability == Durability::Synced {
            for batch in std::mem::take(&mut state.unsynced) {
                state.synced.write(batch, durability)?;
            }
        }
        Ok(())
    }
}
