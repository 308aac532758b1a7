//! The log lane of a plan: runs split into segments (rules L1 to L11).

use rootfold_core::{
    fold::Epoch,
    run::CheckedRun,
    step::{OpSlot, Profile, Segment},
};

/// The epoch's runs as segments of at most `profile.slots` ops. The last segment of a run has its
/// signature.
pub(super) fn segments(epoch: &Epoch, profile: &Profile) -> Vec<Segment> {
    epoch.runs.iter().flat_map(|run| run_segments(run, profile)).collect()
}

fn run_segments(run: &CheckedRun, profile: &Profile) -> Vec<Segment> {
    let mut segments: Vec<Segment> = run
        .ops()
        .chunks(profile.slots)
        .map(|ops| {
            let mut segment = Segment::unused(profile);
            for (slot, op) in segment.ops.iter_mut().zip(ops) {
                *slot = OpSlot::of(op);
            }
            segment
        })
        .collect();
    if let Some(first) = segments.first_mut() {
        first.start = true;
        first.writer = run.writer();
        first.head = run.before().head;
        first.stamp = run.before().stamp;
    }
    if let Some(last) = segments.last_mut() {
        last.end = true;
        last.signature = *run.signature();
    }
    segments
}
