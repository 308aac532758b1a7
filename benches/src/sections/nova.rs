//! Measures nova-snark: Nova over BN254 and Grumpkin, compressed by Spartan with HyperKZG and IPA.
//!
//! nova-snark is compiled only with the feature `rivals`.

#[cfg(not(feature = "rivals"))]
use super::{sizes::Sizes, Rival};
#[cfg(not(feature = "rivals"))]
use crate::report::RivalFigures;

/// Whether nova-snark was compiled in.
pub const COMPILED: bool = cfg!(feature = "rivals");

#[cfg(feature = "rivals")]
pub use with_nova::measure;

/// Fails, since nova-snark was not compiled in.
///
/// # Errors
/// Always.
#[cfg(not(feature = "rivals"))]
pub fn measure(_: &Rival, _: &Sizes) -> anyhow::Result<RivalFigures> {
    anyhow::bail!("nova-snark is not in this build: compile with the feature `rivals`")
}

#[cfg(feature = "rivals")]
mod with_nova {
    use nova_snark::{
        frontend::{num::AllocatedNum, ConstraintSystem, LinearCombination, SynthesisError},
        nova::{CompressedSNARK, PublicParams, RecursiveSNARK},
        provider::{hyperkzg, ipa_pc, Bn256EngineKZG, GrumpkinEngine},
        spartan::snark::RelaxedR1CSSNARK,
        traits::{circuit::StepCircuit, snark::RelaxedR1CSSNARKTrait, Engine},
    };

    use crate::{
        measure::{memory, repeated, timed, Spread},
        report::RivalFigures,
        sections::{sizes::Sizes, Rival, RivalShape},
    };

    type E1 = Bn256EngineKZG;
    type E2 = GrumpkinEngine;
    type S1 = RelaxedR1CSSNARK<E1, hyperkzg::EvaluationEngine<E1>>;
    type S2 = RelaxedR1CSSNARK<E2, ipa_pc::EvaluationEngine<E2>>;
    type Scalar = <E1 as Engine>::Scalar;
    type Compressed = CompressedSNARK<E1, E2, MixedStep, S1, S2>;

    /// The circuit of [`Rival`] as a step circuit of nova-snark.
    #[derive(Debug, Clone)]
    struct MixedStep(RivalShape);

    impl StepCircuit<Scalar> for MixedStep {
        fn arity(&self) -> usize {
            1
        }

        fn synthesize<CS: ConstraintSystem<Scalar>>(
            &self,
            cs: &mut CS,
            z: &[AllocatedNum<Scalar>],
        ) -> Result<Vec<AllocatedNum<Scalar>>, SynthesisError> {
            let RivalShape { bits, products, terms } = self.0;
            for index in 0..bits {
                let value = Scalar::from(index as u64 % 2);
                let bit = cs.alloc(|| "bit", || Ok(value))?;
                cs.enforce(|| "a bit", |lc| lc + bit, |lc| lc + CS::one() - bit, |lc| lc);
            }
            let mut last = z[0].clone();
            let mut window = vec![last.clone(); terms];
            for index in 0..products {
                let values = window.iter().map(AllocatedNum::get_value);
                let sum: Option<Scalar> = values.sum();
                let value = sum.zip(last.get_value()).map(|(sum, last)| sum * last);
                let product = AllocatedNum::alloc(cs.namespace(|| "product"), || {
                    value.ok_or(SynthesisError::AssignmentMissing)
                })?;
                let terms = |lc: LinearCombination<Scalar>| {
                    window.iter().fold(lc, |sum, num| sum + num.get_variable())
                };
                cs.enforce(
                    || "a product",
                    terms,
                    |lc| lc + last.get_variable(),
                    |lc| lc + product.get_variable(),
                );
                window[index % self.0.terms] = product.clone();
                last = product;
            }
            Ok(vec![last])
        }
    }

    /// Generates keys, folds, compresses and verifies.
    ///
    /// # Errors
    /// If nova-snark fails or rejects its own proof.
    pub fn measure(rival: &Rival, sizes: &Sizes) -> anyhow::Result<RivalFigures> {
        let step = MixedStep(rival.shape(sizes));
        let start = [Scalar::from(2)];
        tracing::info!(step = ?step.0, "nova-snark: generating keys");
        let (keys, setup) = timed(|| -> anyhow::Result<_> {
            let public = PublicParams::<E1, E2, MixedStep>::setup(
                &step,
                &*S1::ck_floor(),
                &*S2::ck_floor(),
            )?;
            let (prover, verifier) = Compressed::setup(&public)?;
            Ok((public, prover, verifier))
        });
        let (public, prover, verifier) = keys?;

        tracing::info!("nova-snark: folding");
        memory::reset_peak();
        let mut running = RecursiveSNARK::new(&public, &step, &start)?;
        let mut folds = Vec::new();
        // The first two steps are not representative, as in our own measurement.
        for index in 0..sizes.folds + 2 {
            let (folded, took) = timed(|| running.prove_step(&public, &step));
            folded?;
            if index >= 2 {
                folds.push(took);
            }
        }
        let memory_fold = memory::peak();

        tracing::info!("nova-snark: compressing");
        memory::reset_peak();
        let mut last = None;
        let prove = repeated(sizes.compressions, || {
            last = Some(Compressed::prove(&public, &prover, &running)?);
            Ok(())
        })?;
        let memory_prove = memory::peak();
        let proof = last.ok_or_else(|| anyhow::anyhow!("no proof was made"))?;
        let steps = running.num_steps();
        let verify = repeated(sizes.verifications, || Ok(proof.verify(&verifier, steps, &start)?))?;
        Ok(RivalFigures {
            profile: rival.profile.clone(),
            constraints: public.num_constraints().0,
            setup: setup.as_secs_f64(),
            fold: Some(Spread::of_seconds(folds)),
            memory_fold,
            prove,
            memory_prove,
            verify,
            proof_bytes: encoded_len(&proof)?,
        })
    }

    fn encoded_len(proof: &Compressed) -> anyhow::Result<usize> {
        let config = bincode::config::legacy();
        Ok(bincode::serde::encode_to_vec(proof, config)?.len())
    }
}
