//! The contract of stores, as one function for the tests of all implementations.

use thiserror::Error;

use super::{dump, Batch, Column, Durability, Store, StoreError};

/// How a store breaks the contract.
#[derive(Debug, Error)]
pub enum ContractBroken {
    /// A call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This rule does not hold.
    #[error("the store breaks its contract: {0}")]
    Promise(&'static str),
}

fn promise(kept: bool, what: &'static str) -> Result<(), ContractBroken> {
    if kept {
        Ok(())
    } else {
        Err(ContractBroken::Promise(what))
    }
}

/// Checks an empty store against the contract of [`Store`].
///
/// # Errors
/// [`ContractBroken`] with the first rule that does not hold.
pub fn check_contract(store: &dyn Store) -> Result<(), ContractBroken> {
    promise(dump(store)?.is_empty(), "a new store is empty")?;
    columns_are_apart(store)?;
    batches_are_whole(store)?;
    scans_are_in_order(store)?;
    odd_keys(store)
}

fn columns_are_apart(store: &dyn Store) -> Result<(), ContractBroken> {
    for column in Column::ALL {
        let mut batch = Batch::new();
        batch.put(column, *b"same", column.name().as_bytes());
        store.write(batch, Durability::Buffered)?;
    }
    for column in Column::ALL {
        let held = store.get(column, b"same")?;
        promise(held.as_deref() == Some(column.name().as_bytes()), "columns are separate")?;
    }
    let mut batch = Batch::new();
    Column::ALL.iter().for_each(|column| batch.delete(*column, *b"same"));
    store.write(batch, Durability::Synced)?;
    promise(dump(store)?.is_empty(), "a deleted key has no value")
}

fn batches_are_whole(store: &dyn Store) -> Result<(), ContractBroken> {
    let mut batch = Batch::new();
    batch.put(Column::Meta, *b"k", *b"first");
    batch.delete(Column::Meta, *b"k");
    batch.put(Column::Meta, *b"k", *b"last");
    batch.delete(Column::Meta, *b"never there");
    store.write(batch, Durability::Synced)?;
    let held = store.get(Column::Meta, b"k")?;
    promise(held.as_deref() == Some(b"last".as_slice()), "the last change of a key wins")?;
    store.write(Batch::new(), Durability::Synced)?;
    promise(dump(store)?.len() == 1, "an empty batch changes nothing")?;
    let mut batch = Batch::new();
    batch.put(Column::Meta, *b"k", *b"");
    store.write(batch, Durability::Buffered)?;
    let held = store.get(Column::Meta, b"k")?;
    promise(held.as_deref() == Some(b"".as_slice()), "an empty value is a value")
}

fn scans_are_in_order(store: &dyn Store) -> Result<(), ContractBroken> {
    let mut batch = Batch::new();
    for number in [5u32, 1, 0x1_00, 0xff, 0x1_0000, 3] {
        batch.put(Column::Ops, number.to_be_bytes(), vec![0; number as usize % 7]);
    }
    store.write(batch, Durability::Buffered)?;
    let from = |from: u32, most: usize| {
        let mut seen = Vec::new();
        store.scan(Column::Ops, &from.to_be_bytes(), &mut |key, value| {
            let number = key.try_into().map(u32::from_be_bytes).unwrap_or(u32::MAX);
            seen.push((number, value.len()));
            seen.len() < most
        })?;
        Ok::<_, StoreError>(seen.into_iter().map(|(number, _)| number).collect::<Vec<_>>())
    };
    let all = [1, 3, 5, 0xff, 0x1_00, 0x1_0000];
    promise(from(0, 100)? == all, "a scan is in the order of bytes")?;
    promise(from(3, 100)? == all[1..], "a scan begins with its first key")?;
    promise(from(4, 100)? == all[2..], "the first key of a scan need not exist")?;
    promise(from(0, 2)? == all[..2], "a scan stops when the visitor says so")?;
    promise(from(0x2_0000, 100)?.is_empty(), "a scan after the last key is empty")
}

fn odd_keys(store: &dyn Store) -> Result<(), ContractBroken> {
    let mut batch = Batch::new();
    let long = vec![0xff; 300];
    batch.put(Column::Pages, long.clone(), vec![7; 100_000]);
    batch.put(Column::Pages, vec![0], vec![8]);
    store.write(batch, Durability::Buffered)?;
    let held = store.get(Column::Pages, &long)?;
    promise(held == Some(vec![7; 100_000]), "long keys and values are kept")?;
    promise(store.get(Column::Pages, &[0xff; 299])?.is_none(), "a prefix of a key is another key")?;
    promise(store.get(Column::Pages, &[0])? == Some(vec![8]), "a zero byte is a key")
}
