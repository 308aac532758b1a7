//! What happens in a run.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use rootfold_node::space::Space;

/// What a campaign must have covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// A proof was refused.
    ProofRefused,
    /// A peer sent or withheld pages or ops against the rules.
    BadData,
    /// A peer was banned after several faults.
    Banned,
    /// A peer did not answer.
    SilentPeer,
    /// A bootstrap went on with pages of an earlier one.
    Resumed,
    /// A crash lost writes that were not synced.
    LostUnsynced,
    /// A forked log was reported.
    Forked,
    /// Ops were held back, since their clock is ahead.
    HeldBack,
}

impl Event {
    pub const ALL: [Event; 8] = [
        Event::ProofRefused,
        Event::BadData,
        Event::Banned,
        Event::SilentPeer,
        Event::Resumed,
        Event::LostUnsynced,
        Event::Forked,
        Event::HeldBack,
    ];
}

/// What a run recorded.
#[derive(Default)]
pub struct Outcome {
    pub trace: Vec<String>,
    pub events: BTreeSet<Event>,
}

/// The record that all hosts write.
#[derive(Clone, Default)]
pub struct Record(Arc<Mutex<Recorded>>);

#[derive(Default)]
pub struct Recorded {
    pub outcome: Outcome,
    pub spaces: BTreeMap<&'static str, Space>,
    starts: BTreeMap<&'static str, u64>,
}

impl Record {
    /// All that is recorded so far.
    pub fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap()
    }

    /// The outcome at the end.
    pub fn take(&self) -> Outcome {
        std::mem::take(&mut *self.recorded()).outcome
    }

    pub fn line(&self, host: &str, what: &str) {
        let at = turmoil::sim_elapsed().unwrap_or_default().as_millis();
        self.recorded().outcome.trace.push(format!("{at:>6} {host}: {what}"));
    }

    pub fn event(&self, event: Event) {
        self.recorded().outcome.events.insert(event);
    }

    pub fn space(&self, host: &'static str, space: &Space) {
        self.recorded().spaces.insert(host, space.clone());
    }

    pub fn count_start(&self, host: &'static str) -> u64 {
        let mut recorded = self.recorded();
        let starts = recorded.starts.entry(host).or_default();
        *starts += 1;
        *starts
    }
}
