//! The records of a space's identity and state.

use std::{collections::BTreeMap, sync::Arc};

use rootfold_core::{
    field::{self, FIELD_BYTES},
    space::Genesis,
    F,
};
use rootfold_light::snapshot::{Snapshot, SnapshotHeader};
use rootfold_verifier::VerifyingKey;

use super::{
    fork_records::{self, ForkMark},
    replaced::{self, ReplacedHeads},
    Tips,
};
use crate::store::{
    records::{damaged, decode_tip},
    Batch, Column, Store, StoreError,
};

const FORMAT: &[u8] = b"format";
const SPACE: &[u8] = b"space";
const BEGUN: &[u8] = b"bootstrapping";
const GOING_BACK: &[u8] = b"going-back";
const GENESIS: &[u8] = b"genesis";
const LATEST: &[u8] = b"latest";
const PROVED: &[u8] = b"proved";
const SNAPSHOT: &[u8] = b"snapshot";
const VERIFYING_KEY: &[u8] = b"verifying-key";

/// The version of the layout of the store.
pub(crate) const FORMAT_VERSION: u32 = 3;

/// The fold of all ops.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Latest {
    pub(crate) root: F,
    pub(crate) ops: u64,
    pub(crate) entries: u64,
}

/// The state that the running proof covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proved {
    /// The root.
    pub root: F,
    /// The number of ops folded into it since genesis.
    pub ops: u64,
    /// The number of steps of the proof; 0 at genesis, which has no running proof.
    pub steps: u64,
}

/// The mutable records of a space.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) latest: Latest,
    pub(crate) tips: Tips,
    pub(crate) proved: Option<Proved>,
    pub(crate) snapshot: Option<SnapshotHeader>,
    /// The stored snapshots, by their steps.
    pub(crate) kept: Arc<Vec<SnapshotHeader>>,
    pub(crate) forks: Arc<BTreeMap<u32, ForkMark>>,
    pub(crate) replaced: Arc<ReplacedHeads>,
}

impl State {
    /// Adds the records of the roots. Tips, snapshots and forks are added by the changes that touch them.
    pub(crate) fn stage(&self, batch: &mut Batch) {
        let Latest { root, ops, entries } = self.latest;
        batch.put(Column::Meta, LATEST, triple(&root, ops, entries));
        if let Some(Proved { root, ops, steps }) = self.proved {
            batch.put(Column::Meta, PROVED, triple(&root, ops, steps));
        }
        if let Some(header) = &self.snapshot {
            batch.put(Column::Meta, SNAPSHOT, header.to_bytes());
        }
    }

    pub(super) fn read(store: &dyn Store) -> Result<State, StoreError> {
        let (root, ops, entries) =
            read_triple(store, LATEST)?.ok_or_else(|| damaged(Column::Meta, LATEST, "missing"))?;
        let proved =
            read_triple(store, PROVED)?.map(|(root, ops, steps)| Proved { root, ops, steps });
        let snapshot = match store.get(Column::Meta, SNAPSHOT)? {
            Some(bytes) => Some(
                SnapshotHeader::from_bytes(&bytes)
                    .map_err(|e| damaged(Column::Meta, SNAPSHOT, e.to_string()))?,
            ),
            None => None,
        };
        Ok(State {
            latest: Latest { root, ops, entries },
            tips: read_tips(store)?,
            proved,
            snapshot,
            kept: Arc::new(read_kept(store)?),
            forks: Arc::new(fork_records::read_marks(store)?),
            replaced: Arc::new(replaced::read(store)?),
        })
    }
}

fn triple(root: &F, a: u64, b: u64) -> Vec<u8> {
    let mut out = field::to_bytes(root).to_vec();
    out.extend_from_slice(&a.to_be_bytes());
    out.extend_from_slice(&b.to_be_bytes());
    out
}

fn parse_triple(bytes: &[u8]) -> Option<(F, u64, u64)> {
    let (root, numbers) = bytes.split_first_chunk::<FIELD_BYTES>()?;
    let (a, b) = numbers.split_first_chunk::<8>()?;
    let b = u64::from_be_bytes(b.try_into().ok()?);
    Some((field::from_bytes(root).ok()?, u64::from_be_bytes(*a), b))
}

fn read_triple(store: &dyn Store, key: &[u8]) -> Result<Option<(F, u64, u64)>, StoreError> {
    let Some(bytes) = store.get(Column::Meta, key)? else { return Ok(None) };
    match parse_triple(&bytes) {
        Some(triple) => Ok(Some(triple)),
        None => Err(damaged(Column::Meta, key, "not a root and two numbers")),
    }
}

fn read_tips(store: &dyn Store) -> Result<Tips, StoreError> {
    let mut tips = Tips::new();
    let mut bad = None;
    store.scan(Column::Heads, &[], &mut |key, value| match (
        <[u8; 4]>::try_from(key),
        decode_tip(value),
    ) {
        (Ok(writer), Some(tip)) => {
            tips.insert(u32::from_be_bytes(writer), tip);
            true
        }
        _ => {
            bad = Some(damaged(Column::Heads, key, "not a writer and a tip"));
            false
        }
    })?;
    bad.map_or(Ok(tips), Err)
}

pub(super) fn stage_identity(batch: &mut Batch, id: &F, genesis: Option<&Genesis>) {
    batch.put(Column::Meta, FORMAT, FORMAT_VERSION.to_be_bytes());
    batch.put(Column::Meta, SPACE, field::to_bytes(id));
    batch.delete(Column::Meta, BEGUN);
    if let Some(genesis) = genesis {
        batch.put(Column::Meta, GENESIS, genesis.to_bytes());
    }
}

