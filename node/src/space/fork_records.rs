//! The records of forked logs.

use std::collections::BTreeMap;

use rootfold_light::fork::{CheckedFork, Fork};

use crate::store::{records::damaged, Batch, Column, Store, StoreError};

const FORK: &[u8] = b"fork/";

/// A forked log on this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForkMark {
    /// The number of ops before the fork.
    pub shared: u64,
    /// Whether the operator has accepted the branch that this node holds.
    pub accepted: bool,
}

impl ForkMark {
    /// The number of ops after which the log rests; `None` if it goes on.
    pub fn rests_after(&self) -> Option<u64> {
        (!self.accepted).then_some(self.shared)
    }
}

fn key(writer: u32) -> Vec<u8> {
    [FORK, &writer.to_be_bytes()].concat()
}

pub(super) fn read(
    store: &dyn Store,
    writer: u32,
) -> Result<Option<(ForkMark, CheckedFork)>, StoreError> {
    let key = key(writer);
    let Some(bytes) = store.get(Column::Meta, &key)? else { return Ok(None) };
    match parse(&bytes) {
        Some(fork) => Ok(Some(fork)),
        None => Err(damaged(Column::Meta, &key, "not evidence of a fork")),
    }
}

fn parse(bytes: &[u8]) -> Option<(ForkMark, CheckedFork)> {
    let (accepted, evidence) = bytes.split_first()?;
    let fork = Fork::from_bytes(evidence).ok()?.check().ok()?;
    Some((ForkMark { shared: fork.shared(), accepted: *accepted == 1 }, fork))
}

pub(super) fn stage(batch: &mut Batch, mark: &ForkMark, fork: &CheckedFork) {
    let mut bytes = vec![u8::from(mark.accepted)];
    bytes.extend(fork.fork().to_bytes());
    batch.put(Column::Meta, key(fork.writer()), bytes);
}

/// All forked logs in a store.
pub(super) fn read_marks(store: &dyn Store) -> Result<BTreeMap<u32, ForkMark>, StoreError> {
    let (mut marks, mut bad) = (BTreeMap::new(), None);
    store.scan(Column::Meta, FORK, &mut |key, value| {
        if !key.starts_with(FORK) {
            return false;
        }
        match parse(value) {
            Some((mark, fork)) => drop(marks.insert(fork.writer(), mark)),
            None => bad = Some(damaged(Column::Meta, key, "not evidence of a fork")),
        }
        bad.is_none()
    })?;
    bad.map_or(Ok(marks), Err)
}
