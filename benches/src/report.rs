//! What the report holds. `docs/performance.json` is one of these; the page is made from it alone.
//!
//! Times are seconds and sizes bytes. Figures that follow from others are left to the page.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{loads::Load, machine::Machine, measure::Spread};

/// Everything that one run measured on one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Whether the sizes are those of the smoke test, whose figures mean nothing.
    pub quick: bool,
    /// Where and when.
    pub machine: Machine,
    /// How long the run took.
    pub seconds: f64,
    /// The proof system, by profile.
    pub profiles: Vec<ProfileFigures>,
    /// ark-groth16 alone on a circuit of the size of each profile's step.
    pub groth16: Vec<RivalFigures>,
    /// nova-snark on a step of the size of each profile's; empty where it was not compiled in.
    pub nova: Vec<RivalFigures>,
    /// How full the steps of each load are.
    pub rates: Vec<RateFigures>,
    /// Epochs that were really proved.
    pub proved: Vec<ProvedEpoch>,
    /// A new replica.
    pub sync: SyncFigures,
    /// Hashes, signatures and pages.
    pub native: NativeFigures,
}

/// The shape of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// The profile's name.
    pub name: String,
    /// S.
    pub segments: usize,
    /// q.
    pub slots: usize,
    /// M.
    pub rows: usize,
    /// c.
    pub tree_rows: usize,
}

/// What a step's constraints and its witness are like, folding not included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mix {
    /// Number of constraints.
    pub constraints: usize,
    /// Number of witness variables.
    pub witnesses: usize,
    /// How many of these are 0 or 1.
    pub bits: usize,
    /// How many of the others are below 2^64.
    pub small: usize,
    /// Nonzero entries of the three matrices.
    pub nonzeros: usize,
}

/// What making parameters takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SetupFigures {
    /// The time.
    pub seconds: f64,
    /// Peak of memory.
    pub memory: Option<u64>,
}

/// The proof system in one profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfileFigures {
    /// The profile.
    pub shape: Shape,
    /// The step without folding.
    pub step: Mix,
    /// Constraints of a step, folding included.
    pub constraints: usize,
    /// Witness variables of a step, folding included.
    pub witnesses: usize,
    /// Making the parameters; `None` if they were there already.
    pub setup: Option<SetupFigures>,
    /// Folding one step, from the third on: before that the running instance is still empty.
    pub fold: Spread,
    /// The parts of a step by the names of the prover's spans.
    pub phases: BTreeMap<String, Spread>,
    /// Planning, for each step.
    pub planning: Spread,
    /// Ops of the epoch that was folded, for each step.
    pub ops_per_step: f64,
    /// Memory held before folding: parameters and a running proof.
    pub memory_idle: Option<u64>,
    /// Peak of memory while folding.
    pub memory_fold: Option<u64>,
    /// Peak of memory while compressing.
    pub memory_compress: Option<u64>,
    /// Compressing, its own check of the proof included.
    pub compress: Spread,
    /// Verifying.
    pub verify: Spread,
    /// Length of the proof.
    pub proof_bytes: usize,
}

/// Another proof system on a circuit of the same size and a like mix of values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RivalFigures {
    /// The profile whose step gives the size.
    pub profile: String,
    /// Constraints, what the proof system adds included.
    pub constraints: usize,
    /// Making the keys.
    pub setup: f64,
    /// Folding one step, from the third on; `None` if it does not fold.
    pub fold: Option<Spread>,
    /// Peak of memory while folding.
    pub memory_fold: Option<u64>,
    /// Proving, or compressing what was folded.
    pub prove: Spread,
    /// Peak of memory while proving or compressing.
    pub memory_prove: Option<u64>,
    /// Verifying.
    pub verify: Spread,
    /// Length of the proof.
    pub proof_bytes: usize,
}

/// Slots of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slots {
    /// How many are used.
    pub used: usize,
    /// How many there are.
    pub of: usize,
}

/// How full the steps are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Usage {
    pub segments: Slots,
    pub op_slots: Slots,
    pub merge_rows: Slots,
    pub tree_rows: Slots,
}

/// An epoch as it was planned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlannedEpoch {
    /// How long planning took.
    pub planning: f64,
    /// Number of steps.
    pub steps: usize,
    /// How full they are.
    pub usage: Usage,
}

/// One load in one profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedLoad {
    /// The load.
    pub load: Load,
    /// The profile's name.
    pub profile: String,
    /// Keys in the tree before.
    pub keys: usize,
    /// Ops of each writer in an epoch.
    pub per_writer: usize,
    /// Ops of an epoch.
    pub ops: usize,
    /// The epochs.
    pub epochs: Vec<PlannedEpoch>,
}

/// A planned load and the rate at which it is proved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RateFigures {
    /// The load.
    #[serde(flatten)]
    pub planned: PlannedLoad,
    /// Ops per second: an epoch's ops over the time to plan it and the median time of as many
    /// folds as it has steps.
    pub rate: Spread,
}

/// An epoch that was planned, folded step by step, compressed and verified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProvedEpoch {
    /// The load.
    pub load: Load,
    /// The profile's name.
    pub profile: String,
    /// Ops of each writer.
    pub per_writer: usize,
    /// Ops.
    pub ops: usize,
    /// Steps.
    pub steps: usize,
    /// How long planning took.
    pub planning: f64,
    /// How long all folds took.
    pub folding: f64,
}

/// A new replica: from a proof, and from the logs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncFigures {
    /// Ops from one signature to the next in the logs.
    pub ops_per_signature: usize,
    /// Length of every value.
    pub value_bytes: usize,
    /// Keys in the state of all histories.
    pub keys: usize,
    /// Histories that end in a state of as many keys.
    pub histories: Vec<HistoryFigures>,
    /// Replaying one op, by parts of the history.
    pub replay_op: Spread,
    /// States and what it takes to get one.
    pub states: Vec<StateFigures>,
}

/// What it takes to replay a history.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HistoryFigures {
    /// Its ops.
    pub ops: usize,
    /// The time.
    pub replay: f64,
    /// What comes over the wire.
    pub bytes: u64,
}

/// What it takes to get a state whose root is proved; the proof comes on top.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StateFigures {
    /// Its keys.
    pub keys: usize,
    /// Its pages.
    pub pages: usize,
    /// The time to check all pages and to read all values.
    pub check: Spread,
    /// What comes over the wire.
    pub bytes: u64,
}

/// Hashes, signatures and pages on one core.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NativeFigures {
    /// Each thing as several compute it.
    pub contests: Vec<Contest>,
    /// Entries of pages checked in a second.
    pub page_entries: Spread,
    /// Entries of an average page.
    pub page_size: f64,
}

/// One thing computed by several, in turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contest {
    /// What is computed.
    pub what: String,
    /// Who computes it and how long it takes, we first.
    pub entrants: Vec<Entrant>,
}

/// One of those who compute a thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entrant {
    /// Who.
    pub who: String,
    /// The time for one.
    pub each: Spread,
    /// This time over ours, turn by turn.
    pub ratio: Spread,
}
