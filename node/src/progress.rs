//! What long work tells about itself while it goes on.

use rootfold_core::F;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A step was folded.
    Step {
        /// The number of the epoch in this run, from 1.
        epoch: u64,
        /// Steps of the epoch that are folded.
        done: u64,
        /// Steps of the epoch.
        steps: u64,
        /// Ops folded in this run. Of the current epoch's ops the share that its steps have done.
        ops: u64,
        /// Ops that were to be folded when the run began.
        total: u64,
    },
    /// An epoch was sealed and is on disk.
    Sealed {
        /// The number of the epoch in this run, from 1.
        epoch: u64,
        /// Ops folded in this run.
        ops: u64,
        /// Ops that were to be folded when the run began.
        total: u64,
        /// The new root.
        root: F,
    },
    /// The running proof is being compressed.
    Compressing,
    /// A snapshot's proof was checked.
    Verified {
        /// How long it took, in microseconds.
        micros: u64,
    },
    /// Pages are here and checked.
    Pages {
        /// How many.
        done: u64,
        /// How many are known to be needed so far.
        known: u64,
    },
    /// Values are here and checked.
    Values {
        /// How many.
        done: u64,
        /// How many are needed.
        known: u64,
    },
    /// Ops were taken in.
    Ops {
        /// How many.
        done: u64,
        /// How many there are, if the peer said.
        known: Option<u64>,
    },
}

/// Hears of [`Event`]s. `()` does not listen.
pub trait Progress: Send + Sync {
    /// Something happened.
    fn on(&self, event: Event);
}

impl Progress for () {
    fn on(&self, _event: Event) {}
}
