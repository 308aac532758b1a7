//! A space on this node: its records, and the only code that changes them.
//!
//! A space has two states. The *latest* state is the fold of all ops; an ingest advances it. The
//! *proved* state is the one that the running proof covers; a seal advances it. Both are roots over
//! the same store of pages, so they advance independently.

mod changes;
pub(crate) mod epoch;
mod fork_records;
mod forks;
pub(crate) mod garbage;
mod going_back;
mod history;
mod holes;
mod index;
mod ingest;
mod pages;
mod pin;
mod policy;
mod proved;
mod read;
mod replace;
mod replaced;
pub mod scrub;
mod snapshots;
mod state;
mod take_over;
mod usage;
mod voucher;
mod write;

use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak,
    },
};

use rootfold_core::{
    field,
    fold::Epoch,
    head::Head,
    item::Entry,
    key::Key,
    log::Tip,
    run::CheckedRun,
    space::{Genesis, GenesisError},
    stamp::{Stamp, COUNTER_BITS},
    tree::{self, Page, TreeError, Update},
    F,
};
use rootfold_light::{
    snapshot::{Snapshot, SnapshotHeader},
    values::{Value, ValueName},
};
use rootfold_verifier::VerifyingKey;
use thiserror::Error;
use tokio::sync::watch;

use crate::store::{
    records::{encode_tip, value_column, value_key},
    Batch, Column, Durability, Store, StoreError,
};

pub use epoch::EpochLimits;
pub use fork_records::ForkMark;
pub use forks::{Branch, ForkRefused};
pub use garbage::Collected;
pub(crate) use garbage::Garbage;
pub use history::History;
pub use index::Hits;
pub(crate) use index::IndexPart;
pub use ingest::{IngestError, IngestedEach};
pub(crate) use pages::Pages;
pub(crate) use pin::Pinned;
pub use policy::{Policy, KEPT_SNAPSHOTS, MAX_AHEAD, MAX_TAIL};
pub(crate) use proved::{Begun, Lacking, TakeProvedError};
pub(crate) use read::{holds_value, read_head};
pub use read::{Found, View};
pub use rootfold_light::query::Voucher;
pub(crate) use snapshots::FetchedNames;
pub use state::Proved;
pub(crate) use state::{Latest, State, FORMAT_VERSION as STORE_VERSION};
pub use write::{Write, WriteError, Written};

/// The tips of writers. Cheap to clone, whatever their number is.
pub type Tips = imbl::OrdMap<u32, Tip>;

/// Why a space cannot be created or read.
#[derive(Debug, Error)]
pub enum SpaceError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The genesis config is not valid.
    #[error("genesis config: {0}")]
    Genesis(#[from] GenesisError),
    /// The store has a space already.
    #[error("the database already holds space {}", field::to_hex(.id))]
    Exists {
        /// The space's id.
        id: F,
    },
    /// The store has no space.
    #[error("the database holds no space")]
    NoSpace,
    /// A bootstrap into the store has begun and not finished.
    #[error(
        "a bootstrap of space {} was cut off here: run it again, it goes on where it stopped",
        field::to_hex(.id)
    )]
    CutOff {
        /// The space's id.
        id: F,
    },
    /// Ops of this node cannot be folded on top of a newer snapshot.
    #[error("folding own ops on top of a newer snapshot: {0}")]
    OwnOps(#[from] Box<IngestError>),
    /// The node does not keep a state.
    #[error(
        "this node does not keep the state with root {}: ask for the latest one or the newest snapshot",
        field::to_hex(.root)
    )]
    StateGone {
        /// The root.
        root: F,
    },
    /// The node has no snapshot, and not the genesis state either.
    #[error("this node has no snapshot of space {}", field::to_hex(.id))]
    NoSnapshot {
        /// The space's id.
        id: F,
    },
}

/// The size and the roots of a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The space's id.
    pub space: F,
    /// The root of the latest state.
    pub root: F,
    /// The number of ops folded into it since genesis.
    pub ops: u64,
    /// The number of its entries: user keys, including tombstones, and heads; without sentinels and fences.
    pub entries: u64,
    /// The number of writers.
    pub writers: u64,
    /// The proved state; `None` on a replica that was bootstrapped from a snapshot.
    pub proved: Option<Proved>,
    /// The header of the newest snapshot.
    pub snapshot: Option<SnapshotHeader>,
    /// The clock of the newest op, in milliseconds since 1970; `None` without ops.
    pub newest_op_ms: Option<u64>,
}

