//! Ops on their way into a space.

use rootfold_core::{log::LogBatch, F};

use crate::values::Value;

/// Ops and the values that they refer to.
#[derive(Debug, Clone, Default)]
pub struct Submission {
    /// The ops in the order in which they are ingested: a grant comes before the ops of the
    /// granted writer.
    pub batches: Vec<LogBatch>,
    /// Values of these ops. A value that no op refers to is ignored.
    pub values: Vec<Value>,
}

/// The result of an ingest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ingested {
    /// The number of ops that were new.
    pub ops: u64,
    /// The root of the latest state.
    pub root: F,
}
