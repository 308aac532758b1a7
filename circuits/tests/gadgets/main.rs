//! Every gadget against its native twin, and the cost of each.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod counts;
mod shape;
mod twins;

use ark_r1cs_std::{alloc::AllocVar, fields::fp::FpVar};
use ark_relations::gr1cs::{ConstraintSystem, ConstraintSystemRef};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rootfold_circuits::Var;
use rootfold_core::F;

/// A witness.
fn witness(cs: &ConstraintSystemRef<F>, x: F) -> Var {
    FpVar::new_witness(cs.clone(), || Ok(x)).unwrap()
}

fn fresh() -> ConstraintSystemRef<F> {
    ConstraintSystem::new_ref()
}

/// A random number generator. Its seed is printed; `ROOTFOLD_SEED=n` repeats a run.
fn seeded() -> ChaCha20Rng {
    let seed = match std::env::var("ROOTFOLD_SEED") {
        Ok(seed) => seed.parse().expect("ROOTFOLD_SEED is a number"),
        Err(_) => rand::thread_rng().gen(),
    };
    println!("ROOTFOLD_SEED={seed}");
    ChaCha20Rng::seed_from_u64(seed)
}

fn field(rng: &mut ChaCha20Rng) -> F {
    ark_std::UniformRand::rand(rng)
}
