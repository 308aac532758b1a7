//! Progress of long operations.

use rootfold_core::F;

/// An event of a long operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A step has been folded.
    Step {
        /// The number of the epoch in this run, from 1.
        epoch: u64,
        /// The folded steps of the epoch.
        done: u64,
        /// Steps of the epoch.
        steps: u64,
        /// Ops folded in this run. Of the current epoch's ops the share that its steps have done.
        ops: u64,
        /// Ops that were to be folded when the run began.
        total: u64,
    },
    /// An epoch is sealed and on disk.
    Sealed {
        /// The number of the epoch in this run, from 1.
        epoch: u64,
        /// The ops folded in this run.
        ops: u64,
        /// The pending ops at the start of this run.
        total: u64,
        /// The new proved root.
        root: F,
    },
    /// The compression of the running proof begins.
    Compressing,
    /// A snapshot is verified.
    Verified {
        /// The duration in microseconds.
        micros: u64,
    },
    /// Pages have arrived and passed their checks.
    Pages {
        /// The number of these pages so far.
        done: u64,
        /// The number of required pages that is known so far.
        known: u64,
    },
    /// Values have arrived and passed their checks.
    Values {
        /// The number of these values so far.
        done: u64,
        /// The number of required values.
        known: u64,
    },
    /// Bytes of a file have arrived.
    Bytes {
        /// The number of these bytes so far.
        done: u64,
        /// The length of the file.
        known: u64,
    },
    /// Ops have been ingested.
    Ops {
        /// The number of these ops so far.
        done: u64,
        /// The number of missing ops, by the peer's account.
        known: Option<u64>,
    },
}

/// A receiver of [`Event`]s. `()` ignores them.
pub trait Progress: Send + Sync {
    /// Receives an event. Must not block for long.
    fn on(&self, event: Event);
}

impl Progress for () {
    fn on(&self, _event: Event) {}
}
