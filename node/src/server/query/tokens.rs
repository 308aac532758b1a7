//! States that clients read page by page. The latest state moves on meanwhile.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rootfold_core::F;

use crate::space::{Pinned, Space};

/// How long the state of a page token can be read, at least, unless many others are read.
const KEPT_FOR: Duration = Duration::from_secs(60);
/// The largest number of such states.
const MAX_STATES: usize = 16;

/// The states of the newest page tokens.
#[derive(Default)]
pub(super) struct ReadableStates {
    states: Mutex<VecDeque<(Instant, Pinned)>>,
}

impl ReadableStates {
    /// Keeps a state, which the caller has a view of.
    pub(super) fn keep(&self, space: &Space, root: F) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        states.retain(|(at, pinned)| now - *at < KEPT_FOR && pinned.root() != root);
        if states.len() == MAX_STATES {
            states.pop_front();
        }
        states.push_back((now, space.keep_readable(root)));
    }
}
