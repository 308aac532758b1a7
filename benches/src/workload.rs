//! A space whose owner writes random keys, and the plans of its epochs.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rootfold_core::{
    eddsa::SecretKey,
    fold::{fold, Epoch, Run},
    key::Key,
    log::{Op, SignedOp, Tip},
    space::Genesis,
    step::{Profile, State},
    tree::{build, lookup, update, MemoryStore, TreeError},
    value::value_digest,
    F,
};
use rootfold_prover::planner::{plan, Plan, PlanError};
use thiserror::Error;

/// Why a workload could not be made.
#[derive(Debug, Error)]
pub enum WorkloadError {
    /// The native fold refused it.
    #[error(transparent)]
    Fold(#[from] rootfold_core::fold::FoldError<TreeError>),
    /// The planner refused it.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The log refused an op.
    #[error(transparent)]
    Log(#[from] rootfold_core::log::LogError),
    /// A key was refused.
    #[error(transparent)]
    Key(#[from] rootfold_core::key::KeyError),
    /// The tree could not be read or updated.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// A space with one writer.
pub struct Workload {
    /// The pages.
    pub store: MemoryStore,
    /// The state after the epochs so far.
    pub state: State,
    /// The space's id.
    pub space_id: F,
    rng: ChaCha20Rng,
    secret: SecretKey,
    tip: Tip,
}

impl Workload {
    /// A space without ops, from a fixed seed.
    pub fn new(seed: u64) -> Workload {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let secret = SecretKey::random(&mut rng);
        let salt = F::from(rng.gen::<u128>());
        let genesis = Genesis { salt, writers: vec![secret.public_key()] };
        let mut store = MemoryStore::default();
        store.apply(&build(&genesis.entries()));
        let tip = Tip::genesis(salt, 0, secret.public_key());
        let space_id = genesis.space_id();
        Workload { store, state: State::genesis(space_id), space_id, rng, secret, tip }
    }

    /// An epoch of `ops` puts of random keys, with its plan; the tree moves on.
    ///
    /// # Errors
    /// [`WorkloadError`] if the pieces do not fit together, which is a bug.
    pub fn epoch(&mut self, ops: usize, profile: &Profile) -> Result<(Epoch, Plan), WorkloadError> {
        let before = self.tip;
        let mut signed = Vec::with_capacity(ops);
        for _ in 0..ops {
            let key = Key::user(&self.rng.gen::<[u8; 16]>())?;
            let value = value_digest(&self.rng.gen::<[u8; 32]>());
            let op = Op { ts: self.tip.stamp.ts + 1, key, value };
            let (op, tip) = SignedOp::sign(&self.tip, 0, op, &self.secret)?;
            self.tip = tip;
            signed.push(op);
        }
        let runs = signed
            .last()
            .and_then(|last| last.signature)
            .map(|signature| Run {
                writer: 0,
                before,
                ops: signed.iter().map(|s| s.op).collect(),
                signature,
            })
            .into_iter()
            .collect();
        let epoch = Epoch { runs };
        let plan = plan(&self.store, &self.state, &epoch, profile)?;
        let root = self.state.root;
        let written = fold(&|key| lookup(&self.store, root, key), &epoch)?;
        let updated = update(&self.store, root, &written)?;
        self.store.apply(&updated);
        self.state = plan.state;
        Ok((epoch, plan))
    }
}
