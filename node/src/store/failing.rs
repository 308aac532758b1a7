//! A store with injected faults, for tests of failed reads and writes.

use std::sync::{
    atomic::{AtomicU64, Ordering},
    Arc,
};

use super::{Batch, Column, Durability, Store, StoreError, Visit};

/// The number of calls that succeed before the faults begin; `u64::MAX` means no faults.
#[derive(Debug)]
pub struct Fault {
    reads: AtomicU64,
    writes: AtomicU64,
}

impl Default for Fault {
    fn default() -> Fault {
        Fault { reads: AtomicU64::new(u64::MAX), writes: AtomicU64::new(u64::MAX) }
    }
}

impl Fault {
    /// Lets all reads fail after the next `count`.
    pub fn reads_after(&self, count: u64) {
        self.reads.store(count, Ordering::SeqCst);
    }

    /// Lets all writes fail after the next `count`.
    pub fn writes_after(&self, count: u64) {
        self.writes.store(count, Ordering::SeqCst);
    }

    /// Ends all faults.
    pub fn heal(&self) {
        self.reads_after(u64::MAX);
        self.writes_after(u64::MAX);
    }

    fn fails(left: &AtomicU64) -> bool {
        let step = |left: u64| match left {
            0 => None,
            u64::MAX => Some(u64::MAX),
            _ => Some(left - 1),
        };
        left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step).is_err()
    }
}

/// Passes calls to `S` unless its [`Fault`] lets them fail.
pub struct FailingStore<S> {
    inner: S,
    fault: Arc<Fault>,
}

impl<S: Store> FailingStore<S> {
    /// Wraps `inner`. The returned [`Fault`] injects faults; there are none at first.
    pub fn new(inner: S) -> (FailingStore<S>, Arc<Fault>) {
        let fault = Arc::new(Fault::default());
        (FailingStore { inner, fault: fault.clone() }, fault)
    }

    fn read(&self, column: Column) -> Result<(), StoreError> {
        if Fault::fails(&self.fault.reads) {
            return Err(StoreError::Read { column, cause: "injected fault".into() });
        }
        Ok(())
    }
}

impl<S: Store> Store for FailingStore<S> {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(column)?;
        self.inner.get(column, key)
    }

    fn scan(&self, column: Column, from: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        self.read(column)?;
        self.inner.scan(column, from, visit)
    }

    fn write(&self, batch: Batch, durability: Durability) -> Result<(), StoreError> {
        if Fault::fails(&self.fault.writes) {
            let cause = "injected fault".into();
            return Err(StoreError::Write { changes: batch.len(), cause });
        }
        self.inner.write(batch, durability)
    }
}
