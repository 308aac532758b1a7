//! A prover with the published parameters and a running proof who makes false proofs.

use ark_bn254::{G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, Field, PrimeField};
use ark_poly::{univariate::DensePolynomial, EvaluationDomain, GeneralEvaluationDomain};
use rootfold_prover::{bases::Bases, shape::step_r1cs, Checkpoint, Parameters};
use rootfold_verifier::{
    folding::{
        cyclefold::CycleFoldShape, CycleFoldInstance, Fq, IncomingInstance, IvcProofParts,
        RunningInstance,
    },
    Groth16Proof, Proof, F,
};
use sonobe_primitives::arithmetizations::{ccs::CCS, r1cs::R1CS, Arith, ArithConfig};

use crate::{common::TOY, weakened::WeakKey};

/// A proof whose elements are all zero. Its CycleFold part is satisfied.
pub fn blank(cyclefold: &CycleFoldShape) -> Proof {
    Proof {
        steps: 1_000_000,
        root: F::ZERO,
        ops: 42,
        running: RunningInstance {
            cm_e: G1Projective::ZERO,
            u: F::ZERO,
            cm_w: G1Projective::ZERO,
            x: vec![F::ZERO],
        },
        incoming: IncomingInstance { cm_w: G1Projective::ZERO, x: vec![F::ZERO] },
        cross_term: G1Affine::identity(),
        groth16: Groth16Proof {
            a: G1Affine::identity(),
            b: AffineRepr::zero(),
            c: G1Affine::identity(),
        },
        knowledge_w: G1Affine::identity(),
        knowledge_e: G1Affine::identity(),
        cyclefold: CycleFoldInstance {
            cm_e: Default::default(),
            u: Fq::ZERO,
            cm_w: Default::default(),
            x: vec![Fq::ZERO; cyclefold.public_len()],
        },
        cyclefold_witness: vec![Fq::ZERO; cyclefold.witness_len()],
    }
}

/// The openings of the two commitments of an instance.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Opening of `cm_W`.
    pub witness: Vec<F>,
    /// Opening of `cm_E`.
    pub error: Vec<F>,
}

/// A prover before the last fold, with the witnesses of both instances.
pub struct Forger<'a> {
    /// The key of the verifier.
    pub key: WeakKey<'a>,
    /// Everything that the setup published.
    pub bases: &'a Bases,
    /// The step's constraints.
    pub r1cs: R1CS<F>,
    /// The unfinished proof: the statement, `U`, `u` and the CycleFold part.
    pub draft: Proof,
    /// Opening of `U`.
    pub running: Opening,
    /// Witness of `u`.
    pub incoming: Vec<F>,
}

impl<'a> Forger<'a> {
    /// The forger with this running proof.
    pub fn new(parameters: &'a Parameters, checkpoint: &Checkpoint) -> Self {
        let key = WeakKey::from(parameters.verifying_key());
        let sizes = ArithConfig {
            degree: 2,
            n_constraints: parameters.constraints(),
            n_variables: 2 + parameters.witnesses(),
            n_public_inputs: 1,
            n_witnesses: parameters.witnesses(),
        };
        let r1cs = step_r1cs(&TOY, &key.cyclefold.r1cs().config(), Some(sizes)).unwrap();
        let IvcProofParts(running_witness, running, incoming_witness, incoming, cf_witness, cf) =
            checkpoint.proof();
        let [root, ops, _] = checkpoint.state();
        let draft = Proof {
            steps: checkpoint.steps(),
            root,
            ops: ops.into_bigint().0[0],
            running: running.clone(),
            incoming: incoming.clone(),
            cyclefold: cf.clone(),
            cyclefold_witness: cf_witness.w.clone(),
            ..blank(key.cyclefold)
        };
        let running =
            Opening { witness: running_witness.w.clone(), error: running_witness.e.clone() };
        let incoming = incoming_witness.w.clone();
        Self { key, bases: parameters.bases(), r1cs, draft, running, incoming }
    }

    /// The draft with another root and the public input that the verifier expects for it.
    pub fn claim(&self, root: F) -> Proof {
        let mut proof = Proof { root, ..self.draft.clone() };
        proof.incoming.x = vec![self.key.state_hash(&proof)];
        proof
    }

    /// The error of each row of the last step if its public input is `x`.
    pub fn error(&self, x: F) -> Vec<F> {
        self.evaluate(F::ONE, x, self.incoming.clone())
    }