/// A space on this node. Cheap to clone; all clones share their state.
#[derive(Clone)]
pub struct Space {
    inner: Arc<Inner>,
}

struct Inner {
    id: F,
    store: Arc<dyn Store>,
    pages: Pages,
    state: RwLock<Arc<State>>,
    /// Held during a change, from reading the old state to writing the new one.
    changing: Mutex<()>,
    /// Held by a local writer from reading the tip to ingesting the op, so that two threads never sign
    /// two continuations.
    writing: Mutex<()>,
    policy: RwLock<Arc<Policy>>,
    /// The states that may still be in use, for the garbage collection.
    in_use: Mutex<Vec<Weak<State>>>,
    /// The heads that the owner replaces and at which the logs of their writers are not here.
    awaited: Mutex<BTreeMap<u32, Tip>>,
    /// Further trees that the garbage collection leaves alone.
    pinned: Mutex<Vec<pin::Pin>>,
    /// The number of candidates for the garbage collection since the last one. It begins high, so that
    /// a process that makes a single change collects too.
    garbage: AtomicUsize,
    can_write: AtomicBool,
    history: history::Known,
    changed: watch::Sender<()>,
}

/// A verified snapshot whose pages and values are in the store.
pub(crate) struct Adoption<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) genesis: Option<&'a Genesis>,
    /// The verifying key of the snapshot.
    pub(crate) key: Option<&'a VerifyingKey>,
    pub(crate) tips: Tips,
    pub(crate) entries: u64,
    /// Pages with corrected separator keys.
    pub(crate) repaired: &'a [(F, Page)],
    /// Values that no peer sent.
    pub(crate) holes: &'a [ValueName],
}

impl Space {
    /// Creates a space in an empty store.
    ///
    /// # Errors
    /// [`SpaceError::Exists`], [`SpaceError::Genesis`], [`SpaceError::Store`].
    pub fn create(store: Arc<dyn Store>, genesis: &Genesis) -> Result<Space, SpaceError> {
        refuse_second(&*store)?;
        if let Some(id) = state::read_begun(&*store)? {
            return Err(SpaceError::CutOff { id });
        }
        genesis.check()?;
        let (update, latest) = genesis_tree(genesis);
        let state = State {
            latest,
            tips: genesis.heads().into_iter().collect(),
            proved: Some(Proved { root: update.root, ops: 0, steps: 0 }),
            ..State::default()
        };
        let mut batch = Batch::new();
        state::stage_identity(&mut batch, &update.root, Some(genesis));
        stage_update(&mut batch, &update, state.tips.iter().map(|(w, tip)| (*w, &tip.head)));
        stage_tips(&mut batch, &state.tips);
        state.stage(&mut batch);
        index::stage_complete(&mut batch);
        store.write(batch, Durability::Synced)?;
        Ok(Space::new(update.root, store, state))
    }

    /// Opens the space in a store.
    ///
    /// # Errors
    /// [`SpaceError::NoSpace`], [`SpaceError::Store`].
    pub fn open(store: Arc<dyn Store>) -> Result<Space, SpaceError> {
        let Some(id) = state::read_identity(&*store)? else {
            return Err(match state::read_begun(&*store)? {
                Some(id) => SpaceError::CutOff { id },
                None => SpaceError::NoSpace,
            });
        };
        let going_back = state::read_going_back(&*store)?;
        let state = State::read(&*store)?;
        let space = Space::new(id, store, state);
        if going_back {
            let writing = space.begin_writing();
            space.fold_again(&writing)?;
        }
        Ok(space)
    }

