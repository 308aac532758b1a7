//! A copy of the verifier whose defences can be switched off one by one.
//!
//! Each attack is first accepted by this copy without the defences that the test names, and refused
//! with any one of them. So the tests notice an attack that does not work, and show which defence
//! stops one that does. With every defence on, the copy agrees with the real verifier
//! (`elements.rs`).

use ark_bn254::{Bn254, G1Affine, G1Projective, G2Affine};
use ark_ec::{pairing::Pairing, AffineRepr, CurveGroup};
use ark_ff::{Field, PrimeField};
use rootfold_verifier::{
    diagnose,
    folding::{
        cyclefold::CycleFoldShape, fold_instances, sponge_config, state_hash, Fq, RunningInstance,
    },
    verify, KeyError, PreparedVerifyingKey, Proof, Verified, VerifyError, VerifyingKey, F,
};

use crate::common::space;

/// A defence of the verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defence {
    /// The check of the verifying key.
    KeyCheck,
    /// The last step's public input is the hash of the statement, of `U` and of `cfU`.
    StateHash,
    /// The challenge of the last fold is derived from `U`, `u` and `cm_T`. Without this defence,
    /// the prover chooses it.
    DerivedChallenge,
    /// The vector behind the folded `cm_W` is known, over its own list of bases.
    KnowledgeOfWitness,
    /// The same for `cm_E`.
    KnowledgeOfError,
    /// The weight that merges the two openings of `cfU` is drawn from the proof. Without this
    /// defence, it is [`KNOWN_WEIGHT`].
    DrawnWeight,
    /// `cfU` is satisfied by its witness.
    CycleFold,
}

/// The weight without [`Defence::DrawnWeight`].
pub const KNOWN_WEIGHT: Fq = ark_ff::MontFp!("3");

/// Why the copy refuses.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The key is refused.
    Key(KeyError),
    /// The proof is refused.
    Proof(VerifyError),
}

impl From<VerifyError> for Refusal {
    fn from(error: VerifyError) -> Self {
        Self::Proof(error)
    }
}

/// The copy's key. Its parts need not be consistent: an attack on a bad key replaces the bad
/// elements of the published parameters.
#[derive(Clone)]
pub struct WeakKey<'a> {
    /// The key.
    pub key: VerifyingKey,
    /// The public-parameter hash.
    pub pp_hash: F,
    /// The CycleFold circuit.
    pub cyclefold: &'a CycleFoldShape,
}

impl<'a> From<&'a PreparedVerifyingKey> for WeakKey<'a> {
    fn from(key: &'a PreparedVerifyingKey) -> Self {
        Self { key: key.key().clone(), pp_hash: key.id().pp_hash(), cyclefold: key.cyclefold() }
    }
}

impl WeakKey<'_> {
    /// The hash that the last step of a proof about [`space`] must have as its public input.
    pub fn state_hash(&self, proof: &Proof) -> F {
        state_hash(
            &sponge_config(),
            self.pp_hash,
            proof.steps,
            &[space(), F::from(0), self.key.idle],
            &[proof.root, F::from(proof.ops), self.key.idle],
            &proof.running,
            &proof.cyclefold,
        )
    }

    /// The fold of `U` and `u` with the derived challenge.
    pub fn fold(&self, proof: &Proof) -> RunningInstance {
        let cross_term = proof.cross_term.into();
        fold_instances(&sponge_config(), self.pp_hash, &proof.running, &proof.incoming, &cross_term)
    }

    /// The challenge of that fold: the difference of the folded instance's `u` and `U.u`.
    pub fn challenge(&self, proof: &Proof) -> F {
        self.fold(proof).u - proof.running.u
    }

    /// The Groth16 equation.
    fn groth16(&self, proof: &Proof, folded: &RunningInstance) -> Result<(), VerifyError> {
        let inverse = folded.u.inverse().ok_or(VerifyError::ZeroScalar)?;
        let key = &self.key;
        let input = key.base_one_g1
            + key.base_x_g1 * (folded.x[0] * inverse)
            + folded.cm_w * inverse
            + folded.cm_e * inverse.square();
        let groth16 = &proof.groth16;
        let product = Bn254::multi_pairing(
            [groth16.a, -key.alpha_g1, -input.into_affine(), -groth16.c],
            [groth16.b, key.beta_g2, key.gamma_g2, key.delta_g2],
        );
        is_one(product.0).then_some(()).ok_or(VerifyError::Groth16)
    }
}

