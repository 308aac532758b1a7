//! Measures planning, folding, compression and verification in one profile.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use rootfold_core::step::{Profile, StepWitness};
use rootfold_prover::{compress, engine::Engine, Parameters};
use serde::{Deserialize, Serialize};

use super::{mix, setup::parameters, sizes::Sizes};
use crate::{
    loads::{appended, Load, LoadSpace, Put},
    measure::{memory, phases::Phases, repeated, timed, Spread},
    report::{ProfileFigures, ProvedEpoch, Shape},
};

/// Number of writers of the space whose steps are timed.
const WRITERS: usize = 1024;
/// Number of ops of each writer.
const PER_WRITER: usize = 8;
/// Number of steps before timing begins. Until then the running instance is not representative.
const WARM_UP: usize = 2;

/// The result of this section.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answer {
    /// The profile's figures.
    pub figures: ProfileFigures,
    /// Epochs that were proved completely, to check the computed rates.
    pub proved: Vec<ProvedEpoch>,
}

/// Measures one profile.
///
/// # Errors
/// If the parameters or a load cannot be read, or if a step cannot be proved, which is a bug.
pub fn measure(profile: &Profile, sizes: &Sizes, phases: &Phases) -> anyhow::Result<Answer> {
    let parameters = parameters(profile)?;
    let figures = figures(profile, sizes, phases, &parameters)?;
    let mut proved = Vec::new();
    for (of, load) in &sizes.proved {
        if of.name == profile.name {
            proved.push(prove_epoch(profile, *load, sizes, &parameters)?);
        }
    }
    Ok(Answer { figures, proved })
}

/// Proves [`WARM_UP`] steps of one op each in `space`, and returns the running proof.
fn warmed_up(
    profile: &Profile,
    space: &mut LoadSpace,
    puts: &mut impl Iterator<Item = Put>,
    parameters: &Arc<Parameters>,
) -> anyhow::Result<Engine> {
    let initial = parameters.verifying_key().initial_state(space.id());
    let mut engine = Engine::new(parameters.clone(), *profile, initial);
    while engine.steps() < WARM_UP as u64 {
        let epoch = space.sign(&puts.take(1).collect::<Vec<_>>(), 1)?;
        for step in space.plan(&epoch, profile)?.plan.steps {
            engine.prove_step(step)?;
        }
        space.fold(&epoch)?;
    }
    Ok(engine)
}

fn figures(
    profile: &Profile,
    sizes: &Sizes,
    phases: &Phases,
    parameters: &Arc<Parameters>,
) -> anyhow::Result<ProfileFigures> {
    let mut space = LoadSpace::new(1, WRITERS, &[]);
    let mut puts = appended(1);
    let mut engine = warmed_up(profile, &mut space, &mut puts, parameters)?;

    let (ops, steps, planning) = long_epoch(profile, sizes, &mut space, &mut puts)?;
    let middle = &steps[steps.len() / 2];
    let mut idle_state = space.state();
    idle_state.cursor = middle.registers.digest();
    let step = mix::of_step(profile, &idle_state, middle)?;

    tracing::info!(steps = steps.len(), "folding");
    memory::reset_peak();
    let memory_idle = memory::peak();
    let count = steps.len();
    let (fold, by_phase) = fold_all(&mut engine, steps, phases)?;
    let memory_fold = memory::peak();

    tracing::info!("compressing");
    memory::reset_peak();
    let checkpoint = engine.checkpoint();
    let compress_time = repeated(sizes.compressions, || Ok(compress(parameters, checkpoint)?))?;
    let memory_compress = memory::peak();
    let proof = compress(parameters, checkpoint)?;
    let key = parameters.verifying_key();
    let verify =
        repeated(sizes.verifications, || Ok(rootfold_verifier::verify(key, space.id(), &proof)?))?;
    Ok(ProfileFigures {
        shape: Shape {
            name: profile.name.to_owned(),
            segments: profile.segments,
            slots: profile.slots,
            rows: profile.rows,
            tree_rows: profile.tree_rows,
        },
        step,
        constraints: parameters.constraints(),
        witnesses: parameters.witnesses(),
        setup: None,
        fold,
        phases: by_phase,
        planning: planning.times(1.0 / count as f64),
        ops_per_step: ops as f64 / count as f64,
        memory_idle,
        memory_fold,
        memory_compress,
        compress: compress_time,
        verify,
        proof_bytes: proof.encode().len(),
    })
}

