//! Heads that the owner has replaced: where the logs of their writers change keys.

use std::{collections::BTreeMap, sync::PoisonError};

use rootfold_core::{
    eddsa::PublicKey,
    field::to_u64,
    log::{Op, Tip, OWNER},
    replacement::Replacement,
    F,
};
use rootfold_light::values::{ValueKind, ValueName};

use super::{Space, SpaceError};
use crate::store::{records::damaged, Batch, Column, Store, StoreError};

const REPLACED: &[u8] = b"replaced/";

/// The replacements that this node has taken into the owner's log, by the writer whose head is replaced,
/// in the order of the owner's log.
pub(crate) type ReplacedHeads = BTreeMap<u32, Vec<ReplacedHead>>;

/// A replacement of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReplacedHead {
    /// The number of ops of the owner's log before the op that replaces the head.
    pub(crate) by: u64,
    /// The number of ops after which the log goes on under the new key.
    pub(crate) at: u64,
}

/// The key of a record: the writer and the number of ops of the owner's log before.
fn key(of: u32, by: u64) -> Vec<u8> {
    [REPLACED, &of.to_be_bytes(), &by.to_be_bytes()].concat()
}

fn parse(key: &[u8], value: &[u8]) -> Option<(u32, ReplacedHead)> {
    let (of, by) = key.strip_prefix(REPLACED)?.split_first_chunk::<4>()?;
    let by = u64::from_be_bytes(by.try_into().ok()?);
    let at = u64::from_be_bytes(value.try_into().ok()?);
    Some((u32::from_be_bytes(*of), ReplacedHead { by, at }))
}

/// Adds a replacement to the records.
pub(super) fn stage(batch: &mut Batch, of: u32, head: &ReplacedHead) {
    batch.put(Column::Meta, key(of, head.by), head.at.to_be_bytes());
}

/// Removes a replacement from the records.
pub(super) fn stage_removed(batch: &mut Batch, of: u32, head: &ReplacedHead) {
    batch.delete(Column::Meta, key(of, head.by));
}

/// All replacements in a store.
pub(super) fn read(store: &dyn Store) -> Result<ReplacedHeads, StoreError> {
    let (mut heads, mut bad) = (ReplacedHeads::new(), None);
    store.scan(Column::Meta, REPLACED, &mut |key, value| {
        if !key.starts_with(REPLACED) {
            return false;
        }
        match parse(key, value) {
            Some((of, head)) => heads.entry(of).or_default().push(head),
            None => bad = Some(damaged(Column::Meta, key, "not a replacement of a head")),
        }
        bad.is_none()
    })?;
    bad.map_or(Ok(heads), Err)
}

impl ReplacedHead {
    /// The replacement by an op of the owner's log with `by` ops before it. `None` if the head named
    /// in it has 2^64 ops or more, which no run reaches.
    pub(super) fn of(replacement: &Replacement, by: u64) -> Option<ReplacedHead> {
        let at = match replacement {
            Replacement::Head { writer, before, .. } => before.seq(*writer).ok()?,
            Replacement::OwnerKey(_) => by + 1,
        };
        Some(ReplacedHead { by, at })
    }
}

impl Space {
    /// What an op that replaces a head puts in place; `None` for other ops, and if this node does not hold
    /// it.
    pub(crate) fn replacement(&self, op: &Op) -> Result<Option<Replacement>, StoreError> {
        match ValueName::of(&op.key, op.value) {
            Some(name) if name.kind == ValueKind::Replacement => self.opened(op.value),
            _ => Ok(None),
        }
    }

    /// The replacement with this digest; `None` if this node does not hold it.
    pub(crate) fn opened(&self, digest: F) -> Result<Option<Replacement>, StoreError> {
        let name = ValueName { kind: ValueKind::Replacement, digest };
        let Some(content) = self.value(&name)? else { return Ok(None) };
        let bad = |_| {
            let key = crate::store::records::value_key(&name);
            damaged(Column::Values, &key, "not a replacement of a head")
        };
        Replacement::from_bytes(&content).map(Some).map_err(bad)
    }

    /// The key under which op number `seq` of a log is signed; `None` if this node does not know it.
    pub(crate) fn public_key_at(
        &self,
        writer: u32,
        seq: u64,
    ) -> Result<Option<PublicKey>, SpaceError> {
        let state = self.state();
        let heads = state.replaced.get(&writer).map_or(&[][..], Vec::as_slice);
        let Some(next) = heads.iter().position(|head| seq <= head.at) else {
            return Ok(state.tips.get(&writer).map(|tip| tip.head.public_key));
        };
        if writer != OWNER {
            let replaced = self.replaced_by(heads[next].by)?;
            return Ok(replaced.and_then(|replaced| match replaced {
                Replacement::Head { before, .. } => Some(before.head.public_key),
                Replacement::OwnerKey(_) => None,
            }));
        }
        match next.checked_sub(1) {
            Some(before) => Ok(self.replaced_by(heads[before].by)?.map(|key| key.public_key())),
            None => Ok(self.genesis()?.and_then(|genesis| genesis.writers.first().copied())),
        }
    }

    /// The replacement by the op of the owner's log with `by` ops before it.
    fn replaced_by(&self, by: u64) -> Result<Option<Replacement>, StoreError> {
        match self.log(OWNER, by, 1)?.first() {
            Some((seq, signed)) if *seq == by => self.replacement(&signed.op),
            _ => Ok(None),
        }
    }

    /// The writers whose logs the owner has closed.
    pub fn closed(&self) -> Vec<u32> {
        let state = self.state();
        let closed = state.tips.iter().filter(|(_, tip)| tip.head.public_key.is_closed());
        closed.map(|(writer, _)| *writer).collect()
    }

    /// Whether the owner has replaced the head of a writer, as far as this node knows.
    pub(crate) fn is_replaced(&self, writer: u32) -> bool {
        self.state().replaced.contains_key(&writer)
    }

    /// Notes that the owner replaces a head at which the log of its writer is not here. The log goes on up
    /// to that head only, also beyond a fork.
    pub(crate) fn await_head(&self, of: u32, named: Tip) {
        debug_assert_ne!(of, OWNER, "the owner's key is replaced by the owner's next op");
        let mut awaited = self.inner.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        awaited.insert(of, named);
    }

    /// The head up to which the log of a writer goes on.
    pub(crate) fn awaited(&self, writer: u32) -> Option<Tip> {
        let awaited = self.inner.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        awaited.get(&writer).copied()
    }

    /// Whether the owner replaces a head that this node has passed, and it could not go back.
    pub(crate) fn is_past_a_replaced_head(&self) -> bool {
        let state = self.state();
        let awaited = self.inner.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        awaited.iter().any(|(writer, named)| {
            let held = state.tips.get(writer).and_then(|tip| to_u64(&tip.head.seq));
            held >= to_u64(&named.head.seq) && state.tips.get(writer) != Some(named)
        })
    }

    pub(super) fn forget_awaited(&self, writers: impl Iterator<Item = u32>) {
        let mut awaited = self.inner.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        for writer in writers {
            awaited.remove(&writer);
        }
    }
}
