//! The verification of a proof. Each check may rely on those before it.

use std::{
    panic::{catch_unwind, AssertUnwindSafe},
    sync::Arc,
};

use ark_bn254::{Bn254, G1Affine, G1Projective, G2Affine};
use ark_ec::{pairing::Pairing, AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{AdditiveGroup, BigInt, Field, One};
use rootfold_arith::encoding::{DecodeError, Writer};
use sonobe_primitives::transcripts::Transcript;
use thiserror::Error;

use crate::{
    domain,
    folding::{
        cyclefold::CycleFoldShape, fold_instances_with, hash_state, permutation, sponge_config, Fq,
        IvcState, QuickSponge, RunningInstance, F, FOLD_DOMAIN,
    },
    proof::{Proof, ShapeError},
    verifying_key::{KeyError, ParameterId, VerifyingKey},
};

type G2Prepared = <Bn254 as Pairing>::G2Prepared;
type Gt = <Bn254 as Pairing>::TargetField;

/// The statement of a verified proof: `steps` steps lead from the space's genesis to `root`, and
/// `ops` ops are folded into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The root after the last step.
    pub root: F,
    /// Number of ops folded since genesis.
    pub ops: u64,
    /// Number of steps since genesis, at least 1.
    pub steps: u64,
}

/// Why a proof is refused: one variant for each check, in the order of the checks.
///
/// [`verify`] reports a false Groth16 equation and a false knowledge check as
/// [`Pairings`](Self::Pairings); only [`diagnose`] tells them apart.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// The bytes are not the encoding of a proof.
    #[error("not a proof: {0}")]
    Decode(#[from] DecodeError),
    /// A vector has the wrong length, or a point is not in its group.
    #[error("malformed proof: {0}")]
    Shape(#[from] ShapeError),
    /// The proof claims zero steps. A space without a step is its genesis root and needs no proof.
    #[error("a proof of zero steps proves nothing")]
    NoSteps,
    /// The public input of the last step is not the hash of this space, root, number of ops and
    /// steps, parameters and history.
    #[error("the last step's public input is not the hash of this statement")]
    StateHash,
    /// The folded instance has `u = 0`, for which the relaxed relation has trivial witnesses.
    #[error("the folded instance has u = 0")]
    ZeroScalar,
    /// The product of the Groth16 equation and both knowledge checks does not hold: at least one of
    /// the three is false.
    #[error("the Groth16 equation or a knowledge check does not hold")]
    Pairings,
    /// The folded instance is not satisfied.
    #[error("the Groth16 equation does not hold")]
    Groth16,
    /// `knowledge_w` is not `sigma_W * cm_W`: knowledge of the vector behind `cm_W` is not shown.
    #[error("knowledge of the folded witness is not shown")]
    KnowledgeOfWitness,
    /// `knowledge_e` is not `sigma_E * cm_E`: knowledge of the vector behind `cm_E` is not shown.
    #[error("knowledge of the folded error vector is not shown")]
    KnowledgeOfError,
    /// The CycleFold instance is not satisfied by its witness.
    #[error("the CycleFold instance is not satisfied by its witness")]
    CycleFold,
    /// A check panicked, which no input should cause: a bug in this crate or below it.
    #[error("checking the proof panicked")]
    Panicked,
}

/// A verifying key with everything that can be computed before a proof arrives: the CycleFold
/// circuit, the Grumpkin bases and prepared pairing inputs. It takes a few tenths of a second to
/// make and serves any number of proofs.
#[derive(Clone, Debug)]
pub struct PreparedVerifyingKey {
    key: VerifyingKey,
    id: ParameterId,
    /// A sponge that has absorbed the public-parameter hash.
    sponge: QuickSponge,
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
    /// [`KeyError`] for a key that fails [`VerifyingKey::check`], or that was made for another
    /// folding circuit than this crate's.
    pub fn new(key: VerifyingKey) -> Result<Self, KeyError> {
        key.check()?;
        let cyclefold = CycleFoldShape::new().map_err(|e| KeyError::Synthesis(e.to_string()))?;
        let sponge_config = sponge_config();
        if cyclefold.digest(&sponge_config) != key.folding_digest {
            return Err(KeyError::OtherFolding);
        }
        let id = key.id();
        let permutation = Arc::new(permutation(&sponge_config));
        Ok(Self {
            id,
            sponge: QuickSponge::new_with_pp_hash(permutation, id.pp_hash()),
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

    /// The CycleFold circuit. The length of a proof follows from it.
    pub fn cyclefold(&self) -> &CycleFoldShape {
        &self.cyclefold
    }

    /// Length in bytes of every proof under this key.
    pub fn proof_len(&self) -> usize {
        Proof::encoded_len(&self.cyclefold)
    }

    /// The state of a space at genesis: `[space id, 0, idle]`.
    pub fn initial_state(&self, space_id: F) -> IvcState {
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
    no_panic(|| {
        check(key, space_id, &Proof::decode(bytes, &key.cyclefold)?, pairings_hold_together)
    })
}

/// Checks that the proof's root is the fold of `ops` ops that follow the genesis of the space.
///
/// The order of the checks is part of the argument: nothing that the prover sends is used before
/// it is bound. The state hash binds `U` and `cfU`; the challenge of the fold is drawn here from
/// `U`, `u` and `cm_T`; the Groth16 equation and the two knowledge checks say that the fold of
/// `U` and `u` is satisfied by vectors the prover knows; the CycleFold check says that all earlier
/// folds were done right. The last two parts do not rely on each other and run at the same time
/// with the feature `parallel`. The first failure in this order is reported.
///
/// A false proof takes no longer than a valid one.
///
/// # Errors
/// One [`VerifyError`] for each check, the first that fails. A panic in a check is the error
/// [`VerifyError::Panicked`], except where a panic aborts the program (`panic = "abort"`, and
/// wasm32, where it traps): there the caller has to treat the abort as a refusal.
pub fn verify(
    key: &PreparedVerifyingKey,
    space_id: F,
    proof: &Proof,
) -> Result<Verified, VerifyError> {
    no_panic(|| {
        proof.check_shape(&key.cyclefold)?;
        check(key, space_id, proof, pairings_hold_together)
    })
}

/// [`verify`], but where the product of the pairings fails, each equation is checked on its own,
/// and the error names the one that is false: [`VerifyError::Groth16`],
/// [`VerifyError::KnowledgeOfWitness`] or [`VerifyError::KnowledgeOfError`].
///
/// That takes up to seven pairings more, so it is meant for a prover's own proofs and for tests,
/// not for proofs of peers.
///
/// # Errors
/// As [`verify`], without [`VerifyError::Pairings`].
pub fn diagnose(
    key: &PreparedVerifyingKey,
    space_id: F,
    proof: &Proof,
) -> Result<Verified, VerifyError> {
    no_panic(|| {
        proof.check_shape(&key.cyclefold)?;
        check(key, space_id, proof, each_pairing_holds)
    })
}

/// Runs a check and turns a panic into a refusal.
fn no_panic<T>(check: impl FnOnce() -> Result<T, VerifyError>) -> Result<T, VerifyError> {
    // Nothing that a check could leave half changed outlives it.
    catch_unwind(AssertUnwindSafe(check)).unwrap_or(Err(VerifyError::Panicked))
}

/// How a check reports false pairings: [`pairings_hold_together`] or [`each_pairing_holds`].
type PairingCheck =
    fn(&PreparedVerifyingKey, &Proof, &RunningInstance, &Weights) -> Result<(), VerifyError>;

/// The checks after the shape: of a proof that [`Proof::check_shape`] passes, as it does every
/// decoded one.
fn check(
    key: &PreparedVerifyingKey,
    space_id: F,
    proof: &Proof,
    pairings: PairingCheck,
) -> Result<Verified, VerifyError> {
    check_state_hash(key, space_id, proof)?;
    let folded = folded_instance(key, proof);
    let weights = Weights::draw(key, space_id, proof);
    both(
        || pairings(key, proof, &folded, &weights),
        || check_cyclefold(key, proof, weights.cyclefold),
    )?;
    Ok(Verified { root: proof.root, ops: proof.ops, steps: proof.steps })
}

/// Runs two checks, in parallel with the feature `parallel`. If both fail, the first one's error is
/// returned.
fn both<E: Send>(
    first: impl FnOnce() -> Result<(), E> + Send,
    second: impl FnOnce() -> Result<(), E> + Send,
) -> Result<(), E> {
    #[cfg(feature = "parallel")]
    {
        let (first, second) = rayon::join(first, second);
        first.and(second)
    }
    #[cfg(not(feature = "parallel"))]
    {
        first().and_then(|()| second())
    }
}

fn check_state_hash(
    key: &PreparedVerifyingKey,
    space_id: F,
    proof: &Proof,
) -> Result<(), VerifyError> {
    if proof.steps == 0 {
        return Err(VerifyError::NoSteps);
    }
    let hash = hash_state(
        &key.sponge,
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
    let mut transcript = key.sponge.separate_domain(FOLD_DOMAIN);
    fold_instances_with(&mut transcript, &proof.running, &proof.incoming, &proof.cross_term.into())
}

/// Groth16's equation and both knowledge checks as one product of pairings.
fn pairings_hold_together(
    key: &PreparedVerifyingKey,
    proof: &Proof,
    folded: &RunningInstance,
    weights: &Weights,
) -> Result<(), VerifyError> {
    let public_input = public_input(key, folded)?;
    if product_holds(key, proof, folded, public_input, weights) {
        Ok(())
    } else {
        Err(VerifyError::Pairings)
    }
}

/// [`pairings_hold_together`], and the name of the first equation that is false where it fails.
fn each_pairing_holds(
    key: &PreparedVerifyingKey,
    proof: &Proof,
    folded: &RunningInstance,
    weights: &Weights,
) -> Result<(), VerifyError> {
    let public_input = public_input(key, folded)?;
    if product_holds(key, proof, folded, public_input, weights) {
        return Ok(());
    }
    check_groth16(key, proof, public_input)?;
    check_knowledge(&folded.cm_w, &proof.knowledge_w, &key.minus_sigma_w, &key.generator)
        .ok_or(VerifyError::KnowledgeOfWitness)?;
    check_knowledge(&folded.cm_e, &proof.knowledge_e, &key.minus_sigma_e, &key.generator)
        .ok_or(VerifyError::KnowledgeOfError)?;
    // Not reached: where each of the three holds, their product does.
    Err(VerifyError::Pairings)
}

/// Groth16's public input `(1, x/u, W/u, E/u^2)` as a point: the commitments give the last two
/// parts at once.
fn public_input(
    key: &PreparedVerifyingKey,
    folded: &RunningInstance,
) -> Result<G1Projective, VerifyError> {
    let inverse = folded.u.inverse().ok_or(VerifyError::ZeroScalar)?;
    let scaled = key.key.base_x_g1 * folded.x[0] + folded.cm_w + folded.cm_e * inverse;
    Ok(key.key.base_one_g1 + scaled * inverse)
}

/// Whether the product of Groth16's equation and both knowledge checks, each knowledge check to the
/// power of its weight, holds: six Miller loops and one final exponentiation. The points that are
/// paired with the generator are added first.
///
/// The values lie in a group of prime order. If one equation is false, the product is false except
/// for a fraction of 2^-128 of the weights.
fn product_holds(
    key: &PreparedVerifyingKey,
    proof: &Proof,
    folded: &RunningInstance,
    public_input: G1Projective,
    weights: &Weights,
) -> bool {
    let shown =
        proof.knowledge_w.mul_bigint(weights.witness) + proof.knowledge_e.mul_bigint(weights.error);
    let left = G1Projective::normalize_batch(&[
        public_input,
        shown,
        folded.cm_w.mul_bigint(weights.witness),
        folded.cm_e.mul_bigint(weights.error),
    ]);
    let groth16 = &proof.groth16;
    let product = pairing_product(
        [groth16.a, groth16.c, left[0], left[1], left[2], left[3]],
        [
            groth16.b.into(),
            key.minus_delta.clone(),
            key.minus_gamma.clone(),
            key.generator.clone(),
            key.minus_sigma_w.clone(),
            key.minus_sigma_e.clone(),
        ],
    );
    product == Some(key.alpha_beta)
}

fn check_groth16(
    key: &PreparedVerifyingKey,
    proof: &Proof,
    public_input: G1Projective,
) -> Result<(), VerifyError> {
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

/// Whether `shown` is `sigma * commitment`. Only someone who knows an opening of the commitment
/// over its own bases can compute that point.
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

/// The product of the pairings. `None` only if the Miller loop gives zero, which it does not for
/// points of the groups.
fn pairing_product<const N: usize>(left: [G1Affine; N], right: [G2Prepared; N]) -> Option<Gt> {
    let product = Bn254::final_exponentiation(Bn254::multi_miller_loop(left, right));
    product.map(|output| output.0)
}

fn check_cyclefold(
    key: &PreparedVerifyingKey,
    proof: &Proof,
    weight: Fq,
) -> Result<(), VerifyError> {
    if key.cyclefold.is_satisfied(&proof.cyclefold, &proof.cyclefold_witness, weight) {
        Ok(())
    } else {
        Err(VerifyError::CycleFold)
    }
}

/// Factors of 128 bits that merge several checks into one. A prover cannot predict them.
struct Weights {
    /// Factor of the opening of `cm_E` in the CycleFold check; that of `cm_W` has the factor 1.
    cyclefold: Fq,
    /// Exponent of the knowledge check of `cm_W`; Groth16's equation has the exponent 1.
    witness: [u64; 2],
    /// Exponent of the knowledge check of `cm_E`.
    error: [u64; 2],
}

impl Weights {
    /// Draws the weights from the parameters' id, the statement and the whole proof, each from its
    /// own part of the hash's output.
    fn draw(key: &PreparedVerifyingKey, space_id: F, proof: &Proof) -> Weights {
        let mut bytes = Writer::little_endian(key.proof_len() + 64);
        bytes.bytes(&key.id.0).field(&space_id).bytes(&proof.encode());
        let mut hasher = blake3::Hasher::new_derive_key(domain::WEIGHTS);
        let mut output = hasher.update(bytes.as_slice()).finalize_xof();
        let mut draw = || {
            let mut weight = [[0; 8]; 2];
            weight.iter_mut().for_each(|word| output.fill(word));
            weight.map(u64::from_le_bytes)
        };
        let [low, high] = draw();
        Weights { cyclefold: Fq::from(BigInt([low, high, 0, 0])), witness: draw(), error: draw() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verifying_key::tests::random_key;
    use ark_bn254::G2Projective;
    use ark_ff::UniformRand;
    use ark_std::{rand::Rng, test_rng};

    fn prepared() -> PreparedVerifyingKey {
        let mut key = random_key();
        let shape = CycleFoldShape::new().expect("synthesizes");
        key.folding_digest = shape.digest(&sponge_config());
        PreparedVerifyingKey::new(key).expect("a random key passes")
    }

    fn scale<C: CurveGroup<ScalarField = F>>(x: F) -> C::Affine {
        (C::generator() * x).into_affine()
    }

    fn random_proof(key: &PreparedVerifyingKey, rng: &mut impl Rng) -> Proof {
        let g1 = G1Affine::rand(rng);
        Proof {
            steps: 1,
            root: F::ZERO,
            ops: 0,
            running: RunningInstance {
                cm_e: G1Projective::rand(rng),
                u: F::rand(rng),
                cm_w: G1Projective::rand(rng),
                x: vec![F::rand(rng)],
            },
            incoming: crate::folding::IncomingInstance { cm_w: g1.into(), x: vec![F::ZERO] },
            cross_term: g1,
            groth16: crate::Groth16Proof { a: g1, b: G2Affine::rand(rng), c: g1 },
            knowledge_w: g1,
            knowledge_e: g1,
            cyclefold: crate::folding::CycleFoldInstance {
                cm_e: Default::default(),
                u: Fq::ZERO,
                cm_w: Default::default(),
                x: vec![Fq::ZERO; key.cyclefold.public_len()],
            },
            cyclefold_witness: vec![Fq::ZERO; key.cyclefold.witness_len()],
        }
    }

    /// A key and a proof whose pairings hold, made with the trapdoor. The proof's running instance
    /// is used as the folded one.
    fn simulated(rng: &mut impl Rng) -> (PreparedVerifyingKey, Proof) {
        let [alpha, beta, gamma, delta, sigma_w, sigma_e] = [(); 6].map(|()| F::rand(rng));
        let mut key = prepared().key;
        key.alpha_g1 = scale::<G1Projective>(alpha);
        key.beta_g2 = scale::<G2Projective>(beta);
        key.gamma_g2 = scale::<G2Projective>(gamma);
        key.delta_g2 = scale::<G2Projective>(delta);
        key.sigma_w_g2 = scale::<G2Projective>(sigma_w);
        key.sigma_e_g2 = scale::<G2Projective>(sigma_e);
        let key = PreparedVerifyingKey::new(key).expect("a random key passes");
        let mut proof = random_proof(&key, rng);
        let [a, b] = [(); 2].map(|()| F::rand(rng));
        let public_input = public_input(&key, &proof.running).expect("u is not zero");
        let rest = G1Projective::generator() * (a * b - alpha * beta) - public_input * gamma;
        let inverse = delta.inverse().expect("delta is not zero");
        proof.groth16.a = scale::<G1Projective>(a);
        proof.groth16.b = scale::<G2Projective>(b);
        proof.groth16.c = (rest * inverse).into_affine();
        proof.knowledge_w = (proof.running.cm_w * sigma_w).into_affine();
        proof.knowledge_e = (proof.running.cm_e * sigma_e).into_affine();
        (key, proof)
    }

    /// Whether the product holds with these weights, and the named verdict with drawn weights.
    fn checked(
        key: &PreparedVerifyingKey,
        proof: &Proof,
        weights: &Weights,
    ) -> (bool, Result<(), VerifyError>) {
        let folded = &proof.running;
        let input = public_input(key, folded).expect("u is not zero");
        let merged = product_holds(key, proof, folded, input, weights);
        let drawn = Weights::draw(key, F::ZERO, proof);
        let named = each_pairing_holds(key, proof, folded, &drawn);
        let together = pairings_hold_together(key, proof, folded, &drawn);
        assert_eq!(together, named.clone().map_err(|_| VerifyError::Pairings));
        (merged, named)
    }

    #[test]
    fn each_pairing_equation_has_its_own_error() {
        let rng = &mut test_rng();
        let (key, honest) = simulated(rng);
        let other = G1Affine::rand(rng);
        let check = |change: &dyn Fn(&mut Proof)| {
            let mut proof = honest.clone();
            change(&mut proof);
            checked(&key, &proof, &Weights::draw(&key, F::ZERO, &proof))
        };
        assert_eq!(check(&|_| ()), (true, Ok(())));
        for change in [
            (|p, other| p.groth16.a = other) as fn(&mut Proof, G1Affine),
            |p, other| p.groth16.c = other,
            |p, _| p.groth16.b = -p.groth16.b,
            |p, _| p.running.x[0] += F::ONE,
        ] {
            let refused = check(&|proof| change(proof, other));
            assert_eq!(refused, (false, Err(VerifyError::Groth16)));
        }
        let refused = check(&|p| p.knowledge_w = other);
        assert_eq!(refused, (false, Err(VerifyError::KnowledgeOfWitness)));
        let refused = check(&|p| p.knowledge_e = other);
        assert_eq!(refused, (false, Err(VerifyError::KnowledgeOfError)));
    }

    #[test]
    fn a_panic_is_a_refusal() {
        let panics = || -> Result<(), VerifyError> { panic!("a bug") };
        assert_eq!(no_panic(panics), Err(VerifyError::Panicked));
        assert_eq!(no_panic(|| both(|| Ok(()), panics)), Err(VerifyError::Panicked));
        assert_eq!(no_panic(|| Err::<(), _>(VerifyError::NoSteps)), Err(VerifyError::NoSteps));
        assert_eq!(no_panic(|| Ok(1)), Ok(1));
    }

    /// Two false equations whose errors cancel under weights that are known in advance.
    #[test]
    fn errors_do_not_cancel_under_drawn_weights() {
        let rng = &mut test_rng();
        let (key, mut proof) = simulated(rng);
        let shift = G1Projective::rand(rng);
        proof.knowledge_w = (proof.knowledge_w + shift * F::from(5)).into_affine();
        proof.knowledge_e = (proof.knowledge_e - shift * F::from(3)).into_affine();
        let known = Weights { cyclefold: Fq::ONE, witness: [3, 0], error: [5, 0] };
        let refused = Err(VerifyError::KnowledgeOfWitness);
        assert_eq!(checked(&key, &proof, &known), (true, refused.clone()));
        let drawn = Weights::draw(&key, F::ZERO, &proof);
        assert_eq!(checked(&key, &proof, &drawn), (false, refused));
    }

    /// Each weight depends on the parameters, the space and every part of the proof.
    #[test]
    fn weights_depend_on_statement_and_proof() {
        let rng = &mut test_rng();
        let (key, other_key) = (prepared(), simulated(rng).0);
        let proof = random_proof(&key, rng);
        let drawn = |key, space, change: &dyn Fn(&mut Proof)| {
            let mut proof = proof.clone();
            change(&mut proof);
            let Weights { cyclefold, witness, error } = Weights::draw(key, space, &proof);
            [witness, error]
                .map(|[low, high]| Fq::from(BigInt([low, high, 0, 0])))
                .into_iter()
                .chain([cyclefold])
        };
        let all: Vec<Fq> = drawn(&key, F::ZERO, &|_| ())
            .chain(drawn(&other_key, F::ZERO, &|_| ()))
            .chain(drawn(&key, F::ONE, &|_| ()))
            .chain(drawn(&key, F::ZERO, &|p| p.steps += 1))
            .chain(drawn(&key, F::ZERO, &|p| p.knowledge_w = -p.knowledge_w))
            .chain(drawn(&key, F::ZERO, &|p| p.knowledge_e = -p.knowledge_e))
            .chain(drawn(&key, F::ZERO, &|p| p.cyclefold_witness[0] += Fq::ONE))
            .collect();
        let distinct: std::collections::BTreeSet<Fq> = all.iter().copied().collect();
        assert_eq!(distinct.len(), all.len());
    }

    /// Not reachable by choice of a proof, since the challenge is a hash.
    #[test]
    fn a_folded_instance_without_scalar_is_refused() {
        let key = prepared();
        let mut proof = random_proof(&key, &mut test_rng());
        proof.running.u = F::ZERO;
        let weights = Weights::draw(&key, F::ZERO, &proof);
        for pairings in [pairings_hold_together, each_pairing_holds] {
            let refused = pairings(&key, &proof, &proof.running, &weights);
            assert_eq!(refused, Err(VerifyError::ZeroScalar));
        }
    }
}
