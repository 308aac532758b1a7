//! What a node takes into its logs, beyond the rules of the space. Nodes may differ in it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use rootfold_core::stamp::COUNTER_BITS;

use super::History;
use crate::clock::{Clock, SystemClock};

/// The default of [`Policy::max_ahead`].
pub const MAX_AHEAD: Duration = Duration::from_secs(600);
/// The default of [`Policy::kept_snapshots`].
pub const KEPT_SNAPSHOTS: usize = 3;

/// The default of [`Policy::max_tail`]: about the ops that arrive while a snapshot is fetched.
pub const MAX_TAIL: u64 = 1_000;

/// What a node takes into its logs.
#[derive(Clone)]
pub struct Policy {
    /// The clock of the node.
    pub clock: Arc<dyn Clock>,
    /// How far the clock of an op may be ahead of that of the node. Ops that are further ahead are
    /// held back until their time comes.
    pub max_ahead: Duration,
    /// Writers whose new ops are refused.
    pub denied: BTreeSet<u32>,
    /// The largest number of bytes of ops and values that one writer may store here.
    pub max_writer_bytes: Option<u64>,
    /// The number of snapshots whose pages and values are kept, at least 1.
    pub kept_snapshots: usize,
    /// What happens to ops that all kept snapshots cover.
    pub history: History,
    /// The largest number of ops that a node without the whole history fetches one by one, if a snapshot
    /// covers them.
    pub max_tail: u64,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            clock: Arc::new(SystemClock),
            max_ahead: MAX_AHEAD,
            denied: BTreeSet::new(),
            max_writer_bytes: None,
            kept_snapshots: KEPT_SNAPSHOTS,
            history: History::default(),
            max_tail: MAX_TAIL,
        }
    }
}

impl Policy {
    /// The greatest clock of an op that is not held back now.
    pub fn latest_ts(&self) -> u64 {
        let ahead = u64::try_from(self.max_ahead.as_millis()).unwrap_or(u64::MAX);
        let ms = self.clock.now_ms().saturating_add(ahead).min(u64::MAX >> COUNTER_BITS);
        (ms << COUNTER_BITS) | ((1 << COUNTER_BITS) - 1)
    }

    /// How far a clock is ahead of that of the node.
    pub fn ahead(&self, ts: u64) -> Duration {
        Duration::from_millis((ts >> COUNTER_BITS).saturating_sub(self.clock.now_ms()))
    }
}
