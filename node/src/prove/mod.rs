//! The prover: cuts pending ops into epochs, plans their steps, and folds these into one running proof.

mod beside;
mod continued;
mod keep;
mod parameters;
mod running;
mod take_over;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use rootfold_core::{
    field,
    fold::Epoch,
    log::{LogError, SignedOp, Tip},
    step::{Profile, State},
    tree::{self, TreeError},
    F,
};
use rootfold_light::snapshot::{Snapshot, SnapshotHeader};
use rootfold_prover::{
    compress,
    engine::Engine,
    planner::{plan, PlanError},
    Checkpoint, CheckpointError, CompressError, IvcError, Parameters,
};
use rootfold_verifier::VerifyingKey;
use thiserror::Error;

use crate::{
    blocking::Panicked,
    bootstrap::BootstrapError,
    client::PeerError,
    data_dir::DataDir,
    progress::{Event, Progress},
    space::{epoch, EpochLimits, FetchedNames, Proved, Space, SpaceError},
    store::StoreError,
};
pub use beside::{prove_beside, Publishing};
pub use keep::{keep_proof, Keeping};
pub use parameters::{fetch_parameters, FetchParametersError, FetchedParameters};
use running::Running;

/// The rows of an op on average, as in epochs of some hundred random ops.
const ROWS_PER_OP: u64 = 10;