/// The id of the space in this store; `None` without a space.
pub(super) fn read_identity(store: &dyn Store) -> Result<Option<F>, StoreError> {
    let Some(bytes) = store.get(Column::Meta, SPACE)? else { return Ok(None) };
    let version = store.get(Column::Meta, FORMAT)?;
    if version.as_deref() != Some(FORMAT_VERSION.to_be_bytes().as_slice()) {
        return Err(damaged(
            Column::Meta,
            FORMAT,
            format!("this version of rootfold reads layout {FORMAT_VERSION} only"),
        ));
    }
    let id = bytes.as_slice().try_into().ok().and_then(|bytes| field::from_bytes(bytes).ok());
    match id {
        Some(id) => Ok(Some(id)),
        None => Err(damaged(Column::Meta, SPACE, "not a space id")),
    }
}

pub(super) fn stage_begun(batch: &mut Batch, id: &F) {
    batch.put(Column::Meta, BEGUN, field::to_bytes(id));
}

/// The id of the space whose bootstrap has begun and not finished.
pub(super) fn read_begun(store: &dyn Store) -> Result<Option<F>, StoreError> {
    let Some(bytes) = store.get(Column::Meta, BEGUN)? else { return Ok(None) };
    let id = bytes.as_slice().try_into().ok().and_then(|bytes| field::from_bytes(bytes).ok());
    id.map(Some).ok_or_else(|| damaged(Column::Meta, BEGUN, "not a space id"))
}

pub(super) fn read_genesis(store: &dyn Store) -> Result<Option<Vec<u8>>, StoreError> {
    store.get(Column::Meta, GENESIS)
}

pub(super) fn read_verifying_key(store: &dyn Store) -> Result<Option<VerifyingKey>, StoreError> {
    let Some(bytes) = store.get(Column::Meta, VERIFYING_KEY)? else { return Ok(None) };
    match VerifyingKey::decode(&bytes) {
        Ok(key) => Ok(Some(key)),
        Err(e) => Err(damaged(Column::Meta, VERIFYING_KEY, e.to_string())),
    }
}

pub(super) fn stage_verifying_key(batch: &mut Batch, key: &VerifyingKey) {
    batch.put(Column::Meta, VERIFYING_KEY, key.encode());
}

/// The size of the record of a probe, in bytes: more than the largest value and the pages of an op.
const PROBE_BYTES: usize = 256 * 1024;

/// Adds or removes a record without meaning.
pub(super) fn stage_probe(batch: &mut Batch, present: bool) {
    match present {
        true => batch.put(Column::Meta, *b"probe", vec![0; PROBE_BYTES]),
        false => batch.delete(Column::Meta, *b"probe"),
    }
}

/// Records whether ops in the store are to be folded again.
pub(super) fn stage_going_back(batch: &mut Batch, going_back: bool) {
    match going_back {
        true => batch.put(Column::Meta, GOING_BACK, []),
        false => batch.delete(Column::Meta, GOING_BACK),
    }
}

/// Whether ops in the store are to be folded again.
pub(super) fn read_going_back(store: &dyn Store) -> Result<bool, StoreError> {
    Ok(store.get(Column::Meta, GOING_BACK)?.is_some())
}

/// Removes the record of the newest snapshot.
pub(super) fn stage_no_snapshot(batch: &mut Batch) {
    batch.delete(Column::Meta, SNAPSHOT);
}

/// Removes the proved state.
pub(super) fn stage_no_proved(batch: &mut Batch) {
    batch.delete(Column::Meta, PROVED);
}

/// Adds a snapshot. Its key is its number of steps.
pub(super) fn stage_snapshot(batch: &mut Batch, snapshot: &Snapshot) {
    batch.put(Column::Snapshots, snapshot.header.steps.to_be_bytes(), snapshot.to_bytes());
}

pub(super) fn stage_dropped_snapshot(batch: &mut Batch, header: &SnapshotHeader) {
    batch.delete(Column::Snapshots, header.steps.to_be_bytes());
}

/// The headers of all stored snapshots, by their steps.
fn read_kept(store: &dyn Store) -> Result<Vec<SnapshotHeader>, StoreError> {
    let (mut kept, mut bad) = (Vec::new(), None);
    store.scan(Column::Snapshots, &[], &mut |key, value| {
        match Snapshot::from_bytes(value) {
            Ok(snapshot) => kept.push(snapshot.header),
            Err(e) => bad = Some(damaged(Column::Snapshots, key, e.to_string())),
        }
        bad.is_none()
    })?;
    bad.map_or(Ok(kept), Err)
}

pub(super) fn read_snapshot(
    store: &dyn Store,
    header: &SnapshotHeader,
) -> Result<Snapshot, StoreError> {
    let key = header.steps.to_be_bytes();
    let bytes = store
        .get(Column::Snapshots, &key)?
        .ok_or_else(|| damaged(Column::Snapshots, &key, "missing"))?;
    let snapshot = Snapshot::from_bytes(&bytes)
        .map_err(|e| damaged(Column::Snapshots, &key, e.to_string()))?;
    if snapshot.header != *header {
        return Err(damaged(Column::Snapshots, &key, "another snapshot"));
    }
    Ok(snapshot)
}