    /// Records that a bootstrap of space `id` into this store has begun.
    pub(crate) fn begin_bootstrap(store: &dyn Store, id: &F) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        state::stage_begun(&mut batch, id);
        store.write(batch, Durability::Synced)
    }

    /// Creates a space from a snapshot, in one batch.
    pub(crate) fn adopt(
        store: Arc<dyn Store>,
        adoption: Adoption<'_>,
    ) -> Result<Space, SpaceError> {
        refuse_second(&*store)?;
        let Adoption { snapshot, genesis, key, tips, entries, repaired, holes } = adoption;
        let SnapshotHeader { space, root, ops, .. } = snapshot.header;
        // A replica that begins at genesis holds all ops, so it can prove.
        let genesis_born = snapshot.header.is_genesis();
        let state = State {
            latest: Latest { root, ops, entries },
            tips,
            proved: genesis_born.then_some(Proved { root, ops, steps: 0 }),
            snapshot: (!genesis_born).then_some(snapshot.header),
            kept: Arc::new((!genesis_born).then_some(snapshot.header).into_iter().collect()),
            ..State::default()
        };
        let mut batch = Batch::new();
        state::stage_identity(&mut batch, &space, genesis);
        repaired.iter().for_each(|(name, page)| Pages::stage(&mut batch, name, page));
        stage_tips(&mut batch, &state.tips);
        holes.iter().for_each(|name| holes::stage(&mut batch, name));
        if !genesis_born {
            state::stage_snapshot(&mut batch, snapshot);
        }
        key.iter().for_each(|key| state::stage_verifying_key(&mut batch, key));
        state.stage(&mut batch);
        store.write(batch, Durability::Synced)?;
        Ok(Space::new(space, store, state))
    }

    fn new(id: F, store: Arc<dyn Store>, state: State) -> Space {
        let pages = Pages::new(store.clone());
        let state = Arc::new(state);
        Space {
            inner: Arc::new(Inner {
                id,
                store,
                pages,
                in_use: Mutex::new(vec![Arc::downgrade(&state)]),
                awaited: Mutex::default(),
                pinned: Mutex::default(),
                state: RwLock::new(state),
                changing: Mutex::new(()),
                writing: Mutex::new(()),
                policy: RwLock::default(),
                garbage: AtomicUsize::new(usize::MAX / 2),
                can_write: AtomicBool::new(true),
                history: history::Known::default(),
                changed: watch::Sender::new(()),
            }),
        }
    }

    /// What this node takes into its logs.
    pub fn policy(&self) -> Arc<Policy> {
        self.inner.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes what this node takes into its logs, for all clones of this space.
    pub fn set_policy(&self, policy: Policy) {
        *self.inner.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }

    /// The space's id: its genesis root.
    pub fn id(&self) -> F {
        self.inner.id
    }

    /// The current size and roots.
    pub fn status(&self) -> Status {
        let state = self.state();
        Status {
            space: self.id(),
            root: state.latest.root,
            ops: state.latest.ops,
            entries: state.latest.entries,
            writers: state.tips.len() as u64,
            proved: state.proved,
            snapshot: state.snapshot,
            newest_op_ms: newest_ms(state.tips.values().map(|tip| tip.stamp)),
        }
    }

    /// The clock of the newest op that the newest snapshot covers, in milliseconds since 1970; `None`
    /// without one.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub fn newest_op_of_snapshot(&self) -> Result<Option<u64>, SpaceError> {
        let Some(header) = self.state().snapshot else { return Ok(None) };
        let heads = tree::heads(self.pages(), header.root)?;
        let stamps: Result<Vec<Stamp>, TreeError> = heads.map(|entry| Ok(entry?.stamp)).collect();
        Ok(newest_ms(stamps?.into_iter()))
    }

    /// The genesis config; `None` on a replica whose peers did not send it.
    ///
    /// # Errors
    /// [`SpaceError::Store`], [`SpaceError::Genesis`].
    pub fn genesis(&self) -> Result<Option<Genesis>, SpaceError> {
        let bytes = state::read_genesis(&*self.inner.store)?;
        Ok(bytes.map(|bytes| Genesis::from_bytes(&bytes)).transpose()?)
    }

    /// The tips of all writers in the latest state.
    pub fn writers(&self) -> Tips {
        self.state().tips.clone()
    }

    /// The tip of a writer in the latest state; `None` if the writer is not admitted.
    pub fn tip(&self, writer: u32) -> Option<Tip> {
        self.state().tips.get(&writer).copied()
    }

    /// The newest snapshot; `None` if the space has none. Then [`Space::snapshot_header`] is that of
    /// genesis, which needs no proof.
    ///
    /// # Errors
    /// [`SpaceError::Store`].
    pub fn latest_snapshot(&self) -> Result<Option<Snapshot>, SpaceError> {
        match self.state().snapshot {
            Some(header) => Ok(Some(state::read_snapshot(&*self.inner.store, &header)?)),
            None => Ok(None),
        }
    }

    /// The verifying key that a bootstrap or a prover has stored.
    ///
    /// # Errors
    /// [`SpaceError::Store`].
    pub fn verifying_key(&self) -> Result<Option<VerifyingKey>, SpaceError> {
        Ok(state::read_verifying_key(&*self.inner.store)?)
    }

    /// Stores a verifying key, unless it is the stored one.
    ///
    /// # Errors
    /// [`SpaceError::Store`].
    pub fn keep_verifying_key(&self, key: &VerifyingKey) -> Result<(), SpaceError> {
        if self.verifying_key()?.is_some_and(|held| held.id() == key.id()) {
            return Ok(());
        }
        let mut batch = Batch::new();
        state::stage_verifying_key(&mut batch, key);
        Ok(self.inner.store.write(batch, Durability::Synced)?)
    }

    pub(crate) fn state(&self) -> Arc<State> {
        // A poisoned lock is harmless: it guards a single assignment.
        self.inner.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn pages(&self) -> &Pages {
        &self.inner.pages
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.inner.store
    }

    /// Begins a change. No other change begins while the guard lives.
    pub(crate) fn begin_change(&self) -> MutexGuard<'_, ()> {
        self.inner.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a local write. No other one begins while the guard lives.
    fn begin_writing(&self) -> MutexGuard<'_, ()> {
        self.inner.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes `batch` with the records of `state`, then makes `state` the current one.
    pub(crate) fn commit(
        &self,
        _change: &MutexGuard<'_, ()>,
        mut batch: Batch,
        state: State,
    ) -> Result<(), StoreError> {
        state.stage(&mut batch);
        self.write_batch(batch)?;
        let state = Arc::new(state);
        let mut in_use = self.inner.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        in_use.retain(|state| state.strong_count() > 0);
        in_use.push(Arc::downgrade(&state));
        drop(in_use);
        *self.inner.state.write().unwrap_or_else(PoisonError::into_inner) = state;
        self.inner.changed.send_replace(());
        self.collect_if_due();
        Ok(())
    }

    fn write_batch(&self, batch: Batch) -> Result<(), StoreError> {
        let done = self.store().write(batch, Durability::Synced);
        self.inner.can_write.store(done.is_ok(), Ordering::Relaxed);
        done
    }

    /// Whether the last write to the store succeeded.
    pub fn can_write(&self) -> bool {
        self.inner.can_write.load(Ordering::Relaxed)
    }

    /// Writes a record of the size of a large op and removes it, to find out whether the store takes
    /// writes again.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn probe(&self) -> Result<(), StoreError> {
        let _change = self.begin_change();
        for present in [true, false] {
            let mut batch = Batch::new();
            state::stage_probe(&mut batch, present);
            self.write_batch(batch)?;
        }
        Ok(())
    }

    /// The roots of all states that a reader still uses.
    fn roots_in_use(&self) -> Vec<F> {
        let current = self.state();
        let in_use = self.inner.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let states = in_use.iter().filter_map(Weak::upgrade);
        let mut roots = garbage::roots_of(states.filter(|state| !Arc::ptr_eq(state, &current)));
        roots.extend(self.pinned().iter().map(|pin| pin.root));
        roots
    }

    fn count_garbage(&self, candidates: usize) {
        self.inner.garbage.fetch_add(candidates, Ordering::Relaxed);
    }

    fn garbage_since(&self) -> usize {
        self.inner.garbage.load(Ordering::Relaxed)
    }

    fn forget_garbage(&self) {
        self.inner.garbage.store(0, Ordering::Relaxed);
    }

    /// Makes `proved` the proved state, in one batch with its new pages and heads. Returns `false` and
    /// changes nothing if the proved state is not `before`.
    pub(crate) fn seal(
        &self,
        before: &Proved,
        update: &Update,
        epoch: &Epoch,
        proved: Proved,
    ) -> Result<bool, SpaceError> {
        let change = self.begin_change();
        if self.state().proved.as_ref() != Some(before) {
            return Ok(false);
        }
        let mut batch = Batch::new();
        let heads = epoch.runs.iter().map(|run| (run.writer(), run.after().head));
        let replaced = epoch.runs.iter().flat_map(CheckedRun::replaced_tips);
        let replaced = replaced.map(|(writer, tip)| (writer, tip.head));
        let heads: Vec<(u32, Head)> = heads.chain(replaced).collect();
        stage_update(&mut batch, update, heads.iter().map(|(writer, head)| (*writer, head)));
        self.sealed_garbage(before, update, epoch)?.stage(&mut batch);
        let state = State { proved: Some(proved), ..State::clone(&self.state()) };
        self.commit(&change, batch, state)?;
        Ok(true)
    }

    /// What the proved state may have needed until this epoch: replaced pages, old values, and the
    /// values of the ops, which were kept until they were proved.
    fn sealed_garbage(
        &self,
        before: &Proved,
        update: &Update,
        epoch: &Epoch,
    ) -> Result<Garbage<'_>, SpaceError> {
        let mut garbage = Garbage::new(self);
        update.replaced.iter().for_each(|name| garbage.page(*name));
        for run in &epoch.runs {
            let keys = run.ops().iter().map(|op| op.key);
            let replaced = run.replaced_tips().map(|(writer, _)| Key::head(writer));
            for key in keys.chain([Key::head(run.writer())]).chain(replaced) {
                let old = tree::lookup(self.pages(), before.root, &key)?;
                garbage.value(old.as_ref().and_then(ValueName::of_entry));
            }
            run.ops().iter().for_each(|op| garbage.value(ValueName::of(&op.key, op.value)));
        }
        Ok(garbage)
    }
}

