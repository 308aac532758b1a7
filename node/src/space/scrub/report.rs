//! What a pass finds.

use serde::{Deserialize, Serialize};

/// The largest number of findings that a report lists.
pub(super) const MAX_LISTED: usize = 100;

/// A damaged record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The name of its column.
    pub column: String,
    /// Its key in hexadecimal.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
    /// Whether peers are asked for it.
    pub requested: bool,
}

/// The result of a pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// When it began, in milliseconds since 1970.
    pub began_ms: u64,
    /// When it ended.
    pub ended_ms: u64,
    /// The number of records.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The number of damaged records.
    pub damaged: u64,
    /// The first 100 of them.
    pub findings: Vec<Finding>,
}
