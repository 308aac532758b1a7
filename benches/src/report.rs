//! The data of a report. `docs/performance.json` is a report, and the page is rendered from it.
//!
//! Times are in seconds and sizes in bytes. The page computes all derived figures.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{loads::Load, machine::Machine, measure::Spread};

/// All figures of one run on one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Whether the sizes are those of the smoke test. Its figures are meaningless.
    pub quick: bool,
    /// The machine, the build and the date.
    pub machine: Machine,
    /// Duration of the run.
    pub seconds: f64,
    /// Figures of the proof system, one element per profile.
    pub profiles: Vec<ProfileFigures>,
    /// ark-groth16 on a circuit of the size of each profile's step with folding.
    pub groth16: Vec<RivalFigures>,
    /// nova-snark on a step of the size of each profile's. Empty if it was not compiled in.
    pub nova: Vec<RivalFigures>,
    /// The plans and the proving rate of each load in each profile.
    pub rates: Vec<RateFigures>,
    /// Epochs that were proved completely.
    pub proved: Vec<ProvedEpoch>,
    /// Bootstrap and replay of a new replica.
    pub sync: SyncFigures,
    /// Hashes, signatures and pages, outside of circuits.
    pub native: NativeFigures,
}

/// The shape of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// The profile's name.
    pub name: String,
    /// S: segments of the log lane.
    pub segments: usize,
    /// q: op slots per segment.
    pub slots: usize,
    /// M: merge rows.
    pub rows: usize,
    /// c: tree rows per merge row.
    pub tree_rows: usize,
}

/// The composition of a step circuit and its witness, without folding.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mix {
    /// Number of constraints.
    pub constraints: usize,
    /// Number of witness variables.
    pub witnesses: usize,
    /// Number of witness variables whose value is 0 or 1.
    pub bits: usize,
    /// Number of witness variables whose value is between 2 and 2^64 - 1.
    pub small: usize,
    /// Number of nonzero entries of the three matrices.
    pub nonzeros: usize,
}

/// The cost of generating parameters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SetupFigures {
    /// Time to generate them.
    pub seconds: f64,
    /// Peak memory; `None` if the system does not report it.
    pub memory: Option<u64>,
}

/// Figures of the proof system in one profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfileFigures {
    /// The name and the shape of the profile.
    pub shape: Shape,
    /// The step circuit without folding.
    pub step: Mix,
    /// Number of constraints of a step, including folding.
    pub constraints: usize,
    /// Number of witness variables of a step, including folding.
    pub witnesses: usize,
    /// The cost of generating the parameters; `None` if they existed before the run.
    pub setup: Option<SetupFigures>,
    /// Time to fold one step, from the third step on. Before, the running instance is still empty.
    pub fold: Spread,
    /// Times of the phases of a step, by the names of the prover's spans.
    pub phases: BTreeMap<String, Spread>,
    /// Time to plan an epoch, divided by its number of steps.
    pub planning: Spread,
    /// Number of ops of the folded epoch, divided by its number of steps.
    pub ops_per_step: f64,
    /// Memory in use before folding: parameters and a running proof.
    pub memory_idle: Option<u64>,
    /// Peak memory while folding.
    pub memory_fold: Option<u64>,
    /// Peak memory while compressing.
    pub memory_compress: Option<u64>,
    /// Time to compress, including the check of the resulting proof.
    pub compress: Spread,
    /// Time to verify.
    pub verify: Spread,
    /// Length of the encoded proof.
    pub proof_bytes: usize,
}

/// Figures of another proof system, on a circuit of the same size with a similar share of bits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RivalFigures {
    /// The profile whose step has the same size.
    pub profile: String,
    /// Number of constraints, including those that the proof system adds.
    pub constraints: usize,
    /// Time to generate the keys.
    pub setup: f64,
    /// Time to fold one step, from the third step on; `None` if the system does not fold.
    pub fold: Option<Spread>,
    /// Peak memory while folding.
    pub memory_fold: Option<u64>,
    /// Time to prove, or to compress the folded instance if the system folds.
    pub prove: Spread,
    /// Peak memory while proving or compressing.
    pub memory_prove: Option<u64>,
    /// Time to verify.
    pub verify: Spread,
    /// Length of the encoded proof.
    pub proof_bytes: usize,
}