/// Makes an epoch of at least `sizes.folds` steps. Returns its number of ops, its steps and the
/// planning time. The space does not change.
fn long_epoch(
    profile: &Profile,
    sizes: &Sizes,
    space: &mut LoadSpace,
    puts: &mut impl Iterator<Item = Put>,
) -> anyhow::Result<(usize, Vec<StepWitness>, Spread)> {
    let mut ops = PER_WRITER;
    loop {
        let puts: Vec<Put> = puts.take(ops).collect();
        let epoch = space.clone().sign(&puts, PER_WRITER)?;
        let planned = space.plan(&epoch, profile)?;
        let steps = planned.plan.steps;
        if steps.len() < sizes.folds {
            ops = (ops * sizes.folds).div_ceil(steps.len()).max(ops + PER_WRITER);
            continue;
        }
        let mut took = vec![planned.took];
        for _ in 1..sizes.epochs {
            took.push(space.plan(&epoch, profile)?.took);
        }
        return Ok((ops, steps, Spread::of_seconds(took)));
    }
}

/// Folds the steps. Returns the time of a step, and the time of each of its phases by span name.
fn fold_all(
    engine: &mut Engine,
    steps: Vec<StepWitness>,
    phases: &Phases,
) -> anyhow::Result<(Spread, BTreeMap<String, Spread>)> {
    let mut whole = Vec::new();
    let mut parts: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    phases.take();
    for step in steps {
        let (folded, took) = timed(|| engine.prove_step(step));
        folded?;
        whole.push(took);
        for (phase, took) in phases.take() {
            parts.entry(phase).or_default().push(took);
        }
    }
    let parts = parts.into_iter();
    let spreads = parts.map(|(name, took)| (name.to_owned(), Spread::of_seconds(took)));
    Ok((Spread::of_seconds(whole), spreads.collect()))
}

/// Plans, folds, compresses and verifies one epoch of a load.
fn prove_epoch(
    profile: &Profile,
    load: Load,
    sizes: &Sizes,
    parameters: &Arc<Parameters>,
) -> anyhow::Result<ProvedEpoch> {
    tracing::info!(?load, "proving an epoch");
    let per_writer = sizes.proved_per_writer;
    let puts = load.puts(&sizes.wanted())?;
    let mut space = LoadSpace::new(1, sizes.epoch.div_ceil(per_writer), &puts.before);
    let mut after = puts.after.into_iter();
    let mut engine = warmed_up(profile, &mut space, &mut after, parameters)?;
    let epoch = space.sign(&after.take(sizes.epoch).collect::<Vec<_>>(), per_writer)?;
    let planned = space.plan(&epoch, profile)?;
    let steps = planned.plan.steps.len();
    let clock = Instant::now();
    for step in planned.plan.steps {
        engine.prove_step(step)?;
    }
    let folding = clock.elapsed();
    space.fold(&epoch)?;
    let proof = compress(parameters, engine.checkpoint())?;
    let key = parameters.verifying_key();
    let verified = rootfold_verifier::verify(key, space.id(), &proof).context("verifying")?;
    anyhow::ensure!(verified.root == space.state().root, "the proof has another root");
    Ok(ProvedEpoch {
        load,
        profile: profile.name.to_owned(),
        per_writer,
        ops: usize::try_from(epoch.ops())?,
        steps,
        planning: planned.took.as_secs_f64(),
        folding: folding.as_secs_f64(),
    })
}
