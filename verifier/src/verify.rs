//! The checks, in the order in which each may rely on those before it.

use ark_bn254::{Bn254, G1Affine, G1Projective, G2Affine};
use ark_crypto_primitives::sponge::poseidon::PoseidonConfig;
use ark_ec::{pairing::Pairing, AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field, One, PrimeField};
use thiserror::Error;

use crate::{
    cyclefold::CycleFoldShape,
    encoding::{DecodeError, Writer},
    proof::{Proof, ShapeError},
    sonobe::{fold, sponge_config, state_hash, Fq, RunningInstance, State, F},
    verifying_key::{KeyError, ParameterId, VerifyingKey},
};

type G2Prepared = <Bn254 as Pairing>::G2Prepared;
type Gt = <Bn254 as Pairing>::TargetField;

/// What a checked proof says: `steps` steps lead from the space's genesis to `root`, and `ops`
/// ops are folded into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The root.
    pub root: F,
    /// Number of ops folded into it.
    pub ops: u64,
    /// Number of steps.
    pub steps: u64,
}

/// Why a proof is refused: one variant for each check, in the order of the checks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// The bytes are not a proof's.
    #[error("not a proof: {0}")]
    Decode(#[from] DecodeError),
    /// A length or a point does not fit.
    #[error("malformed proof: {0}")]
    Shape(#[from] ShapeError),
    /// The proof claims zero steps. A space without a step is its genesis root and needs no proof.
    #[error("a proof of zero steps proves nothing")]
    NoSteps,
    /// The last step was not about this space, root, number of ops, parameters or history.
    #[error("the last step's public input is not the hash of this statement")]
    StateHash,
    /// The folded instance has `u = 0`, which every witness satisfies after scaling.
    #[error("the folded instance has u = 0")]
    ZeroScalar,
    /// The folded instance is not satisfied.
    #[error("the Groth16 equation does not hold")]
    Groth16,
    /// The prover did not show that it knows the witness behind `cm_W`.
    #[error("knowledge of the folded witness is not shown")]
    KnowledgeOfWitness,
    /// The prover did not show that it knows the vector behind `cm_E`.
    #[error("knowledge of the folded error vector is not shown")]
    KnowledgeOfError,
    /// The CycleFold instance is not satisfied by its witness.
    #[error("the CycleFold instance is not satisfied by its witness")]
    CycleFold,
}

/// A verifying key with everything that can be computed before a proof arrives: the CycleFold
/// circuit, the Grumpkin bases and prepared pairing inputs. Making one takes tenths of a second,
/// and it then serves any number of proofs.
#[derive(Clone, Debug)]
pub struct PreparedVerifyingKey {
    key: VerifyingKey,
    id: ParameterId,
    pp_hash: F,
    sponge: PoseidonConfig<F>,
    cyclefold: CycleFoldShape,
    alpha_beta: Gt,
    generator: G2Prepared,
    minus_gamma: G2Prepared,
    minus_delta: G2Prepared,
    minus_sigma_w: G2Prepared,
    minus_sigma_e: G2Prepared,
}

impl PreparedVerifyingKey {
    /// Checks a key and prepares it.
    ///
    /// # Errors
    /// [`KeyError`] if the key must not be used.
    pub fn new(key: VerifyingKey) -> Result<Self, KeyError> {
        key.check()?;
        let cyclefold = CycleFoldShape::new().map_err(|e| KeyError::Synthesis(e.to_string()))?;
        let sponge = sponge_config();
        if cyclefold.digest(&sponge) != key.folding_digest {
            return Err(KeyError::OtherFolding);
        }
        let id = key.id();
        Ok(Self {
            id,
            pp_hash: id.pp_hash(),
            sponge,
            cyclefold,
            alpha_beta: Bn254::pairing(key.alpha_g1, key.beta_g2).0,
            generator: G2Affine::generator().into(),
            minus_gamma: (-key.gamma_g2).into(),
            minus_delta: (-key.delta_g2).into(),
            minus_sigma_w: (-key.sigma_w_g2).into(),
            minus_sigma_e: (-key.sigma_e_g2).into(),
            key,
        })
    }

    /// The key.
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// The parameters' id, computed once.
    pub fn id(&self) -> ParameterId {
        self.id
    }

    /// The CycleFold circuit, which gives a proof its length.
    pub fn cyclefold(&self) -> &CycleFoldShape {
        &self.cyclefold
    }

    /// Length of every proof's bytes under this key.
    pub fn proof_len(&self) -> usize {
        Proof::encoded_len(&self.cyclefold)
    }

    /// The state in which a space begins.
    pub fn initial_state(&self, space_id: F) -> State {
        [space_id, F::ZERO, self.key.idle]
    }
}

/// Reads a proof and checks it.
///
/// # Errors
/// [`VerifyError::Decode`], or those of [`verify`].
pub fn verify_bytes(
    key: &PreparedVerifyingKey,
    space_id: F,
    bytes: &[u8],
) -> Result<Verified, VerifyError> {
    verify(key, space_id, &Proof::decode(bytes, &key.cyclefold)?)
}

/// Checks that the proof's root is the fold of `ops` ops that follow the genesis of the space.
///
/// The order of the checks is part of the argument: nothing that the prover sends is used before
/// it is bound. The state hash binds `U` and `cfU`; the challenge of the fold is drawn here from
/// `U`, `u` and `cm_T`; the Groth16 equation and the two knowledge checks say that the fold of
/// `U` and `u` is satisfied by vectors the prover knows; the CycleFold check says that all earlier
/// folds were done right.
///
/// # Errors
/// One [`VerifyError`] for each check, the first that fails.
pub fn verify(
    key: &PreparedVerifyingKey,
    space_id: F,
    proof: &Proof,
) -> Result<Verified, VerifyError> {
    proof.check_shape(&key.cyclefold)?;
    check_state_hash(key, space_id, proof)?;
    let folded = folded_instance(key, proof);
    check_groth16(key, proof, &folded)?;
    check_knowledge(&folded.cm_w, &proof.knowledge_w, &key.minus_sigma_w, &key.generator)
        .ok_or(VerifyError::KnowledgeOfWitness)?;
    check_knowledge(&folded.cm_e, &proof.knowledge_e, &key.minus_sigma_e, &key.generator)
        .ok_or(VerifyError::KnowledgeOfError)?;
    let weight = cyclefold_weight(key, space_id, proof);
    if !key.cyclefold.is_satisfied(&proof.cyclefold, &proof.cyclefold_witness, weight) {
        return Err(VerifyError::CycleFold);
    }
    Ok(Verified { root: proof.root, ops: proof.ops, steps: proof.steps })
}

fn check_state_hash(
    key: &PreparedVerifyingKey,
    space_id: F,
    proof: &Proof,
) -> Result<(), VerifyError> {
    if proof.steps == 0 {
        return Err(VerifyError::NoSteps);
    }
    let hash = state_hash(
        &key.sponge,
        key.pp_hash,
        proof.steps,
        &key.initial_state(space_id),
        &[proof.root, F::from(proof.ops), key.key.idle],
        &proof.running,
        &proof.cyclefold,
    );
    if proof.incoming.x != [hash] {
        return Err(VerifyError::StateHash);
    }
    Ok(())
}

fn folded_instance(key: &PreparedVerifyingKey, proof: &Proof) -> RunningInstance {
    fold(&key.sponge, key.pp_hash, &proof.running, &proof.incoming, &proof.cross_term.into())
}

/// Groth16's equation for the public input `(1, x/u, W/u, E/u^2)`, of which the commitments give
/// the last two parts at once.
fn check_groth16(
    key: &PreparedVerifyingKey,
    proof: &Proof,
    folded: &RunningInstance,
) -> Result<(), VerifyError> {
    let inverse = folded.u.inverse().ok_or(VerifyError::ZeroScalar)?;
    let public_input: G1Projective = key.key.base_one_g1
        + (key.key.base_x_g1 * folded.x[0] + folded.cm_w + folded.cm_e * inverse) * inverse;
    let groth16 = &proof.groth16;
    let product = pairing_product(
        [groth16.a, public_input.into_affine(), groth16.c],
        [groth16.b.into(), key.minus_gamma.clone(), key.minus_delta.clone()],
    );
    if product != Some(key.alpha_beta) {
        return Err(VerifyError::Groth16);
    }
    Ok(())
}

/// Whether `shown` is `sigma * commitment`, which only someone who knows an opening can make.
fn check_knowledge(
    commitment: &G1Projective,
    shown: &G1Affine,
    minus_sigma: &G2Prepared,
    generator: &G2Prepared,
) -> Option<()> {
    let product = pairing_product(
        [*shown, commitment.into_affine()],
        [generator.clone(), minus_sigma.clone()],
    );
    (product == Some(Gt::one())).then_some(())
}

/// `None` where arkworks has no value, which for points of the groups does not happen.
fn pairing_product<const N: usize>(left: [G1Affine; N], right: [G2Prepared; N]) -> Option<Gt> {
    let product = Bn254::final_exponentiation(Bn254::multi_miller_loop(left, right));
    product.map(|output| output.0)
}

/// 128 bits drawn from the statement and the whole proof.
fn cyclefold_weight(key: &PreparedVerifyingKey, space_id: F, proof: &Proof) -> Fq {
    let mut bytes = Writer::with_capacity(key.proof_len() + 64);
    bytes.bytes(&key.id.0).field(&space_id).bytes(&proof.encode());
    let hash = blake3::derive_key("rootfold 2026 cyclefold weight v1", bytes.as_slice());
    Fq::from_le_bytes_mod_order(&hash[..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verifying_key::tests::random_key;
    use ark_ff::UniformRand;
    use ark_std::test_rng;

    fn prepared() -> PreparedVerifyingKey {
        let mut key = random_key();
        let shape = CycleFoldShape::new().expect("synthesizes");
        key.folding_digest = shape.digest(&sponge_config());
        PreparedVerifyingKey::new(key).expect("a random key passes")
    }

    /// No one can make the fold of a proof have `u = 0` on purpose, since the challenge is a hash.
    #[test]
    fn a_folded_instance_without_scalar_is_refused() {
        let key = prepared();
        let rng = &mut test_rng();
        let g1 = G1Affine::rand(rng);
        let proof = Proof {
            steps: 1,
            root: F::ZERO,
            ops: 0,
            running: RunningInstance {
                cm_e: g1.into(),
                u: F::ZERO,
                cm_w: g1.into(),
                x: vec![F::ZERO],
            },
            incoming: crate::sonobe::IncomingInstance { cm_w: g1.into(), x: vec![F::ZERO] },
            cross_term: g1,
            groth16: crate::Groth16Proof { a: g1, b: G2Affine::rand(rng), c: g1 },
            knowledge_w: g1,
            knowledge_e: g1,
            cyclefold: crate::sonobe::CycleFoldInstance {
                cm_e: Default::default(),
                u: Fq::ZERO,
                cm_w: Default::default(),
                x: vec![Fq::ZERO; key.cyclefold.public_len()],
            },
            cyclefold_witness: vec![Fq::ZERO; key.cyclefold.witness_len()],
        };
        assert_eq!(check_groth16(&key, &proof, &proof.running), Err(VerifyError::ZeroScalar));
    }

    #[test]
    fn knowledge_is_a_multiple_of_the_commitment() {
        let rng = &mut test_rng();
        let (point, sigma) = (G1Projective::rand(rng), F::rand(rng));
        let generator = G2Affine::generator();
        let minus_sigma: G2Prepared = (-generator * sigma).into_affine().into();
        let check = |shown: G1Projective| {
            check_knowledge(&point, &shown.into_affine(), &minus_sigma, &generator.into())
        };
        assert_eq!(check(point * sigma), Some(()));
        assert_eq!(check(point), None);
        assert_eq!(check(-point * sigma), None);
        assert_eq!(check(G1Projective::ZERO), None);
    }
}