/// The verifier without the defences in `off`. `challenge` is the prover's choice, which is used
/// without [`Defence::DerivedChallenge`].
pub fn verify_without(
    off: &[Defence],
    key: &WeakKey<'_>,
    proof: &Proof,
    challenge: F,
) -> Result<(), Refusal> {
    let on = |defence| !off.contains(&defence);
    if on(Defence::KeyCheck) {
        key.key.check().map_err(Refusal::Key)?;
    }
    proof.check_shape(key.cyclefold).map_err(VerifyError::from)?;
    if proof.steps == 0 {
        return Err(VerifyError::NoSteps.into());
    }
    if on(Defence::StateHash) && proof.incoming.x != [key.state_hash(proof)] {
        return Err(VerifyError::StateHash.into());
    }
    let folded =
        if on(Defence::DerivedChallenge) { key.fold(proof) } else { fold_with(proof, challenge) };
    key.groth16(proof, &folded)?;
    let shown = |commitment, knowledge, sigma| is_multiple(commitment, knowledge, sigma);
    if on(Defence::KnowledgeOfWitness) && !shown(folded.cm_w, proof.knowledge_w, key.key.sigma_w_g2)
    {
        return Err(VerifyError::KnowledgeOfWitness.into());
    }
    if on(Defence::KnowledgeOfError) && !shown(folded.cm_e, proof.knowledge_e, key.key.sigma_e_g2) {
        return Err(VerifyError::KnowledgeOfError.into());
    }
    let weight = if on(Defence::DrawnWeight) { drawn_weight(proof) } else { KNOWN_WEIGHT };
    if on(Defence::CycleFold)
        && !key.cyclefold.is_satisfied(&proof.cyclefold, &proof.cyclefold_witness, weight)
    {
        return Err(VerifyError::CycleFold.into());
    }
    Ok(())
}

/// The verdict of the real verifier. If the product of the pairings fails, it names the equation.
///
/// # Panics
/// If [`diagnose`] and [`verify`] disagree.
pub fn verify_by_name(
    key: &PreparedVerifyingKey,
    space: F,
    proof: &Proof,
) -> Result<Verified, VerifyError> {
    use VerifyError::{Groth16, KnowledgeOfError, KnowledgeOfWitness, Pairings};
    let named = diagnose(key, space, proof);
    let expected = match named.clone() {
        Err(Groth16 | KnowledgeOfWitness | KnowledgeOfError) => Err(Pairings),
        other => other,
    };
    assert_eq!(verify(key, space, proof), expected, "diagnosed as {named:?}");
    named
}

/// Asserts that the copy accepts an attack without `defences`, that it refuses the attack with any
/// one of them, with the error given for it, and that the real verifier refuses it with the first
/// error.
pub fn assert_stopped_by(
    key: &PreparedVerifyingKey,
    proof: &Proof,
    challenge: F,
    defences: &[(Defence, VerifyError)],
) {
    let weak = WeakKey::from(key);
    let all: Vec<Defence> = defences.iter().map(|(defence, _)| *defence).collect();
    assert_eq!(verify_without(&all, &weak, proof, challenge), Ok(()), "the attack is wrong");
    for (alone, error) in defences {
        let rest: Vec<Defence> = all.iter().copied().filter(|other| other != alone).collect();
        let refused = verify_without(&rest, &weak, proof, challenge);
        assert_eq!(refused, Err(Refusal::Proof(error.clone())), "only {alone:?} is on");
    }
    assert_eq!(verify_by_name(key, space(), proof), Err(defences[0].1.clone()));
}

/// Folds with any challenge.
pub fn fold_with(proof: &Proof, challenge: F) -> RunningInstance {
    let (running, incoming) = (&proof.running, &proof.incoming);
    RunningInstance {
        cm_e: running.cm_e + proof.cross_term * challenge,
        u: running.u + challenge,
        cm_w: running.cm_w + incoming.cm_w * challenge,
        x: vec![running.x[0] + incoming.x[0] * challenge],
    }
}

fn is_multiple(commitment: G1Projective, shown: G1Affine, sigma: G2Affine) -> bool {
    let generator = G2Affine::generator();
    is_one(Bn254::multi_pairing([shown, -commitment.into_affine()], [generator, sigma]).0)
}

fn is_one(product: <Bn254 as Pairing>::TargetField) -> bool {
    product == <Bn254 as Pairing>::TargetField::ONE
}

/// A weight that depends on the whole proof, but not the real verifier's.
fn drawn_weight(proof: &Proof) -> Fq {
    Fq::from_le_bytes_mod_order(&blake3::hash(&proof.encode()).as_bytes()[..16])
}
