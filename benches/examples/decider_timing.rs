//! Times every stage of the proof system on a chain of squarings. Then compares the verification
//! time of false proofs with that of a valid proof.
//!
//! ```text
//! cargo run --release -p rootfold-benches --example decider_timing -- 100000
//! ```
//!
//! The argument is the number of squarings in a step, 90000 by default. Folding adds its own
//! constraints. The argument does not affect verification, so 1000 is enough for the second part.

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use ark_ff::{AdditiveGroup, Field};
use ark_r1cs_std::{alloc::AllocVar, eq::EqGadget, fields::fp::FpVar, GR1CSVar};
use ark_relations::gr1cs::SynthesisError;
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use rootfold_prover::{compress, Parameters, RunningProof, SetupStage};
use rootfold_verifier::{
    folding::{Fq, IvcState},
    verify_bytes, PreparedVerifyingKey, Proof, VerifyError, F,
};
use sonobe_primitives::circuits::FCircuit;

/// A step circuit that counts one op and applies `x^2 + i` this many times to its root `x`, where
/// `i` is the step number.
#[derive(Clone, Copy)]
struct Squarings(usize);

impl FCircuit for Squarings {
    type Field = F;
    type State = IvcState;
    type StateVar = [FpVar<F>; 3];
    type ExternalInputs = ();
    type ExternalOutputs = ();

    fn dummy_state(&self) -> IvcState {
        [F::ZERO; 3]
    }

    fn same_state_shape(_: &IvcState, _: &IvcState) -> bool {
        true
    }

    fn dummy_external_inputs(&self) {}

    fn generate_step_constraints(
        &self,
        i: FpVar<F>,
        [root, ops, cursor]: [FpVar<F>; 3],
        (): (),
    ) -> Result<([FpVar<F>; 3], ()), SynthesisError> {
        let mut value = root;
        for _ in 0..self.0 {
            value = &value * &value + &i;
        }
        let next = FpVar::new_witness(i.cs(), || value.value())?;
        next.enforce_equal(&value)?;
        Ok(([next, ops + F::ONE, cursor], ()))
    }
}

/// Processor time of this process so far in milliseconds, with a resolution of 10 ms. It depends
/// less on other processes than elapsed time. Zero if the system does not report it.
fn processor_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Field 2, in parentheses, may contain spaces. Fields 14 and 15 are user and system time.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() * 10.0
}

fn report(what: &str, start: Instant, processor: f64) {
    println!(
        "{what:<46} {:>9.1} ms {:>9.0} ms CPU",
        start.elapsed().as_secs_f64() * 1e3,
        processor_ms() - processor
    );
}

fn timed<T>(what: &str, action: impl FnOnce() -> T) -> T {
    let (start, processor) = (Instant::now(), processor_ms());
    let result = action();
    report(what, start, processor);
    result
}

fn main() -> Result<(), Box<dyn Error>> {
    let circuit = Squarings(match std::env::args().nth(1) {
        Some(number) => number.parse()?,
        None => 90_000,
    });
    let space = F::from(1234);
    let mut current: Option<(SetupStage, Instant, f64)> = None;
    let mut stage = |next: SetupStage| {
        if let Some((stage, start, processor)) = current.take() {
            report(&format!("  {}", stage.describe()), start, processor);
        }
        current = Some((next, Instant::now(), processor_ms()));
    };
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let idle = F::ZERO;
    let parameters =
        timed("setup", || Parameters::generate("squarings", idle, &circuit, &mut rng, &mut stage))?;
    println!(
        "{}: {} constraints, {} witness variables",
        parameters.name(),
        parameters.constraints(),
        parameters.witnesses()
    );
    let dir = tempfile::tempdir()?;
    let path = timed("save parameters", || parameters.save(dir.path()))?;
    println!("{} MB", std::fs::metadata(&path)?.len() >> 20);
    let parameters = Arc::new(timed("load parameters", || Parameters::load(&path, &circuit))?);

    let initial = parameters.verifying_key().initial_state(space);
    let mut running = RunningProof::new(parameters.clone(), circuit, initial);
    for step in 1..=4 {
        timed(&format!("step {step}"), || running.prove_step(()))?;
    }
    timed("verify in the clear", || running.verify_in_the_clear())?;
    let checkpoint = running.checkpoint();
    timed("save checkpoint", || checkpoint.save(&dir.path().join("checkpoint")))?;
    println!("{} MB", checkpoint.to_bytes().len() >> 20);
    let proof = timed("compress", || compress(&parameters, checkpoint))?;
    println!("proof: {} bytes", proof.encode().len());

    let key = parameters.verifying_key().key().clone();
    let key = timed("prepare the verifying key", || PreparedVerifyingKey::new(key))?;
    compare_refusals(&key, space, &proof)
}

/// Number of rounds. Each proof is verified once per round.
const ROUNDS: usize = 60;

/// Verifies the valid proof and several false ones alternately. Prints the median time of each, and
/// its ratio to the time of the valid proof.
fn compare_refusals(
    key: &PreparedVerifyingKey,
    space: F,
    valid: &Proof,
) -> Result<(), Box<dyn Error>> {
    let altered = |change: &dyn Fn(&mut Proof)| {
        let mut proof = valid.clone();
        change(&mut proof);
        proof.encode()
    };
    let pairings = Err(VerifyError::Pairings);
    let proofs: [(&str, Vec<u8>, Result<(), VerifyError>); 7] = [
        ("valid", valid.encode(), Ok(())),
        ("another C", altered(&|p| p.groth16.c = p.groth16.a), pairings.clone()),
        ("another knowledge of W", altered(&|p| p.knowledge_w = p.knowledge_e), pairings.clone()),
        ("another knowledge of E", altered(&|p| p.knowledge_e = p.knowledge_w), pairings.clone()),
        (
            "another CycleFold witness",
            altered(&|p| p.cyclefold_witness[7] += Fq::ONE),
            Err(VerifyError::CycleFold),
        ),
        (
            "all of these",
            altered(&|p| {
                (p.groth16.c, p.knowledge_w, p.knowledge_e) =
                    (p.groth16.a, p.knowledge_e, p.knowledge_w);
                p.cyclefold_witness.iter_mut().for_each(|w| *w = w.square() + Fq::ONE);
            }),
            pairings,
        ),
        ("another root", altered(&|p| p.root += F::ONE), Err(VerifyError::StateHash)),
    ];
    let mut times = vec![Vec::with_capacity(ROUNDS); proofs.len()];
    for _ in 0..ROUNDS {
        for ((what, bytes, expected), times) in proofs.iter().zip(&mut times) {
            let start = Instant::now();
            let verdict = verify_bytes(key, space, bytes).map(|_| ());
            times.push(start.elapsed());
            if verdict != *expected {
                return Err(format!("{what}: expected {expected:?}, got {verdict:?}").into());
            }
        }
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e3
    };
    let medians: Vec<f64> = times.iter_mut().map(median).collect();
    println!("verification, median of {ROUNDS}:");
    for ((what, ..), time) in proofs.iter().zip(&medians) {
        println!("  {what:<30} {time:>7.2} ms {:>6.2} times the valid proof", time / medians[0]);
    }
    Ok(())
}
