//! A space in memory whose writers sign runs, and the plans of its epochs.

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
    log::{Op, Tip},
    run::Run,
    space::Genesis,
    stamp::Stamp,
    step::{Profile, State},
    tree::{build, lookup, update, MemoryStore},
    F,
};
use rootfold_prover::planner::{plan, Plan};

use super::Put;

/// Clock of the first op; entries of the first tree are older.
const FIRST_TS: u64 = 1 << 40;

/// A space with a number of writers and a tree that holds something already.
///
/// Its id is the root of that tree. A proof begins with a root and does not ask where it is from.
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

/// A plan and what making it took.
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// How long it took.
    pub took: Duration,
}

impl LoadSpace {
    /// A space of `writers` writers whose tree holds `before`; of several puts of one key the last.
    ///
    /// # Panics
    /// If there are no writers, or more than a genesis config has.
    pub fn new(seed: u64, writers: usize, before: &[Put]) -> LoadSpace {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let secrets: Vec<SecretKey> = (0..writers).map(|_| SecretKey::random(&mut rng)).collect();
        let salt = F::from(rng.gen::<u128>());
        let keys = secrets.iter().map(SecretKey::public_key).collect();
        let genesis = Genesis::new(salt, keys).expect("a legal number of good keys");
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

    /// The state after the epochs so far.
    pub fn state(&self) -> State {
        self.state
    }

    /// Signs `puts` as one epoch: `per_writer` in a row by the first writer, as many by the next,
    /// and so on. The tree stays as it is.
    ///
    /// # Errors
    /// If there are not enough writers.
    pub fn sign(&mut self, puts: &[Put], per_writer: usize) -> anyhow::Result<Epoch> {
        let parts = puts.chunks(per_writer);
        anyhow::ensure!(parts.len() <= self.writers.len(), "{} writers are needed", parts.len());
        let mut runs = Vec::with_capacity(parts.len());
        for ((id, writer), part) in (0u32..).zip(&mut self.writers).zip(parts) {
            let before = writer.tip;
            let mut ops = Vec::with_capacity(part.len());
            for (key, value) in part {
                self.ts += 1;
                let op = Op { ts: self.ts, key: *key, value: *value };
                writer.tip = writer.tip.apply(id, &op)?;
                ops.push(op);
            }
            let head = writer.tip.head;
            let signature = writer.secret.sign(signed_message(head.head, head.seq));
            runs.push(Run { writer: id, before, ops, signature }.check()?);
        }
        Ok(Epoch { runs })
    }

    /// Plans an epoch on the tree as it is.
    ///
    /// # Errors
    /// If the epoch does not fit the tree.
    pub fn plan(&self, epoch: &Epoch, profile: &Profile) -> anyhow::Result<Planned> {
        let clock = Instant::now();
        let plan = plan(&self.store, &self.state, epoch, profile).context("planning")?;
        Ok(Planned { plan, took: clock.elapsed() })
    }

    /// Moves on to the tree after `epoch`.
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