    /// The cross term of the last fold if the last step's public input is `x`.
    pub fn cross_term(&self, x: F) -> Vec<F> {
        let RunningInstance { u, x: running_x, .. } = &self.draft.running;
        let witness = combined(&self.running.witness, F::ONE, &self.incoming);
        let both = self.evaluate(F::ONE + u, running_x[0] + x, witness);
        combined(&combined(&both, -F::ONE, &self.running.error), -F::ONE, &self.error(x))
    }

    /// `Az * Bz - u Cz` with `z = (u, x, w)`.
    pub fn evaluate(&self, u: F, x: F, witness: Vec<F>) -> Vec<F> {
        self.r1cs.evaluate_r1cs((u, vec![x], witness).into()).unwrap()
    }

    /// Nova's commitment, to a witness or to an error vector by its length.
    pub fn commit(&self, vector: &[F]) -> G1Projective {
        let key = &self.bases.commitment;
        let lists = [key.witness(), key.error()];
        let bases = lists.into_iter().find(|bases| bases.len() == vector.len()).unwrap();
        G1Projective::msm_unchecked(bases, vector)
    }

    /// Folds with the opening `cross_term` of `cm_T` and completes the proof: the Groth16 proof for
    /// the last step with public input `x`, and the knowledge points of the folded vectors. The
    /// challenge is the verifier's if `challenge` is `None`. Returns the challenge and the folded
    /// vectors.
    pub fn fold(
        &self,
        proof: &mut Proof,
        x: F,
        cross_term: &[F],
        challenge: Option<F>,
    ) -> (F, Opening) {
        proof.cross_term = self.commit(cross_term).into_affine();
        let challenge = challenge.unwrap_or_else(|| self.key.challenge(proof));
        let folded = Opening {
            witness: combined(&self.running.witness, challenge, &self.incoming),
            error: combined(&self.running.error, challenge, cross_term),
        };
        let inverse = (proof.running.u + challenge).inverse().unwrap();
        let mut assignment = vec![F::ONE, (proof.running.x[0] + challenge * x) * inverse];
        assignment.extend(folded.witness.iter().map(|value| *value * inverse));
        proof.groth16 = self.groth16(&assignment);
        let shown = |bases: &[G1Affine], vector: &[F]| {
            G1Projective::msm_unchecked(bases, vector).into_affine()
        };
        proof.knowledge_w = shown(&self.bases.knowledge_w, &folded.witness);
        proof.knowledge_e = shown(&self.bases.knowledge_e, &folded.error);
        (challenge, folded)
    }

    /// Folds a false last step whose error is in `u.cm_W`; `mass` is the commitment to the error. A
    /// strict instance has no error commitment, but `r mass / u'` in the folded `cm_W` has the same
    /// effect as the missing `r^2 mass / u'^2` in the folded `cm_E` for every challenge `r`, if
    /// `U.u mass` is subtracted from `cm_T`.
    pub fn hide_error(&self, proof: &mut Proof, mass: G1Projective) -> (F, Opening) {
        let x = proof.incoming.x[0];
        proof.incoming.cm_w += mass;
        let cross_term = combined(&self.cross_term(x), -proof.running.u, &self.error(x));
        self.fold(proof, x, &cross_term, None)
    }

    /// Groth16 for `z = (1, x, W)`. The slack is not needed: with it, `C` has the values of the
    /// product `AB` on the domain, which is the product modulo `X^size - 1`. The quotient therefore
    /// consists of the upper coefficients of the product.
    fn groth16(&self, assignment: &[F]) -> Groth16Proof {
        let Bases { groth16, .. } = self.bases;
        let size = groth16.h_query.len() + 1;
        let domain = GeneralEvaluationDomain::<F>::new(size).unwrap();
        assert_eq!(domain.size(), size);
        let [a, b] = [0, 1].map(|index| {
            let row = |row: &Vec<(F, usize)>| -> F {
                row.iter().map(|(coefficient, column)| assignment[*column] * coefficient).sum()
            };
            let values: Vec<F> = self.r1cs.matrices()[index].iter().map(row).collect();
            DensePolynomial { coeffs: domain.ifft(&values) }
        });
        let product = &a * &b;
        let quotient = product.coeffs.get(size..).unwrap_or_default();
        Groth16Proof {
            a: (groth16.vk.alpha_g1 + G1Projective::msm_unchecked(&groth16.a_query, assignment))
                .into_affine(),
            b: (groth16.vk.beta_g2
                + ark_bn254::G2Projective::msm_unchecked(&groth16.b_g2_query, assignment))
            .into_affine(),
            c: G1Projective::msm_unchecked(&groth16.h_query[..quotient.len()], quotient)
                .into_affine(),
        }
    }
}

/// `left + factor * right`.
pub fn combined(left: &[F], factor: F, right: &[F]) -> Vec<F> {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(left, right)| factor * right + left).collect()
}