/// The use of slots of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slots {
    /// Number of used slots.
    pub used: usize,
    /// Number of slots.
    pub of: usize,
}

/// The use of all slots of the steps of an epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Usage {
    pub segments: Slots,
    pub op_slots: Slots,
    pub merge_rows: Slots,
    pub tree_rows: Slots,
}

/// The plan of one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlannedEpoch {
    /// Time to plan the epoch.
    pub planning: f64,
    /// Number of steps.
    pub steps: usize,
    /// Used slots of all steps.
    pub usage: Usage,
}

/// The plans of one load in one profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedLoad {
    /// The load.
    pub load: Load,
    /// The profile's name.
    pub profile: String,
    /// Number of keys in the tree before the first epoch.
    pub keys: usize,
    /// Number of ops of each writer in an epoch.
    pub per_writer: usize,
    /// Number of ops of an epoch.
    pub ops: usize,
    /// The plans of the epochs.
    pub epochs: Vec<PlannedEpoch>,
}

/// The plans of one load and its proving rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RateFigures {
    /// The plans.
    #[serde(flatten)]
    pub planned: PlannedLoad,
    /// Ops per second: the number of ops of an epoch, divided by the sum of its planning time and
    /// the median time of one fold per step.
    pub rate: Spread,
}

/// An epoch that was planned, folded step by step, compressed and verified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProvedEpoch {
    /// The load.
    pub load: Load,
    /// The profile's name.
    pub profile: String,
    /// Number of ops of each writer.
    pub per_writer: usize,
    /// Number of ops.
    pub ops: usize,
    /// Number of steps.
    pub steps: usize,
    /// Time to plan the epoch.
    pub planning: f64,
    /// Time of all folds.
    pub folding: f64,
}

/// Figures of a new replica: bootstrap from a proof, and replay of the logs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncFigures {
    /// Number of ops per signature in the logs.
    pub ops_per_signature: usize,
    /// Length of every value in bytes.
    pub value_bytes: usize,
    /// Number of keys of the final state of all histories.
    pub keys: usize,
    /// Histories that end in a state of this size.
    pub histories: Vec<HistoryFigures>,
    /// Time to replay one op, averaged over each message of the history.
    pub replay_op: Spread,
    /// Bootstrap into states of several sizes.
    pub states: Vec<StateFigures>,
}

/// The cost of replaying a history.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HistoryFigures {
    /// Number of ops.
    pub ops: usize,
    /// Time to replay all ops and to build the tree.
    pub replay: f64,
    /// Bytes received, including the gRPC prefixes.
    pub bytes: u64,
}

/// The cost of receiving a state with a known root. The proof of the root is not included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StateFigures {
    /// Number of keys.
    pub keys: usize,
    /// Number of pages.
    pub pages: usize,
    /// Time to decode and check all pages and values.
    pub check: Spread,
    /// Bytes received, including the gRPC prefixes.
    pub bytes: u64,
}

/// Figures of hashes, signatures and pages on one core.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NativeFigures {
    /// The comparisons of several implementations of one function.
    pub contests: Vec<Contest>,
    /// Number of entries per second whose pages are checked.
    pub page_entries: Spread,
    /// Average number of entries per leaf.
    pub page_size: f64,
}

/// Several implementations of one function, measured alternately.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contest {
    /// The name of the function.
    pub what: String,
    /// The implementations with their times. Ours is first.
    pub entrants: Vec<Entrant>,
}

/// One implementation of a function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entrant {
    /// The name of the implementation.
    pub who: String,
    /// Time of one call.
    pub each: Spread,
    /// Its time divided by our time in the same turn.
    pub ratio: Spread,
}
