//! Whether a node holds all ops since genesis.

use std::sync::atomic::{AtomicU8, Ordering};

use super::{Space, SpaceError};

/// What a node does with ops that a kept snapshot covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum History {
    /// Keeps them, for nodes that want the history.
    #[default]
    Full,
    /// Removes them.
    Snapshot,
}

const UNKNOWN: u8 = 0;
const FULL: u8 = 1;
const CUT: u8 = 2;

/// The answer, once it is known.
#[derive(Default)]
pub(super) struct Known(AtomicU8);

impl Space {
    /// Whether this node holds all ops since genesis. The first call reads one op per writer.
    ///
    /// # Errors
    /// [`SpaceError::Store`].
    pub fn has_full_history(&self) -> Result<bool, SpaceError> {
        let known = &self.inner.history.0;
        match known.load(Ordering::Acquire) {
            FULL => return Ok(true),
            CUT => return Ok(false),
            _ => {}
        }
        // Nothing makes a cut history whole, so a change meanwhile can only be a cut.
        let full = self.lacks_first_op()?.is_none();
        let answer = if full { FULL } else { CUT };
        let _ = known.compare_exchange(UNKNOWN, answer, Ordering::AcqRel, Ordering::Acquire);
        Ok(full)
    }

    /// Whether a snapshot that covers so many ops brings this node further than the ops themselves: it lacks
    /// many of them, and has neither the whole history nor a running proof, which end with it; or it
    /// could not go back before a head that the owner has replaced.
    ///
    /// # Errors
    /// [`SpaceError::Store`].
    pub(crate) fn prefers_snapshot(&self, covered: u64) -> Result<bool, SpaceError> {
        let state = self.state();
        if covered > 0 && self.is_past_a_replaced_head() {
            return Ok(true);
        }
        let lacks = covered.saturating_sub(state.latest.ops);
        Ok(lacks > self.policy().max_tail && state.proved.is_none() && !self.has_full_history()?)
    }

    /// Notes that ops were removed.
    pub(super) fn forget_history(&self) {
        self.inner.history.0.store(CUT, Ordering::Release);
    }

    /// A writer of whose ops this node lacks the first.
    pub(super) fn lacks_first_op(&self) -> Result<Option<u32>, SpaceError> {
        for (writer, tip) in &self.writers() {
            let first = self.log(*writer, 0, 1)?.first().map(|(first, _)| *first);
            let lacks = match first {
                Some(first) => first > 0,
                None => tip.seq(*writer) != Ok(0),
            };
            if lacks {
                return Ok(Some(*writer));
            }
        }
        Ok(None)
    }
}