/// Why the prover failed.
#[derive(Debug, Error)]
pub enum ProveError {
    /// The replica was bootstrapped from a snapshot. It has the compressed proof, which cannot be
    /// continued, but no running proof.
    #[error(
        "this replica was bootstrapped from a snapshot and has no running proof: prove on a node that has \
         one, or take it over: `prove --continue-from ADDR` here, or `prove --export FILE` there and `prove --import \
         FILE` here"
    )]
    NotAProver,
    /// The parameters are of an unknown profile.
    #[error(
        "the parameters have profile {profile:?}, which this version of rootfold does not know"
    )]
    UnknownProfile {
        /// The name of the profile.
        profile: String,
    },
    /// The file of the running proof cannot be read.
    #[error("running proof {}: {source}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: CheckpointError,
    },
    /// The file of the running proof belongs to another state than the sealed one.
    #[error("the running proof {} does not belong to the sealed state", path.display())]
    OtherState {
        /// The file.
        path: PathBuf,
    },
    /// The running proof is of another space, or of a state in the middle of an epoch.
    #[error("the running proof is not one of a sealed state of this space")]
    NotOfThisSpace,
    /// The running proof of another node does not verify.
    #[error("the running proof of another node is false: {what}")]
    FalseProof {
        /// The failed check.
        what: String,
    },
    /// The running proof covers a state that this node does not hold.
    #[error(
        "this node does not hold the state of {ops} ops that the running proof covers: bootstrap from a peer \
         that has its snapshot, then import it again"
    )]
    StateNotHeld {
        /// The number of ops that the proof covers.
        ops: u64,
    },
    /// This node lacks ops after the state that the running proof covers.
    #[error(
        "this node does not hold the ops of writer {writer} around the first {covered}, with which the running \
         proof goes on: bootstrap from a peer that has them"
    )]
    OpsMissing {
        /// The writer.
        writer: u32,
        /// The number of their ops that the proof covers.
        covered: u64,
    },
    /// The history is not complete here, so that no proof can begin with it.
    #[error("a new proof needs all ops since genesis, and this node lacks {what}")]
    HistoryMissing {
        /// What is missing.
        what: String,
    },
    /// The other node failed.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The state or the ops cannot be fetched from the other node.
    #[error("fetching what the running proof needs: {0}")]
    Sync(#[from] Box<BootstrapError>),
    /// The parameters cannot be fetched or read.
    #[error(transparent)]
    Parameters(#[from] FetchParametersError),
    /// A task of this node panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// The directory of the running proof cannot be created.
    #[error("directory of the running proof {}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
    /// Another prover of this space has sealed an epoch in the meantime.
    #[error("another prover of this space has sealed an epoch in the meantime")]
    Overtaken,
    /// The running proof and the plan have different roots.
    #[error("planned root {planned}, proved root {proved}")]
    RootsDiffer {
        /// The root after the planned steps.
        planned: String,
        /// The root of the running proof.
        proved: String,
    },
    /// An epoch cannot be planned.
    #[error("planning an epoch: {0}")]
    Plan(#[from] PlanError),
    /// An op in the store does not continue its log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A step cannot be folded.
    #[error("folding a step: {0}")]
    Ivc(#[from] IvcError),
    /// The running proof cannot be compressed.
    #[error("compressing the running proof: {0}")]
    Compress(#[from] CompressError),
    /// The newest snapshot, of another prover, covers more ops.
    #[error(
        "the running proof covers {ops} ops, the newest snapshot {newest}: prove more ops first, or go on with \
         the running proof of a peer"
    )]
    Behind {
        /// The number of ops that the running proof covers.
        ops: u64,
        /// The number of ops that the newest snapshot covers.
        newest: u64,
    },
    /// No epoch is proved; the genesis state needs no proof.
    #[error("no epoch is proved yet: run `prove` first")]
    NothingProved,
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The space cannot be read.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ProveError {
    /// Whether bad data of another node is the cause.
    pub fn is_refusal(&self) -> bool {
        match self {
            ProveError::FalseProof { .. } | ProveError::NotOfThisSpace => true,
            ProveError::Peer(e) => e.is_refusal(),
            ProveError::Sync(e) => e.is_refusal(),
            _ => false,
        }
    }
}

/// The result of a run of the prover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProveReport {
    /// The number of sealed epochs.
    pub epochs: u64,
    /// The number of folded steps.
    pub steps: u64,
    /// The number of folded ops.
    pub ops: u64,
    /// The time of folding the steps.
    pub fold: Duration,
    /// The proved root after the run.
    pub root: F,
}

/// A prover: it advances the proved state of a space.
pub struct Prover {
    space: Space,
    running: Running,
    proof: Engine,
    proved: Proved,
    /// The tips in the proved tree.
    folded: BTreeMap<u32, Tip>,
    /// How much more has gone into dear ops than into others, in rows.
    owed: u64,
}

impl Prover {
    /// Loads the running proof of the last sealed epoch, and removes stale ones.
    ///
    /// # Errors
    /// [`ProveError`].
    pub fn open(
        space: Space,
        data_dir: &DataDir,
        parameters: Arc<Parameters>,
    ) -> Result<Prover, ProveError> {
        let proved = space.status().proved.ok_or(ProveError::NotAProver)?;
        let running = open_running(data_dir)?;
        let proof = load(&running, &proved, space.id(), parameters)?;
        remove_stale(&space, &running);
        space.keep_verifying_key(proof.parameters().verifying_key().key())?;
        let folded = space.tips_below(proved.root)?;
        Ok(Prover { space, running, proof, proved, folded, owed: 0 })
    }

    /// A prover that goes on with the sealed state, after another one has changed it.
    fn reopen(&self, data_dir: &DataDir) -> Result<Prover, ProveError> {
        Prover::open(self.space.clone(), data_dir, self.parameters().clone())
    }

    /// The proved state.
    pub fn proved(&self) -> Proved {
        self.proved
    }

    /// The parameters in use.
    pub fn parameters(&self) -> &Arc<Parameters> {
        self.proof.parameters()
    }

    /// Proves pending ops epoch by epoch, until there are none or `max_epochs` are sealed. Each epoch is
    /// on disk before the next one begins.
    ///
    /// # Errors
    /// [`ProveError`]; the sealed epochs remain sealed.
    pub fn prove(
        &mut self,
        limits: EpochLimits,
        max_epochs: Option<u64>,
        progress: &dyn Progress,
    ) -> Result<ProveReport, ProveError> {
        let before = self.proved;
        let total = self.space.status().ops.saturating_sub(before.ops);
        let (mut epochs, mut spent) = (0, Duration::ZERO);
        while max_epochs.is_none_or(|most| epochs < most) {
            let Some(epoch) = self.next_epoch(limits)? else { break };
            epochs += 1;
            tracing::info!(
                event = "epoch-begun",
                epoch = epochs,
                ops = epoch.ops(),
                "folding an epoch"
            );
            let checkpoint = self.proof.checkpoint().clone();
            let sealed = self.proved.ops - before.ops;
            let step = |done: u64, steps: u64| {
                let ops = sealed + epoch.ops() * done / steps;
                progress.on(Event::Step { epoch: epochs, done, steps, ops, total });
            };
            match self.prove_epoch(&epoch, &step) {
                Ok(folding) => spent += folding,
                Err(e) => {
                    // Some steps of the failed epoch may be folded already; drop them.
                    let profile = self.proof.profile();
                    let parameters = self.proof.parameters().clone();
                    self.proof = Engine::resume(parameters, profile, checkpoint)?;
                    return Err(e);
                }
            }
            let ops = self.proved.ops - before.ops;
            progress.on(Event::Sealed { epoch: epochs, ops, total, root: self.proved.root });
        }
        Ok(ProveReport {
            epochs,
            steps: self.proved.steps - before.steps,
            ops: self.proved.ops - before.ops,
            fold: spent,
            root: self.proved.root,
        })
    }

    /// The next epoch. Writers whose ops are dear wait while others have pending ops, until as much has gone
    /// into those: a writer who has made a node large does not take the prover from the others.
    fn next_epoch(&mut self, limits: EpochLimits) -> Result<Option<Epoch>, ProveError> {
        let mut dear = BTreeSet::new();
        let Some(epoch) = self.cut(limits, &dear)? else { return Ok(None) };
        let rows = self.dear_rows(&epoch, &mut dear)?;
        if self.owed > 0 {
            while let Some(cheap) = self.cut(limits, &dear)? {
                if self.dear_rows(&cheap, &mut dear)? == 0 {
                    self.owed = self.owed.saturating_sub(cheap.ops() * ROWS_PER_OP);
                    return Ok(Some(cheap));
                }
            }
        }
        self.owed += rows;
        Ok(Some(epoch))
    }

    /// The rows that the epoch takes for items of large nodes. Adds the writers of such ops to `dear`.
    fn dear_rows(&self, epoch: &Epoch, dear: &mut BTreeSet<u32>) -> Result<u64, ProveError> {
        let mut rows = 0;
        for run in &epoch.runs {
            for op in run.ops() {
                if let Some(crowd) = tree::crowd(self.space.pages(), self.proved.root, &op.key)? {
                    dear.insert(run.writer());
                    // Ops in one node pass its items once.
                    rows = crowd.items.max(rows);
                }
            }
        }
        Ok(rows)
    }

    /// The next epoch without ops of some writers. Ops ahead of this node's clock wait for their time.
    fn cut(
        &self,
        limits: EpochLimits,
        without: &BTreeSet<u32>,
    ) -> Result<Option<Epoch>, ProveError> {
        let (latest, state) = (self.space.policy().latest_ts(), self.space.state());
        let tips = &state.tips;
        let pending = |writer: u32, seq: u64, limit: usize| {
            // Most logs of a space with many writers have no new ops; those are not read.
            let ended = tips.get(&writer).is_none_or(|tip| tip.head.seq == F::from(seq))
                || without.contains(&writer);
            let ops = if ended { Vec::new() } else { self.space.log(writer, seq, limit)? };
            let next = |(index, (before, op)): (usize, (u64, SignedOp))| {
                (before == seq + index as u64 && op.op.ts <= latest).then_some(op)
            };
            Ok::<_, ProveError>(ops.into_iter().enumerate().map_while(next).collect())
        };
        let open = |digest| self.space.opened(digest).ok().flatten();
        let replacements = epoch::Replacements { heads: &state.replaced, open: &open };
        epoch::cut(&self.folded, limits, &replacements, &pending)
    }

    /// Plans an epoch, folds its steps, and seals it. Returns the time of folding. `on_step` gets the
    /// numbers of folded steps and of all steps after each one.
    fn prove_epoch(
        &mut self,
        epoch: &Epoch,
        on_step: &dyn Fn(u64, u64),
    ) -> Result<Duration, ProveError> {
        let root = self.proved.root;
        let pages = self.space.pages();
        let state = State { ops: F::from(self.proved.ops), root, ..State::genesis(root) };
        let plan = plan(pages, &state, epoch, &self.proof.profile())?;
        let update = plan.update;
        let total = plan.steps.len() as u64;
        let began = Instant::now();
        for (done, step) in (1..).zip(plan.steps) {
            self.proof.prove_step(step)?;
            on_step(done, total);
        }
        let spent = began.elapsed();
        let proved = Proved {
            root: update.root,
            ops: self.proved.ops + epoch.ops(),
            steps: self.proof.steps(),
        };
        self.check_state(&proved)?;
        let mut folded = self.folded.clone();
        epoch::advance(&mut folded, epoch, &|digest| self.space.head(digest))?;

        let path = self.running.path(&proved);
        self.proof
            .checkpoint()
            .save(&path)
            .map_err(|source| ProveError::Checkpoint { path, source })?;
        if !self.space.seal(&self.proved, &update, epoch, proved)? {
            return Err(ProveError::Overtaken);
        }
        (self.proved, self.folded) = (proved, folded);
        remove_stale(&self.space, &self.running);
        tracing::info!(
            event = "epoch-sealed",
            steps = proved.steps,
            ops = proved.ops,
            "sealed an epoch"
        );
        Ok(spent)
    }

    fn check_state(&self, proved: &Proved) -> Result<(), ProveError> {
        let actual = self.proof.state();
        if actual == proved_state(proved) {
            return Ok(());
        }
        let (planned, proved) = (field::to_hex(&proved.root), field::to_hex(&actual[0]));
        Err(ProveError::RootsDiffer { planned, proved })
    }

    /// Compresses the running proof into a snapshot and stores it as the newest. Returns the snapshot and
    /// the time of compression. If the newest snapshot is of this state, returns it and zero.
    ///
    /// # Errors
    /// [`ProveError`].
    pub fn publish(&self, progress: &dyn Progress) -> Result<(Snapshot, Duration), ProveError> {
        let Proved { root, ops, steps } = self.proved;
        if steps == 0 {
            return Err(ProveError::NothingProved);
        }
        let parameters = self.proof.parameters();
        let header = SnapshotHeader {
            space: self.space.id(),
            parameters: parameters.id(),
            root,
            ops,
            steps,
        };
        match self.space.latest_snapshot()? {
            Some(newest) if newest.header == header => return Ok((newest, Duration::ZERO)),
            Some(Snapshot { header: newest, .. }) if newest.ops > ops => {
                return Err(ProveError::Behind { ops, newest: newest.ops });
            }
            _ => {}
        }
        progress.on(Event::Compressing);
        let began = Instant::now();
        let proof = compress(parameters, self.proof.checkpoint())?;
        let spent = began.elapsed();
        let snapshot = Snapshot { header, proof: proof.encode() };
        self.space.keep_snapshot(&snapshot, &FetchedNames::default())?;
        Ok((snapshot, spent))
    }
}

/// The public state of the step circuit after a sealed epoch: `State::to_fields`.
fn proved_state(proved: &Proved) -> [F; 3] {
    State { ops: F::from(proved.ops), ..State::genesis(proved.root) }.to_fields()
}

/// The directory of the running proof, which is created if it is missing.
fn open_running(data_dir: &DataDir) -> Result<Running, ProveError> {
    let path = data_dir.running();
    Running::new(data_dir).map_err(|source| ProveError::Directory { path, source })
}

/// The profile of the parameters that a verifying key belongs to.
fn profile_of(key: &VerifyingKey) -> Result<Profile, ProveError> {
    let name = &key.profile;
    Profile::named(name).ok_or_else(|| ProveError::UnknownProfile { profile: name.to_string() })
}

/// Whether a running proof leads from the initial state to this sealed one, by its own account.
fn covers(checkpoint: &Checkpoint, proved: &Proved, initial: [F; 3]) -> bool {
    checkpoint.steps() == proved.steps
        && checkpoint.state() == proved_state(proved)
        && checkpoint.initial_state() == initial
}

/// Loads the running proof of the sealed state.
fn load(
    running: &Running,
    proved: &Proved,
    space: F,
    parameters: Arc<Parameters>,
) -> Result<Engine, ProveError> {
    let profile = profile_of(parameters.verifying_key().key())?;
    let initial = parameters.verifying_key().initial_state(space);
    if proved.steps == 0 {
        return Ok(Engine::new(parameters, profile, initial));
    }
    let path = running.path(proved);
    let checkpoint = Checkpoint::load(&path, &parameters)
        .map_err(|source| ProveError::Checkpoint { path: path.clone(), source })?;
    if !covers(&checkpoint, proved, initial) {
        return Err(ProveError::OtherState { path });
    }
    Ok(Engine::resume(parameters, profile, checkpoint)?)
}

/// Removes stale files. A failure is only logged: a stale file does no harm. Another prover of this
/// process may have changed the proved state meanwhile.
fn remove_stale(space: &Space, running: &Running) {
    let removed =
        space.with_proved(|proved| proved.map_or(Ok(()), |proved| running.remove_stale(&proved)));
    if let Err(e) = removed {
        let folder = running.folder().display();
        tracing::warn!(event = "proof-remains", error = %e, %folder, "cannot remove stale running proofs");
    }
}
