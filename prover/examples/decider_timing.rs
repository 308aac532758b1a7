//! Times every stage of the proof system on a chain of multiplications.
//!
//! ```text
//! cargo run --release -p rootfold-prover --example decider_timing -- 100000
//! ```
//!
//! The argument is the number of multiplications in a step, to which the folding's own constraints
//! are added.

#[path = "../tests/decider/common.rs"]
mod common;

use std::{error::Error, sync::Arc, time::Instant};

use common::{idle, rng, space, Input, Toy};
use rootfold_prover::{compress, Parameters, RunningProof, SetupStage};
use rootfold_verifier::{verify_bytes, PreparedVerifyingKey, Proof};

/// Processor time of this process so far in milliseconds, in steps of 10: on a machine with other
/// work, it says more than the clock. Zero where the system does not tell.
fn processor_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field, in parentheses, may contain spaces; user and system time are 14th and 15th.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() * 10.0
}

fn report(what: &str, start: Instant, processor: f64) {
    println!(
        "{what:<46} {:>9.1} ms {:>9.0} ms of processor",
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
    let work = match std::env::args().nth(1) {
        Some(number) => number.parse()?,
        None => 90_000,
    };
    let toy = Toy { work };
    let mut current: Option<(SetupStage, Instant, f64)> = None;
    let mut stage = |next: SetupStage| {
        if let Some((stage, start, processor)) = current.take() {
            report(&format!("  {}", stage.describe()), start, processor);
        }
        current = Some((next, Instant::now(), processor_ms()));
    };
    let parameters =
        timed("setup", || Parameters::generate("toy", idle(), &toy, &mut rng(1), &mut stage))?;
    println!(
        "{}: {} constraints, {} witness variables",
        parameters.name(),
        parameters.constraints(),
        parameters.witnesses()
    );
    let dir = tempfile::tempdir()?;
    let path = timed("save parameters", || parameters.save(dir.path()))?;
    println!("{} MB", std::fs::metadata(&path)?.len() >> 20);
    let parameters = Arc::new(timed("load parameters", || Parameters::load(&path, &toy))?);

    let initial = parameters.verifying_key().initial_state(space());
    let mut running = RunningProof::new(parameters.clone(), toy, initial);
    for step in 0..4 {
        let input = Input { ops: step, ..Input::default() };
        timed(&format!("step {}", step + 1), || running.prove_step(input))?;
    }
    timed("verify in the clear", || running.verify_in_the_clear())?;
    let checkpoint = running.checkpoint();
    timed("save checkpoint", || checkpoint.save(&dir.path().join("checkpoint")))?;
    println!("{} MB", checkpoint.to_bytes().len() >> 20);
    let proof = timed("compress", || compress(&parameters, checkpoint))?;
    let bytes = proof.encode();
    println!("proof: {} bytes", bytes.len());

    let key = parameters.verifying_key().key().clone();
    let key = timed("prepare the verifying key", || PreparedVerifyingKey::new(key))?;
    timed("decode", || Proof::decode(&bytes, key.cyclefold()))?;
    timed("verify 100 times", || {
        (0..100).try_for_each(|_| verify_bytes(&key, space(), &bytes).map(|_| ()))
    })?;
    Ok(())
}
