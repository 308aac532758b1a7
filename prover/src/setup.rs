//! The setup: keys of folding and of the decider, which share their bases.
//!
//! The notation is that of `docs/design.md`, section 6. For a column `j` of the step's R1CS let
//! `a_j`, `b_j`, `c_j` be the values of its polynomials at the secret point `tau`, and `L_i` that
//! of the Lagrange polynomial of row `i`. Then
//!
//! | list | element |
//! |---|---|
//! | public input and `key_W` | `[(beta a_j + alpha b_j + c_j) / gamma]_1` |
//! | `key_E` | `[L_i / gamma]_1`, the same formula for the slack variable of row `i` |
//! | knowledge | `sigma_W * key_W`, `sigma_E * key_E` |
//! | Groth16 | `[a_j]_1`, `[b_j]_2`, `[tau^k Z(tau) / delta]_1`, all others empty |
//!
//! Elements that an honest prover does not use are not published: `l` (no variable is private),
//! `[b_j]_1`, `[beta]_1` and `[delta]_1` (the proof is not blinded), and the columns of the slack
//! variables in `a` and `b` (they are zero).

use std::collections::BTreeSet;

use ark_bn254::{G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{scalar_mul::BatchMulPreprocessing, AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::PrimeField;
use ark_groth16::r1cs_to_qap::R1CSToQAP;
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use ark_relations::gr1cs::SynthesisError;
use rand::{CryptoRng, RngCore};
use rootfold_verifier::{
    folding::commitment::{EqualLengths, TwoListKey},
    F,
};
use sonobe_primitives::arithmetizations::{ccs::CCS, r1cs::R1CS, Arith};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    bases::{Bases, Groth16Key},
    qap::{columns_at, domain, SlackQap},
    trapdoor::Trapdoor,
};

/// A stage of making parameters, for progress reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupStage {
    /// Synthesizing the step circuit.
    Circuit,
    /// Looking for this user's parameters.
    Cache,
    /// Evaluating the circuit's columns at the secret point.
    Columns,
    /// Multiplying the commitment and knowledge bases.
    CommitmentBases,
    /// Multiplying the Groth16 bases.
    Groth16Bases,
    /// Checking the bases and preparing the keys.
    Keys,
    /// Writing the parameters.
    Save,
}

impl SetupStage {
    /// The stage in words, for progress reports.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Circuit => "synthesizing the step circuit",
            Self::Cache => "looking for parameters made earlier",
            Self::Columns => "evaluating the constraints at the secret point",
            Self::CommitmentBases => "making the commitment bases",
            Self::Groth16Bases => "making the Groth16 bases",
            Self::Keys => "checking the bases",
            Self::Save => "writing the parameters",
        }
    }
}