/// The milliseconds of the greatest clock; `None` if there is no op.
fn newest_ms(stamps: impl Iterator<Item = Stamp>) -> Option<u64> {
    stamps.map(|stamp| stamp.ts >> COUNTER_BITS).max().filter(|ms| *ms > 0)
}

fn refuse_second(store: &dyn Store) -> Result<(), SpaceError> {
    match state::read_identity(store)? {
        Some(id) => Err(SpaceError::Exists { id }),
        None => Ok(()),
    }
}

/// Adds new pages, and the heads of new head entries with their writers.
pub(crate) fn stage_update<'a>(
    batch: &mut Batch,
    update: &Update,
    heads: impl Iterator<Item = (u32, &'a Head)>,
) {
    update.pages.iter().for_each(|(name, page)| Pages::stage(batch, name, page));
    for (writer, head) in heads {
        let value = Value::head(head);
        stage_value(batch, &value);
        garbage::stage_head_reference(batch, writer, value.name.digest);
    }
}

pub(crate) fn stage_value(batch: &mut Batch, value: &Value) {
    let column = value_column(value.content.len());
    batch.put(column, value_key(&value.name), value.content.as_slice());
}

/// The number of ops in the log that ends here; 0 without a log, and beyond 2^64, which no run reaches.
pub(crate) fn seq_of(tip: Option<&Tip>) -> u64 {
    tip.and_then(|tip| field::to_u64(&tip.head.seq)).unwrap_or(0)
}

/// Adds the tips of writers.
pub(crate) fn stage_tips<'a>(
    batch: &mut Batch,
    tips: impl IntoIterator<Item = (&'a u32, &'a Tip)>,
) {
    for (writer, tip) in tips {
        batch.put(Column::Heads, writer.to_be_bytes(), encode_tip(tip));
    }
}

/// The tree of a genesis config, and its size.
fn genesis_tree(genesis: &Genesis) -> (Update, Latest) {
    let entries = genesis.entries();
    let update = tree::build(&entries);
    let entries = entries.iter().filter(|entry| counts(entry)).count() as u64;
    let latest = Latest { root: update.root, ops: 0, entries };
    (update, latest)
}

/// Whether an entry is neither a sentinel nor a fence.
pub(crate) fn counts(entry: &Entry) -> bool {
    let key = entry.key;
    key != Key::START && key != Key::END && !Key::FENCES.contains(&key)
}
