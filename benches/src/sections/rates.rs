//! Measures how many steps each load takes and how full they are. [`super::profile`] measures the
//! time of a step.

use std::collections::BTreeSet;

use super::sizes::Sizes;
use crate::{
    loads::{Load, LoadSpace, Puts},
    report::{PlannedEpoch, PlannedLoad, Slots, Usage},
};

/// Plans the epochs of every load in every profile.
///
/// # Errors
/// If the git history cannot be read or a load cannot be planned.
pub fn measure(sizes: &Sizes) -> anyhow::Result<Vec<PlannedLoad>> {
    let mut answers = Vec::new();
    for load in Load::ALL {
        tracing::info!(?load, "building the tree");
        let puts = load.puts(&sizes.wanted())?;
        let space = LoadSpace::new(1, sizes.epoch, &puts.before);
        for per_writer in &sizes.per_writer {
            tracing::info!(?load, per_writer, "planning");
            answers.extend(plan_epochs(load, &puts, space.clone(), *per_writer, sizes)?);
        }
    }
    Ok(answers)
}

fn plan_epochs(
    load: Load,
    puts: &Puts,
    mut space: LoadSpace,
    per_writer: usize,
    sizes: &Sizes,
) -> anyhow::Result<Vec<PlannedLoad>> {
    // Epochs of a short git history are shorter.
    let ops = sizes.epoch.min(puts.after.len().div_ceil(sizes.epochs));
    let keys = puts.before.iter().map(|(key, _)| key).collect::<BTreeSet<_>>().len();
    let answer = |name: &str| {
        let (profile, epochs) = (name.to_owned(), Vec::new());
        PlannedLoad { load, profile, keys, per_writer, ops, epochs }
    };
    let mut answers: Vec<PlannedLoad> = sizes.profiles.iter().map(|p| answer(p.name)).collect();
    for part in puts.after.chunks_exact(ops) {
        let epoch = space.sign(part, per_writer)?;
        for (profile, answer) in sizes.profiles.iter().zip(&mut answers) {
            let planned = space.plan(&epoch, profile)?;
            answer.epochs.push(PlannedEpoch {
                planning: planned.took.as_secs_f64(),
                steps: planned.plan.steps.len(),
                usage: usage(planned.plan.usage),
            });
        }
        space.fold(&epoch)?;
    }
    Ok(answers)
}

fn usage(of: rootfold_prover::planner::Usage) -> Usage {
    let slots = |share: rootfold_prover::planner::Share| Slots { used: share.used, of: share.of };
    Usage {
        segments: slots(of.segments),
        op_slots: slots(of.op_slots),
        merge_rows: slots(of.merge_rows),
        tree_rows: slots(of.tree_rows),
    }
}