/// Why parameters could not be made.
#[derive(Debug, Error)]
pub enum SetupError {
    /// A circuit could not be synthesized, or is too large for the field's evaluation domains.
    #[error("circuit synthesis failed: {0}")]
    Synthesis(#[from] SynthesisError),
    /// The circuit has constraints that are not rank-1. Folding and Groth16 would ignore them.
    #[error(
        "the circuit has {constraints} constraints under the predicate `{predicate}`; only R1CS \
         constraints can be proved"
    )]
    OtherPredicate {
        /// Label of the predicate in the constraint system.
        predicate: String,
        /// Number of constraints under it.
        constraints: usize,
    },
    /// The augmented circuit, which depends on its own size, did not reach a fixed point.
    #[error("the size of the augmented circuit did not settle in {rounds} rounds")]
    Unsettled {
        /// Number of times that the circuit was synthesized.
        rounds: usize,
    },
    /// The two commitment lists have the same length.
    #[error(transparent)]
    EqualLengths(#[from] EqualLengths),
    /// A base is the point at infinity.
    #[error("a commitment base is the point at infinity")]
    IdentityBase,
    /// Two bases are equal up to sign.
    #[error("two commitment bases are equal up to sign")]
    RepeatedBase,
    /// The resulting verifying key is unusable.
    #[error("unusable key: {0}")]
    Key(#[from] rootfold_verifier::KeyError),
    /// sonobe rejected the keys.
    #[error("sonobe rejected the folding keys: {0}")]
    Folding(#[from] sonobe_fs::Error),
}

/// Makes the bases for `r1cs` from fresh secrets, which are overwritten before it returns.
///
/// # Errors
/// [`SetupError`] if the circuit does not fit the decider; see [`crate::shape`].
pub fn generate_bases(
    r1cs: &R1CS<F>,
    rng: &mut (impl RngCore + CryptoRng),
    progress: &mut dyn FnMut(SetupStage),
) -> Result<Bases, SetupError> {
    progress(SetupStage::Columns);
    let config = r1cs.config();
    let public = 1 + config.n_public_inputs;
    let domain: GeneralEvaluationDomain<F> = domain(config.n_constraints)?;
    let trapdoor = Trapdoor::draw(&domain, rng);
    let lagrange = Zeroizing::new(domain.evaluate_all_lagrange_coefficients(trapdoor.tau));
    let [a, b, c] = columns_at(r1cs.matrices(), config.n_variables, &lagrange).map(Zeroizing::new);
    let vanishing = Zeroizing::new(domain.evaluate_vanishing_polynomial(trapdoor.tau));

    progress(SetupStage::CommitmentBases);
    let input: Zeroizing<Vec<F>> = Zeroizing::new(
        (0..config.n_variables)
            .map(|j| (trapdoor.beta * a[j] + trapdoor.alpha * b[j] + c[j]) * trapdoor.gamma_inverse)
            .collect(),
    );
    let error = scaled(&lagrange[..config.n_constraints], trapdoor.gamma_inverse);
    let h = Zeroizing::new(SlackQap::h_query_scalars::<F, GeneralEvaluationDomain<F>>(
        domain.size() - 1,
        trapdoor.tau,
        *vanishing,
        trapdoor.delta_inverse,
    )?);
    let g1 = BatchMulPreprocessing::new(
        G1Projective::generator(),
        a.len() + 2 * (input.len() + error.len()) + h.len(),
    );
    let mut input_bases = g1.batch_mul(&input);
    let witness_bases = input_bases.split_off(public);
    let error_bases = g1.batch_mul(&error);
    check_bases(&[&input_bases, &witness_bases, &error_bases])?;
    let knowledge_w = g1.batch_mul(&scaled(&input[public..], trapdoor.sigma_w));
    let knowledge_e = g1.batch_mul(&scaled(&error, trapdoor.sigma_e));

    progress(SetupStage::Groth16Bases);
    let g2 = BatchMulPreprocessing::new(G2Projective::generator(), b.len());
    let times_g2 = |scalar: F| (G2Affine::generator() * scalar).into_affine();
    let groth16 = Groth16Key {
        vk: ark_groth16::VerifyingKey {
            alpha_g1: (G1Affine::generator() * trapdoor.alpha).into_affine(),
            beta_g2: times_g2(trapdoor.beta),
            gamma_g2: times_g2(trapdoor.gamma),
            delta_g2: times_g2(trapdoor.delta),
            gamma_abc_g1: input_bases,
        },
        beta_g1: G1Affine::identity(),
        delta_g1: G1Affine::identity(),
        a_query: g1.batch_mul(&a),
        b_g1_query: Vec::new(),
        b_g2_query: g2.batch_mul(&b),
        h_query: g1.batch_mul(&h),
        l_query: Vec::new(),
    };
    Ok(Bases {
        groth16,
        commitment: TwoListKey::new(witness_bases, error_bases)?,
        knowledge_w,
        knowledge_e,
        sigma_w_g2: times_g2(trapdoor.sigma_w),
        sigma_e_g2: times_g2(trapdoor.sigma_e),
    })
}

fn scaled(scalars: &[F], factor: F) -> Zeroizing<Vec<F>> {
    Zeroizing::new(scalars.iter().map(|scalar| *scalar * factor).collect())
}

/// Refuses the point at infinity and points that are equal up to sign, that is, in x.
fn check_bases(lists: &[&[G1Affine]]) -> Result<(), SetupError> {
    let mut seen = BTreeSet::new();
    for base in lists.iter().copied().flatten() {
        let x = base.x().ok_or(SetupError::IdentityBase)?;
        if !seen.insert(x.into_bigint()) {
            return Err(SetupError::RepeatedBase);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::Bn254;
    use ark_ff::{AdditiveGroup, UniformRand};
    use ark_groth16::{prepare_verifying_key, Groth16, VerifyingKey};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    #[test]
    fn bad_bases_are_refused() {
        let one = G1Affine::generator();
        let two = (one + one).into_affine();
        assert!(check_bases(&[&[one], &[two]]).is_ok());
        assert!(matches!(
            check_bases(&[&[one], &[two, G1Affine::identity()]]),
            Err(SetupError::IdentityBase)
        ));
        assert!(matches!(check_bases(&[&[one], &[two, -one]]), Err(SetupError::RepeatedBase)));
    }

    /// Dense random rows over `(1, x, w0..w4)`, whose columns need no extra rows.
    fn some_r1cs(rows: usize, rng: &mut impl Rng) -> R1CS<F> {
        let mut matrix = || -> Vec<Vec<(F, usize)>> {
            (0..rows).map(|_| (0..7).map(|column| (F::rand(rng), column)).collect()).collect()
        };
        let matrices = [matrix(), matrix(), matrix()];
        R1CS::new(rows, 7, 1, matrices).expect("consistent sizes")
    }

    /// arkworks' verifier, with `x`, `W` and `e` as public input, accepts an assignment with
    /// `e = Az * Bz - Cz` and none that differs from it in one element.
    #[test]
    fn arkworks_verifies_the_slack_relation() {
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        // 7 rows leave one row of a domain of 8 empty; 8 rows need a domain of 16.
        for rows in [3, 7, 8] {
            let r1cs = some_r1cs(rows, rng);
            let bases = generate_bases(&r1cs, rng, &mut |_| {}).expect("a dense circuit fits");
            let x = F::rand(rng);
            let w: Vec<F> = (0..5).map(|_| F::rand(rng)).collect();
            let slack =
                r1cs.evaluate_r1cs((F::from(1), vec![x], w.clone()).into()).expect("sizes fit");
            let assignment = [vec![F::from(1), x], w.clone()].concat();
            let proof = Groth16::<Bn254, SlackQap>::create_proof_with_reduction_and_matrices(
                &bases.groth16,
                F::ZERO,
                F::ZERO,
                r1cs.matrices(),
                assignment.len(),
                rows,
                &assignment,
            )
            .expect("proves");
            let key = prepare_verifying_key(&VerifyingKey {
                gamma_abc_g1: [
                    &bases.groth16.vk.gamma_abc_g1,
                    bases.commitment.witness(),
                    bases.commitment.error(),
                ]
                .concat(),
                ..bases.groth16.vk.clone()
            });
            let mut inputs = [vec![x], w, slack].concat();
            let verify = |inputs: &[F]| {
                Groth16::<Bn254, SlackQap>::verify_proof(&key, &proof, inputs).expect("verifies")
            };
            assert!(verify(&inputs));
            for index in 0..inputs.len() {
                inputs[index] += F::from(1);
                assert!(!verify(&inputs));
                inputs[index] -= F::from(1);
            }
        }
    }
}
