//! A prover who holds what every prover holds, says what he likes and checks nothing.

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

/// A proof of nothing: all zero. Its CycleFold part is satisfied.
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

/// The vectors behind the two commitments of an instance.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Behind `cm_W`.
    pub witness: Vec<F>,
    /// Behind `cm_E`.
    pub error: Vec<F>,
}

/// A prover before the last fold, with the witnesses of both instances.
pub struct Forger<'a> {
    /// The verifier to be cheated.
    pub key: WeakKey<'a>,
    /// What the setup published.
    pub bases: &'a Bases,
    /// The step's constraints.
    pub r1cs: R1CS<F>,
    /// The proof so far: the statement, `U`, `u` and the CycleFold part.
    pub draft: Proof,
    /// Opening of `U`.
    pub running: Opening,
    /// Witness of `u`.
    pub incoming: Vec<F>,
}

impl<'a> Forger<'a> {
    /// What a running proof of the toy gives a prover.
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

    /// The draft for another root, with the public input that the verifier will expect.
    pub fn claim(&self, root: F) -> Proof {
        let mut proof = Proof { root, ..self.draft.clone() };
        proof.incoming.x = vec![self.key.state_hash(&proof)];
        proof
    }

    /// How far each row of the last step is wrong if its public input is `x`.
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

    /// Folds with the vector `cross_term` behind `cm_T` and fills in the rest of the proof: the
    /// Groth16 proof for the last step with public input `x`, and what shows knowledge of the folded
    /// vectors. Without `challenge` the verifier's is used. Returns it and the vectors.
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

    /// Folds although the last step is wrong, with the error that it has in `u.cm_W`, where `mass` is
    /// to be the commitment to it. A strict instance has no place for an error, but `r mass / u'` in
    /// the folded `cm_W` counts as much as the missing `r^2 mass / u'^2` in the folded `cm_E` once
    /// `cm_T` is short of `U.u mass`, whatever the challenge `r`.
    pub fn hide_error(&self, proof: &mut Proof, mass: G1Projective) -> (F, Opening) {
        let x = proof.incoming.x[0];
        proof.incoming.cm_w += mass;
        let cross_term = combined(&self.cross_term(x), -proof.running.u, &self.error(x));
        self.fold(proof, x, &cross_term, None)
    }

    /// Groth16 over `z = (1, x, W)`. The slack does not enter: with it, `C` has the values of the
    /// product `AB` on the domain, which is that product modulo `X^size - 1`, so that the quotient
    /// consists of the product's upper coefficients.
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
