//! What is remembered of scrubbing.

use serde::{Deserialize, Serialize};

use super::{pass::Pass, report::Report};

/// What a space remembers of scrubbing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ScrubState {
    /// Whether the background pass rests.
    pub paused: bool,
    /// The background pass that has begun.
    pub current: Option<Pass>,
    /// The result of the last pass.
    pub last: Option<Report>,
}
