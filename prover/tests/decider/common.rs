//! A small step circuit for tests, and parameters for it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use ark_ff::{AdditiveGroup, Field};
use ark_r1cs_std::{alloc::AllocVar, eq::EqGadget, fields::fp::FpVar, GR1CSVar};
use ark_relations::gr1cs::SynthesisError;
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use rootfold_prover::{atomic::write_atomically, compress, Parameters, RunningProof};
use rootfold_verifier::{verify, Proof, F};
use sonobe_primitives::circuits::FCircuit;

/// Adds its input to the root, followed by a chain of multiplications, and to the ops.
#[derive(Clone, Debug)]
pub struct Toy {
    /// Number of multiplications.
    pub work: usize,
}

/// Input of one step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Input {
    /// Added to the root and to the ops.
    pub ops: u64,
    /// A false value for the next root.
    pub claim: Option<F>,
    /// Added to the cursor.
    pub cursor: u64,
}

impl FCircuit for Toy {
    type Field = F;
    type State = [F; 3];
    type StateVar = [FpVar<F>; 3];
    type ExternalInputs = Input;
    type ExternalOutputs = F;

    fn dummy_state(&self) -> [F; 3] {
        [F::ZERO; 3]
    }

    fn same_state_shape(_: &[F; 3], _: &[F; 3]) -> bool {
        true
    }

    fn dummy_external_inputs(&self) -> Input {
        Input::default()
    }

    fn generate_step_constraints(
        &self,
        i: FpVar<F>,
        [root, ops, cursor]: [FpVar<F>; 3],
        input: Input,
    ) -> Result<([FpVar<F>; 3], F), SynthesisError> {
        let cs = i.cs();
        let added = FpVar::new_witness(cs.clone(), || Ok(F::from(input.ops)))?;
        let moved = FpVar::new_witness(cs.clone(), || Ok(F::from(input.cursor)))?;
        let mut value = root + &added;
        for _ in 0..self.work {
            value = &value * &value + &i;
        }
        let honest = value.value().unwrap_or(F::ZERO);
        let next = FpVar::new_witness(cs.clone(), || Ok(input.claim.unwrap_or(honest)))?;
        next.enforce_equal(&value)?;
        // A variable without constraints and an unused product, as some gadgets produce.
        let _ = FpVar::new_witness(cs, || Ok(F::ONE))?;
        let _unused = &next * &added;
        Ok(([next, ops + added, cursor + moved], honest))
    }
}

/// The cursor outside an epoch.
pub fn idle() -> F {
    F::from(77)
}

/// The circuit of most tests.
pub const TOY: Toy = Toy { work: 200 };

/// A deterministic random number generator.
pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// A folder for files that are kept between test processes.
fn directory() -> PathBuf {
    let dir = option_env!("CARGO_TARGET_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
    dir.join("decider-tests")
}

/// Parameters for [`TOY`], kept on disk between test processes.
pub fn parameters() -> Arc<Parameters> {
    static PARAMETERS: OnceLock<Arc<Parameters>> = OnceLock::new();
    PARAMETERS.get_or_init(|| kept_parameters(&directory())).clone()
}

/// Other parameters for [`TOY`], kept likewise.
pub fn other_parameters() -> Arc<Parameters> {
    kept_parameters(&directory().join("other"))
}

fn kept_parameters(dir: &Path) -> Arc<Parameters> {
    let loaded = Parameters::load_or_generate(dir, "toy", idle(), &TOY, &mut |_| {});
    Arc::new(loaded.expect("parameters"))
}

/// The space id of the tests.
pub fn space() -> F {
    F::from(1234)
}

/// A running proof of some honest steps.
pub fn running(parameters: &Arc<Parameters>, steps: u64) -> RunningProof<Toy> {
    let initial = parameters.verifying_key().initial_state(space());
    let mut running = RunningProof::new(parameters.clone(), TOY, initial);
    for step in 0..steps {
        running.prove_step(input(step)).expect("an honest step");
    }
    running
}

/// The input of an honest step: adds `step + 5` ops.
pub fn input(step: u64) -> Input {
    Input { ops: step + 5, ..Input::default() }
}

/// An honest proof of some steps, kept on disk between test processes. It is made anew if the kept
/// one does not verify.
pub fn proof(steps: u64) -> Proof {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let path = directory().join(format!("{}-{steps}.proof", parameters.id()));
    let kept =
        std::fs::read(&path).ok().and_then(|bytes| Proof::decode(&bytes, key.cyclefold()).ok());
    if let Some(proof) = kept.filter(|proof| verify(key, space(), proof).is_ok()) {
        return proof;
    }
    let running = running(&parameters, steps);
    let proof = compress(&parameters, running.checkpoint()).expect("an honest proof");
    write_atomically(&path, &[&proof.encode()]).expect("a directory to write to");
    proof
}
