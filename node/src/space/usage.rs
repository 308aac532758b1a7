//! How many bytes of ops and values each writer has stored on this node, for the limit of
//! [`Policy`](super::Policy). A replica counts from its first snapshot on.

use rootfold_core::{
    eddsa::SIGNATURE_BYTES,
    log::{SignedOp, OP_BYTES},
};

use crate::store::{records::damaged, Batch, Column, Store, StoreError};

const USAGE: &[u8] = b"usage/";

fn key(writer: u32) -> Vec<u8> {
    [USAGE, &writer.to_be_bytes()].concat()
}

/// The number of bytes that ops take in the store, without values.
pub(super) fn ops_bytes(ops: &[SignedOp]) -> u64 {
    let bytes = |signed: &SignedOp| OP_BYTES + signed.signature.map_or(0, |_| SIGNATURE_BYTES);
    ops.iter().map(|signed| bytes(signed) as u64).sum()
}

/// The number of bytes that a writer has stored.
pub(super) fn read(store: &dyn Store, writer: u32) -> Result<u64, StoreError> {
    let key = key(writer);
    let Some(bytes) = store.get(Column::Meta, &key)? else { return Ok(0) };
    let bytes = bytes.as_slice().try_into().map(u64::from_be_bytes);
    bytes.map_err(|_| damaged(Column::Meta, &key, "not a number of bytes"))
}

/// Adds `more` bytes to those of a writer.
pub(super) fn stage(
    batch: &mut Batch,
    store: &dyn Store,
    writer: u32,
    more: u64,
) -> Result<(), StoreError> {
    let bytes = read(store, writer)?.saturating_add(more);
    batch.put(Column::Meta, key(writer), bytes.to_be_bytes());
    Ok(())
}
