//! Runs every target on its seeds, on random bytes, and on seeds altered byte by byte and field by
//! field. Each target is a separate test, so the test runner names the decoder that fails.

mod fields;
mod mutation;

use std::env;

use libtest_mimic::{Arguments, Failed, Trial};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use rand::{rngs::StdRng, RngCore, SeedableRng};
use rootfold_fuzz::{seeds, Target, TARGETS};

/// Number of inputs of each of three kinds: random bytes, seeds altered byte by byte, and seeds
/// altered field by field.
const CASES: u32 = 2000;
/// As [`CASES`], for slow targets.
const SLOW_CASES: u32 = 150;

fn main() {
    let attack = |target: &'static Target| Trial::test(target.name, move || attack(target));
    // One thread, since the measurement includes the allocations of all threads.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, TARGETS.iter().map(attack).collect()).exit();
}

fn attack(target: &'static Target) -> Result<(), Failed> {
    let seeds = seeds::committed(target.name)?;
    for (name, bytes) in &seeds {
        let verdict = target.attack(bytes);
        if verdict != seeds::expected(name) {
            return Err(format!("seed {name}: the verdict is {verdict:?}").into());
        }
    }
    let cases = if target.slow { SLOW_CASES } else { CASES };
    let mut runner = runner(target)?;
    let body = |bytes: Vec<u8>| -> Result<(), TestCaseError> {
        target.attack(&bytes);
        Ok(())
    };
    run(&mut runner, cases, &vec(any::<u8>(), 0..600), body)?;
    let seeds: Vec<Vec<u8>> = seeds.into_values().collect();
    run(&mut runner, cases, &mutation::altered(seeds.clone()), body)?;
    run(&mut runner, cases, &fields::altered(seeds), body)
}

/// A runner with a random seed, which is printed. `ROOTFOLD_SEED` sets the seed, to repeat a run.
fn runner(target: &Target) -> Result<TestRunner, Failed> {
    let given = env::var("ROOTFOLD_SEED").ok().map(|seed| seed.parse()).transpose()?;
    let seed: u64 = given.unwrap_or_else(rand::random);
    println!("{}: ROOTFOLD_SEED={seed}", target.name);
    let mut bytes = [0; 32];
    StdRng::seed_from_u64(seed).fill_bytes(&mut bytes);
    let config = Config { failure_persistence: None, ..Config::default() };
    Ok(TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)))
}

fn run<S: Strategy<Value = Vec<u8>>>(
    runner: &mut TestRunner,
    cases: u32,
    inputs: &S,
    body: impl Fn(Vec<u8>) -> Result<(), TestCaseError>,
) -> Result<(), Failed> {
    let mut config = runner.config().clone();
    config.cases = cases;
    let mut runner = TestRunner::new_with_rng(config, runner.new_rng());
    runner.run(inputs, body).map_err(|e| e.to_string().into())
}
