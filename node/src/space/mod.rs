//! A space on this node: its records, and the only code that changes them.
//!
//! A space has two states. The *latest* state is the fold of all ops; an ingest advances it. The
//! *proved* state is the one that the running proof covers; a seal advances it. Both are roots over
//! the same store of pages, so they advance independently.

pub(crate) mod epoch;
mod ingest;
mod pages;
mod read;
mod state;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use rootfold_core::{
    field,
    fold::Epoch,
    head::Head,
    item::Entry,
    log::Tip,
    space::{Genesis, GenesisError},
    tree::{self, Page, TreeError, Update},
    F,
};
use rootfold_light::{
    snapshot::{Snapshot, SnapshotHeader},
    values::Value,
};
use rootfold_verifier::VerifyingKey;
use thiserror::Error;

use crate::store::{
    records::{encode_tip, value_key},
    Batch, Column, Durability, Store, StoreError,
};

pub use epoch::EpochLimits;
pub use ingest::IngestError;
pub(crate) use pages::Pages;
pub(crate) use read::read_head;
pub use read::Found;
pub use state::Proved;
pub(crate) use state::{Latest, State};

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
    /// The store has no space: it is new, or a bootstrap has not finished.
    #[error("the database holds no space (run `bootstrap` again if it was interrupted)")]
    NoSpace,
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
    /// The number of its entries: user keys, including tombstones, and heads; without the sentinels.
    pub entries: u64,
    /// The number of writers.
    pub writers: u64,
    /// The proved state; `None` on a replica that was bootstrapped from a snapshot.
    pub proved: Option<Proved>,
    /// The header of the newest snapshot.
    pub snapshot: Option<SnapshotHeader>,
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
}

/// A verified snapshot whose pages and values are in the store.
pub(crate) struct Adoption<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) genesis: Option<&'a Genesis>,
    /// The verifying key of the snapshot.
    pub(crate) key: Option<&'a VerifyingKey>,
    pub(crate) tips: BTreeMap<u32, Tip>,
    pub(crate) entries: u64,
    /// Pages with corrected separator keys.
    pub(crate) repaired: &'a [(F, Page)],
}

impl Space {
    /// Creates a space in an empty store.
    ///
    /// # Errors
    /// [`SpaceError::Exists`], [`SpaceError::Genesis`], [`SpaceError::Store`].
    pub fn create(store: Arc<dyn Store>, genesis: &Genesis) -> Result<Space, SpaceError> {
        refuse_second(&*store)?;
        genesis.check()?;
        let entries = genesis.entries();
        let update = tree::build(&entries);
        let state = State {
            latest: Latest { root: update.root, ops: 0, entries: entries.len() as u64 - 2 },
            tips: genesis.heads().into_iter().collect(),
            proved: Some(Proved { root: update.root, ops: 0, steps: 0 }),
            snapshot: None,
        };
        let mut batch = Batch::new();
        state::stage_identity(&mut batch, &update.root, Some(genesis));
        stage_update(&mut batch, &update, state.tips.values().map(|tip| &tip.head));
        stage_tips(&mut batch, &state.tips);
        state.stage(&mut batch);
        store.write(batch, Durability::Synced)?;
        Ok(Space::new(update.root, store, state))
    }

    /// Opens the space in a store.
    ///
    /// # Errors
    /// [`SpaceError::NoSpace`], [`SpaceError::Store`].
    pub fn open(store: Arc<dyn Store>) -> Result<Space, SpaceError> {
        let id = state::read_identity(&*store)?.ok_or(SpaceError::NoSpace)?;
        let state = State::read(&*store)?;
        Ok(Space::new(id, store, state))
    }

    /// Creates a space from a snapshot, in one batch.
    pub(crate) fn adopt(
        store: Arc<dyn Store>,
        adoption: Adoption<'_>,
    ) -> Result<Space, SpaceError> {
        refuse_second(&*store)?;
        let Adoption { snapshot, genesis, key, tips, entries, repaired } = adoption;
        let SnapshotHeader { space, root, ops, .. } = snapshot.header;
        // A replica that begins at genesis holds all ops, so it can prove.
        let genesis_born = snapshot.header.is_genesis();
        let state = State {
            latest: Latest { root, ops, entries },
            tips,
            proved: genesis_born.then_some(Proved { root, ops, steps: 0 }),
            snapshot: (!genesis_born).then_some(snapshot.header),
        };
        let mut batch = Batch::new();
        state::stage_identity(&mut batch, &space, genesis);
        repaired.iter().for_each(|(name, page)| Pages::stage(&mut batch, name, page));
        stage_tips(&mut batch, &state.tips);
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
        let (state, changing) = (RwLock::new(Arc::new(state)), Mutex::new(()));
        Space { inner: Arc::new(Inner { id, store, pages, state, changing }) }
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
        }
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
    pub fn writers(&self) -> BTreeMap<u32, Tip> {
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

    /// Writes `batch` with the records of `state`, then makes `state` the current one.
    pub(crate) fn commit(
        &self,
        _change: &MutexGuard<'_, ()>,
        mut batch: Batch,
        state: State,
    ) -> Result<(), StoreError> {
        state.stage(&mut batch);
        self.store().write(batch, Durability::Synced)?;
        *self.inner.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
        Ok(())
    }

    /// Makes `proved` the proved state, in one batch with its new pages and heads. Returns `false` and
    /// changes nothing if the proved state is not `before`.
    pub(crate) fn seal(
        &self,
        before: &Proved,
        update: &Update,
        epoch: &Epoch,
        proved: Proved,
    ) -> Result<bool, StoreError> {
        let change = self.begin_change();
        if self.state().proved.as_ref() != Some(before) {
            return Ok(false);
        }
        let mut batch = Batch::new();
        let after: Vec<Head> = epoch.runs.iter().map(|run| run.after().head).collect();
        stage_update(&mut batch, update, after.iter());
        let state = State { proved: Some(proved), ..State::clone(&self.state()) };
        self.commit(&change, batch, state)?;
        Ok(true)
    }

    /// Stores a snapshot as the newest.
    pub(crate) fn keep_snapshot(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let change = self.begin_change();
        let mut batch = Batch::new();
        state::stage_snapshot(&mut batch, snapshot);
        let state = State { snapshot: Some(snapshot.header), ..State::clone(&self.state()) };
        self.commit(&change, batch, state)
    }
}

fn refuse_second(store: &dyn Store) -> Result<(), SpaceError> {
    match state::read_identity(store)? {
        Some(id) => Err(SpaceError::Exists { id }),
        None => Ok(()),
    }
}

/// Adds new pages, and the heads of new head entries.
pub(crate) fn stage_update<'a>(
    batch: &mut Batch,
    update: &Update,
    heads: impl Iterator<Item = &'a Head>,
) {
    update.pages.iter().for_each(|(name, page)| Pages::stage(batch, name, page));
    heads.for_each(|head| stage_value(batch, &Value::head(head)));
}

pub(crate) fn stage_value(batch: &mut Batch, value: &Value) {
    batch.put(Column::Values, value_key(&value.name), value.content.as_slice());
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

/// Whether an entry is not a sentinel.
pub(crate) fn counts(entry: &Entry) -> bool {
    *entry != Entry::start_sentinel() && *entry != Entry::end_sentinel()
}
