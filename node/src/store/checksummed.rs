//! A store whose records carry checksums, so that a disk that returns other bytes than were written is
//! noticed: torn, altered, or those of another record.

use super::{records::damaged, Batch, Column, Durability, Store, StoreError, Visit};

/// The length of a checksum in bytes. It is against faults of disks; who can write to the disk can
/// make any checksum.
const CHECKSUM_BYTES: usize = 8;

/// A store whose records end with a checksum over column, key and value.
pub struct ChecksummedStore<S> {
    inner: S,
}

impl<S: Store> ChecksummedStore<S> {
    /// Adds checksums to the records of `inner`, whose records have all been written through such a
    /// store.
    pub fn new(inner: S) -> ChecksummedStore<S> {
        ChecksummedStore { inner }
    }
}

fn checksum(column: Column, key: &[u8], value: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = blake3::Hasher::new_derive_key("rootfold store record v2");
    hasher.update(column.name().as_bytes());
    // The lengths of names and keys differ between columns, so the parts need no lengths of their own
    // but that of the key.
    hasher.update(&(key.len() as u64).to_be_bytes()).update(key).update(value);
    let mut out = [0; CHECKSUM_BYTES];
    out.copy_from_slice(&hasher.finalize().as_bytes()[..CHECKSUM_BYTES]);
    out
}

/// The value of a record without its checksum, if that is right.
fn opened<'a>(column: Column, key: &[u8], record: &'a [u8]) -> Result<&'a [u8], StoreError> {
    let parts = record.split_last_chunk::<CHECKSUM_BYTES>();
    match parts {
        Some((value, sum)) if *sum == checksum(column, key, value) => Ok(value),
        _ => Err(damaged(column, key, "the disk has returned other bytes than were written")),
    }
}

impl<S: Store> Store for ChecksummedStore<S> {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(mut record) = self.inner.get(column, key)? else { return Ok(None) };
        let length = opened(column, key, &record)?.len();
        record.truncate(length);
        Ok(Some(record))
    }

    fn scan(&self, column: Column, from: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        let mut bad = None;
        self.inner.scan(column, from, &mut |key, record| match opened(column, key, record) {
            Ok(value) => visit(key, value),
            Err(e) => {
                bad = Some(e);
                false
            }
        })?;
        bad.map_or(Ok(()), Err)
    }

    fn write(&self, batch: Batch, durability: Durability) -> Result<(), StoreError> {
        let mut out = Batch::new();
        for (column, key, value) in batch.changes {
            match value {
                Some(mut value) => {
                    value.extend(checksum(column, &key, &value));
                    out.put(column, key, value);
                }
                None => out.delete(column, key),
            }
        }
        self.inner.write(out, durability)
    }
}
