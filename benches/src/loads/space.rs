//! A space in memory, whose writers sign runs and whose epochs are planned.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rootfold_core::{
    eddsa::SecretKey,
    fold::{fold, Epoch},
    head::signed_message,
    item::Entry,
    key::Key,
    log::{Op, Tip},
    run::Run,
    space::{Genesis, Sharing},
    stamp::Stamp,
    step::{Profile, State},
    tree::{build, crowd, lookup, update, Crowd, MemoryStore},
    F,
};
use rootfold_prover::planner::{plan, Plan};

use super::Put;

/// A time before the first op and after all entries of the first tree.
const FIRST_TS: u64 = 1 << 40;

/// A space with some writers and a tree that may contain entries from the beginning.
///
/// Its id is the root of that tree: a proof accepts any initial root as the space id.
#[derive(Clone)]
pub struct LoadSpace {
    store: MemoryStore,
    state: State,
    id: F,
    writers: Vec<Writer>,
    ts: u64,
}

#[derive(Clone)]
struct Writer {
    secret: Arc<SecretKey>,
    tip: Tip,
}

/// A plan and the time to make it.
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Planning time.
    pub took: Duration,
}

impl LoadSpace {
    /// A space of `writers` writers whose tree contains `before`. The last of several puts of the
    /// same key counts.
    ///
    /// # Panics
    /// If `writers` is 0 or larger than a genesis config allows.
    pub fn new(seed: u64, writers: usize, before: &[Put]) -> LoadSpace {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let secrets: Vec<SecretKey> = (0..writers).map(|_| SecretKey::random(&mut rng)).collect();
        let salt = F::from(rng.gen::<u128>());
        let keys = secrets.iter().map(SecretKey::public_key).collect();
        let genesis = Genesis::new(salt, Sharing::Everyone, keys).expect("the config is valid");
        let tips = genesis.heads().into_iter().map(|(_, tip)| tip);
        let secrets = secrets.into_iter().map(Arc::new);
        let writers = secrets.zip(tips).map(|(secret, tip)| Writer { secret, tip });
        let mut entries: BTreeMap<_, _> =
            genesis.entries().into_iter().map(|entry| (entry.key, entry)).collect();
        for (ts, (key, value)) in (1..).zip(before) {
            let entry = Entry { key: *key, stamp: Stamp { ts, writer: 0 }, value: *value };
            entries.insert(*key, entry);
        }
        let built = build(&entries.into_values().collect::<Vec<_>>());
        let mut store = MemoryStore::default();
        store.apply(&built);
        LoadSpace {
            store,
            state: State::genesis(built.root),
            id: built.root,
            writers: writers.collect(),
            ts: FIRST_TS,
        }
    }

    /// The space's id: the root before the first epoch.
    pub fn id(&self) -> F {
        self.id
    }

    /// The state after all folded epochs.
    pub fn state(&self) -> State {
        self.state
    }

    /// Signs `puts` as one epoch. The first writer signs the first `per_writer` puts, the second
    /// writer the next ones, and so on. The tree does not change.
    ///
    /// # Errors
    /// If the space has fewer writers than needed.
    pub fn sign(&mut self, puts: &[Put], per_writer: usize) -> anyhow::Result<Epoch> {
        let parts = puts.chunks(per_writer);
        anyhow::ensure!(parts.len() <= self.writers.len(), "the puts need {} writers", parts.len());
        let mut runs = Vec::with_capacity(parts.len());
        for ((id, writer), part) in (0u32..).zip(&mut self.writers).zip(parts) {
            let before = writer.tip;
            let mut ops = Vec::with_capacity(part.len());
            for (key, value) in part {
                self.ts += 1;
                let op = Op { more: false, ts: self.ts, key: *key, value: *value };
                writer.tip = writer.tip.apply(id, &op)?;
                ops.push(op);
            }
            let head = writer.tip.head;
            let signature = writer.secret.sign(signed_message(head.head, head.seq));
            runs.push(Run { writer: id, before, ops, signature }.check()?);
        }
        Ok(Epoch { runs })
    }

    /// Plans an epoch on the current tree.
    ///
    /// # Errors
    /// If the epoch does not fit the tree.
    pub fn plan(&self, epoch: &Epoch, profile: &Profile) -> anyhow::Result<Planned> {
        let clock = Instant::now();
        let plan = plan(&self.store, &self.state, epoch, profile).context("planning")?;
        Ok(Planned { plan, took: clock.elapsed() })
    }

    /// The large nodes that cover a key.
    ///
    /// # Errors
    /// If the tree cannot be read.
    pub fn crowd(&self, key: &Key) -> anyhow::Result<Option<Crowd>> {
        Ok(crowd(&self.store, self.state.root, key)?)
    }

    /// Applies `epoch` to the tree and the state.
    ///
    /// # Errors
    /// If the epoch does not fit the tree.
    pub fn fold(&mut self, epoch: &Epoch) -> anyhow::Result<()> {
        let root = self.state.root;
        let written = fold(&|key| lookup(&self.store, root, key), epoch)?;
        let updated = update(&self.store, root, &written)?;
        self.store.apply(&updated);
        for name in &updated.replaced {
            self.store.remove(name);
        }
        self.state.root = updated.root;
        self.state.ops += F::from(epoch.ops());
        Ok(())
    }
}
