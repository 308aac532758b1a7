//! A space on this machine: what it holds, and the one place where that changes.
//!
//! There are two states. The *latest* one has every op that is held; an ingest moves it, natively
//! and at once. The *proved* one trails behind; a seal moves it. Both are roots over the same
//! pages, so neither waits for the other.

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
    records::{damaged, encode_tip, value_key},
    Batch, Column, Durability, Store, StoreError,
};

pub use epoch::EpochLimits;
pub use ingest::IngestError;
pub(crate) use pages::Pages;
pub use read::{prefix_range, Found};
pub use state::Proved;
pub(crate) use state::{Latest, State};

/// Why a space cannot be made or read.
#[derive(Debug, Error)]
pub enum SpaceError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The genesis config is no good.
    #[error("the genesis config: {0}")]
    Genesis(#[from] GenesisError),
    /// There is a space in this store already.
    #[error("there is a space here already: {}", field::to_hex(.id))]
    Exists {
        /// Its id.
        id: F,
    },
    /// There is no space in this store.
    #[error("there is no space here")]
    NoSpace,
    /// There is no snapshot yet.
    #[error("there is no snapshot of space {} here", field::to_hex(.id))]
    NoSnapshot {
        /// The space's id.
        id: F,
    },
}

/// What a space looks like from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The space's id.
    pub space: F,
    /// The root of all ops that are held.
    pub root: F,
    /// The ops that are folded into it, since genesis.
    pub ops: u64,
    /// Its entries: keys of users, tombstones too, and heads of writers; not the sentinels.
    pub entries: u64,
    /// The number of writers.
    pub writers: u64,
    /// What the running proof covers; `None` on a replica that was bootstrapped.
    pub proved: Option<Proved>,
    /// The newest snapshot.
    pub snapshot: Option<SnapshotHeader>,
}

/// A space on this machine. Cheap to clone, and all clones are the same space.
#[derive(Clone)]
pub struct Space {
    inner: Arc<Inner>,
}

struct Inner {
    id: F,
    store: Arc<dyn Store>,
    pages: Pages,
    state: RwLock<Arc<State>>,
    /// Held while the state is changed, from reading the old one to having written the new one.
    changing: Mutex<()>,
}

/// A verified snapshot whose pages and values are all in the store.
pub(crate) struct Adoption<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) genesis: Option<&'a Genesis>,
    /// The verifying key with which it was checked.
    pub(crate) key: Option<&'a VerifyingKey>,
    pub(crate) tips: BTreeMap<u32, Tip>,
    pub(crate) entries: u64,
    /// Pages whose hints were put right.
    pub(crate) repaired: &'a [(F, Page)],
}

impl Space {
    /// Makes a space in an empty store.
    ///
    /// # Errors
    /// [`SpaceError::Exists`], [`SpaceError::Genesis`] or the store's.
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
    /// [`SpaceError::NoSpace`] or the store's.
    pub fn open(store: Arc<dyn Store>) -> Result<Space, SpaceError> {
        let id = state::read_identity(&*store)?.ok_or(SpaceError::NoSpace)?;
        let state = State::read(&*store)?;
        Ok(Space::new(id, store, state))
    }

    /// Takes over a snapshot: one batch that makes it a space.
    pub(crate) fn adopt(
        store: Arc<dyn Store>,
        adoption: Adoption<'_>,
    ) -> Result<Space, SpaceError> {
        refuse_second(&*store)?;
        let Adoption { snapshot, genesis, key, tips, entries, repaired } = adoption;
        let SnapshotHeader { space, root, ops, .. } = snapshot.header;
        // Who begins at genesis holds all there is, and can prove as the first node does.
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

    /// What the space looks like now.
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

    /// The config from which the space was made; `None` on a replica whose peers did not give it.
    ///
    /// # Errors
    /// [`SpaceError::Store`], [`SpaceError::Genesis`].
    pub fn genesis(&self) -> Result<Option<Genesis>, SpaceError> {
        let bytes = state::read_genesis(&*self.inner.store)?;
        Ok(bytes.map(|bytes| Genesis::from_bytes(&bytes)).transpose()?)
    }

    /// The writers and where their logs end, everything held.
    pub fn writers(&self) -> BTreeMap<u32, Tip> {
        self.state().tips.clone()
    }

    /// Where the log of a writer ends; `None` if nobody admitted him.
    pub fn tip(&self, writer: u32) -> Option<Tip> {
        self.state().tips.get(&writer).copied()
    }

    /// The newest snapshot with its proof. A space without steps is its genesis root, and that
    /// snapshot needs neither parameters nor proof: it is not made up here.
    ///
    /// # Errors
    /// [`SpaceError::Store`].
    pub fn latest_snapshot(&self) -> Result<Option<Snapshot>, SpaceError> {
        match self.state().snapshot {
            Some(header) => Ok(Some(state::read_snapshot(&*self.inner.store, &header)?)),
            None => Ok(None),
        }
    }

    /// The verifying key that a bootstrap or a prover left here.
    ///
    /// # Errors
    /// [`SpaceError::Store`].
    pub fn verifying_key(&self) -> Result<Option<VerifyingKey>, SpaceError> {
        Ok(state::read_verifying_key(&*self.inner.store)?)
    }

    /// Leaves the verifying key in the store if another one, or none, is there.
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
        // The lock guards one assignment, so what a panic leaves is whole.
        self.inner.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn pages(&self) -> &Pages {
        &self.inner.pages
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.inner.store
    }

    /// Begins a change; nobody else changes the state while the guard lives.
    pub(crate) fn begin_change(&self) -> MutexGuard<'_, ()> {
        self.inner.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes `batch` with the records of `state`, and then makes `state` the one that is seen.
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

    /// Makes `proved` the proved state: one batch with its new pages and head entries. Does
    /// nothing and says so if the proved state is not `before` any more.
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

    /// Keeps a snapshot as the newest.
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

/// Adds new pages and the openings of new head entries.
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

/// Whether an entry counts as one.
pub(crate) fn counts(entry: &Entry) -> bool {
    *entry != Entry::start_sentinel() && *entry != Entry::end_sentinel()
}

pub(crate) fn no_opening(digest: &F) -> StoreError {
    damaged(Column::Values, &field::to_bytes(digest), "the opening of a head is missing")
}
