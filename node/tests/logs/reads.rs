//! What an answer reads from the store.

use std::sync::{
    atomic::{AtomicU64, Ordering},
    Arc,
};

use rootfold_core::{field, key::Key};
use rootfold_node::{
    server::QueryService,
    space::Space,
    store::{Batch, Column, Durability, MemoryStore, Store, StoreError, Visit},
};
use rootfold_proto::v1::{self, query_service_server::QueryService as Query};
use tonic::Request;

use crate::common::{figure, key, World};

/// A store that counts the bytes that it returns.
struct Counting {
    inner: MemoryStore,
    bytes: Arc<AtomicU64>,
}

impl Store for Counting {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.inner.get(column, key)?;
        let bytes = value.as_ref().map_or(0, Vec::len) as u64;
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(value)
    }

    fn scan(&self, column: Column, from: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        self.inner.scan(column, from, &mut |key, value| {
            self.bytes.fetch_add(value.len() as u64, Ordering::Relaxed);
            visit(key, value)
        })
    }

    fn write(&self, batch: Batch, durability: Durability) -> Result<(), StoreError> {
        self.inner.write(batch, durability)
    }
}

/// Values above the inline limit are not read to be dropped.
#[tokio::test]
async fn a_small_answer_reads_little() {
    let bytes = Arc::new(AtomicU64::new(0));
    let store = Arc::new(Counting { inner: MemoryStore::new(), bytes: bytes.clone() });
    let world = World::on(store.clone(), 17, 2);
    for index in 0..120 {
        let value = vec![index as u8; 60_000];
        world.write(1, &[(&format!("key {index:03}"), Some(&value))]);
    }
    // Opened again, so that no page is in the cache.
    let space = Space::open(store).unwrap();
    let service = QueryService::new(space.clone());
    bytes.store(0, Ordering::Relaxed);
    let request = v1::RangeRequest {
        space: field::to_bytes(&space.id()).to_vec(),
        at: 1,
        from: key("").as_bytes().to_vec(),
        to: Key::END.as_bytes().to_vec(),
        limit: 32,
        ..Default::default()
    };
    let response = service.range(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(response.entries.len(), 32);
    let read = bytes.load(Ordering::Relaxed);
    figure("bytes read for a range of 32 entries with values of 60,000 bytes", read, 100_000);
}
