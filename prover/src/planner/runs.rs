//! The log lane of a plan: runs split into segments (rules L1 to L13).

use rootfold_core::{
    fold::Epoch,
    replacement::Replacement,
    run::CheckedRun,
    step::{OpSlot, Profile, Segment, SlotClass},
};

/// The epoch's runs as segments of at most `profile.slots` ops. The last segment of a run has its
/// signature.
pub(super) fn segments(epoch: &Epoch, profile: &Profile) -> Vec<Segment> {
    epoch.runs.iter().flat_map(|run| run_segments(run, profile)).collect()
}

/// A segment opens one head entry and writes one. So the replacement of another writer's head stands at
/// the beginning of a segment that neither starts nor ends the run (L12), and that of the owner's key
/// alone in the last one (L13).
fn run_segments(run: &CheckedRun, profile: &Profile) -> Vec<Segment> {
    let mut segments = vec![Segment::unused(profile)];
    let mut free = 0..profile.slots;
    for (index, op) in run.ops().iter().enumerate() {
        let replacement = run.replacements().get(&index);
        let other = matches!(replacement, Some(Replacement::Head { .. }));
        if free.is_empty() || (replacement.is_some() && index > 0) || other {
            segments.push(Segment::unused(profile));
            free = 0..profile.slots;
        }
        let (Some(segment), Some(slot)) = (segments.last_mut(), free.next()) else { continue };
        segment.ops[slot] = OpSlot::of(op);
        if let Some(replacement) = replacement {
            segment.new_key = replacement.public_key();
        }
        if let Some(Replacement::Head { writer, before, shared, .. }) = replacement {
            (segment.writer, segment.head, segment.stamp) = (*writer, before.head, before.stamp);
            segment.new_shared = *shared;
        }
    }
    let last = segments.last().and_then(|segment| segment.ops.first());
    let replaces = |slot: &OpSlot| slot.class == SlotClass::Replacement;
    let key = run.replacements().values().any(|replacement| replacement.after().is_none());
    if last.is_some_and(replaces) && !key {
        segments.push(Segment::unused(profile));
    }
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
