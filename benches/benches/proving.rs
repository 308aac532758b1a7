//! The proving side: planning, one fold step per profile, compression and verification.
//!
//! `ROOTFOLD_PROFILES=small` leaves the standard profile out.

#![allow(missing_docs, reason = "criterion's macro makes a public function without one")]

use std::{sync::Arc, time::Duration};

use criterion::{criterion_group, criterion_main, BatchSize, Criterion};
use rand::rngs::OsRng;
use rootfold_benches::workload::Workload;
use rootfold_core::step::{Profile, SMALL, STANDARD};
use rootfold_prover::{
    compress,
    engine::{generate, Engine},
};

/// Ops of the epoch whose steps are folded.
const OPS: usize = 8;

fn profiles() -> Vec<Profile> {
    let wanted = std::env::var("ROOTFOLD_PROFILES").unwrap_or_else(|_| "small,standard".into());
    [SMALL, STANDARD].into_iter().filter(|p| wanted.split(',').any(|w| w == p.name)).collect()
}

fn proving(c: &mut Criterion) {
    for profile in profiles() {
        let parameters =
            Arc::new(generate(&profile, OsRng, &mut |_| ()).expect("the circuit can be set up"));
        let mut load = Workload::new(1);
        let initial = parameters.verifying_key().initial_state(load.space_id);
        let mut engine = Engine::new(parameters.clone(), profile, initial);
        // The first step folds nothing: measure from the second on.
        let (_, plan) = load.epoch(OPS, &profile).expect("the workload is valid");
        for step in plan.steps {
            engine.prove_step(step).expect("a planned step can be proved");
        }
        let checkpoint = engine.checkpoint().clone();
        let (_, plan) = load.epoch(OPS, &profile).expect("the workload is valid");
        let step = plan.steps.first().expect("a plan has a step").clone();

        let mut group = c.benchmark_group(profile.name);
        group.sample_size(10).measurement_time(Duration::from_secs(20));
        group.bench_function("fold step", |b| {
            b.iter_batched(
                || {
                    Engine::resume(parameters.clone(), profile, checkpoint.clone())
                        .expect("the checkpoint is of these parameters")
                },
                |mut engine| engine.prove_step(step.clone()).expect("the step can be proved"),
                BatchSize::PerIteration,
            );
        });
        group.bench_function("compress", |b| {
            b.iter(|| compress(&parameters, &checkpoint).expect("the epoch is sealed"));
        });
        let proof = compress(&parameters, &checkpoint).expect("the epoch is sealed");
        println!(
            "{}: {} constraints, {} witnesses, proof of {} bytes",
            profile.name,
            parameters.constraints(),
            parameters.witnesses(),
            proof.encode().len()
        );
        let key = parameters.verifying_key();
        group.bench_function("verify", |b| {
            b.iter(|| {
                rootfold_verifier::verify(key, load.space_id, &proof).expect("the proof is good")
            });
        });
    }
}

criterion_group!(benches, proving);
criterion_main!(benches);
