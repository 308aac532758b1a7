//! Measures ark-groth16 on a circuit of the size of one step with folding.

use ark_bn254::Bn254;
use ark_groth16::{prepare_verifying_key, Groth16, Proof};
use ark_relations::{
    gr1cs::{
        ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError, Variable,
    },
    lc,
};
use ark_serialize::CanonicalSerialize;
use ark_std::UniformRand;
use rand::{rngs::StdRng, SeedableRng};
use rootfold_core::F;

use super::{sizes::Sizes, Rival};
use crate::{
    measure::{memory, repeated, timed},
    report::RivalFigures,
};

/// The circuit of [`Rival`] as arkworks constraints.
#[derive(Debug, Clone, Copy)]
struct MixedCircuit {
    bits: usize,
    products: usize,
    /// Number of variables in the first factor of a product.
    terms: usize,
    start: F,
}

impl ConstraintSynthesizer<F> for MixedCircuit {
    fn generate_constraints(self, cs: ConstraintSystemRef<F>) -> Result<(), SynthesisError> {
        for index in 0..self.bits {
            let bit = cs.new_witness_variable(|| Ok(F::from(index as u64 % 2)))?;
            cs.enforce_r1cs_constraint(|| lc!() + bit, || lc!() + Variable::One - bit, || lc!())?;
        }
        let mut last = (cs.new_input_variable(|| Ok(self.start))?, self.start);
        let mut window = vec![last; self.terms];
        for index in 0..self.products {
            let sum: F = window.iter().map(|(_, value)| *value).sum();
            let value = sum * last.1;
            let product = cs.new_witness_variable(|| Ok(value))?;
            let terms: LinearCombination<F> =
                window.iter().fold(lc!(), |sum, (variable, _)| sum + *variable);
            let factor = last.0;
            cs.enforce_r1cs_constraint(|| terms, || lc!() + factor, || lc!() + product)?;
            last = (product, value);
            window[index % self.terms] = last;
        }
        Ok(())
    }
}

/// Generates keys, proves and verifies.
///
/// # Errors
/// If arkworks fails or rejects its own proof.
pub fn measure(rival: &Rival, sizes: &Sizes) -> anyhow::Result<RivalFigures> {
    let mut rng = StdRng::seed_from_u64(1);
    let shape = rival.shape(sizes);
    let start = F::rand(&mut rng);
    let circuit =
        MixedCircuit { bits: shape.bits, products: shape.products, terms: shape.terms, start };
    tracing::info!(constraints = shape.bits + shape.products, "ark-groth16: generating keys");
    let (key, setup) =
        timed(|| Groth16::<Bn254>::generate_random_parameters_with_reduction(circuit, &mut rng));
    let key = key?;
    tracing::info!("ark-groth16: proving");
    memory::reset_peak();
    let mut last: Option<Proof<Bn254>> = None;
    let prove = repeated(sizes.compressions, || {
        last = Some(Groth16::<Bn254>::create_random_proof_with_reduction(circuit, &key, &mut rng)?);
        Ok(())
    })?;
    let memory_prove = memory::peak();
    let proof = last.ok_or_else(|| anyhow::anyhow!("no proof was made"))?;
    let prepared = prepare_verifying_key(&key.vk);
    let verify = repeated(sizes.verifications, || {
        let good = Groth16::<Bn254>::verify_proof(&prepared, &proof, &[start])?;
        anyhow::ensure!(good, "ark-groth16 rejects its own proof");
        Ok(())
    })?;
    Ok(RivalFigures {
        profile: rival.profile.clone(),
        constraints: shape.bits + shape.products,
        setup: setup.as_secs_f64(),
        fold: None,
        memory_fold: None,
        prove,
        memory_prove,
        verify,
        proof_bytes: proof.compressed_size(),
    })
}
