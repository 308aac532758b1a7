//! The folding scheme, spelled out once: Nova with CycleFold over BN254 and Grumpkin.
//!
//! This is the only place that assembles sonobe's types. Everything else in the workspace uses
//! the aliases and functions below, so that a change of the library stays here.

use ark_crypto_primitives::sponge::poseidon::{PoseidonConfig, PoseidonSponge};
use ark_relations::gr1cs::SynthesisError;
use sonobe_fs::{
    nova::{instances, keys::NovaKey, witnesses, CycleFoldNova, Nova},
    FoldingSchemeVerifier,
};
use sonobe_ivc::compilers::cyclefold::{
    adapters::nova::NovaCycleFoldCircuit,
    circuits::{AugmentedCircuit, CycleFoldCircuit},
    CycleFoldBasedIVC,
};
/// Constructors of [`IvcKey`] and [`IvcProof`]; an alias cannot construct.
pub use sonobe_ivc::compilers::cyclefold::{Key as IvcKeyParts, Proof as IvcProofParts};
use sonobe_primitives::{
    arithmetizations::r1cs::R1CS, circuits::ArithExtractor, commitments::pedersen::Pedersen,
    transcripts::poseidon::poseidon_paper_config, transcripts::Transcript,
};

use crate::commitment::TwoListPedersen;

/// BN254's scalar field: the field of the step circuit and of everything it hashes.
pub type F = ark_bn254::Fr;
/// BN254's base field, which is Grumpkin's scalar field: the field of the CycleFold circuit.
pub type Fq = ark_bn254::Fq;
/// The IVC state `(root, ops, cursor)`.
pub type State = [F; 3];

/// Grumpkin, on which CycleFold instances are committed.
pub type Grumpkin = ark_grumpkin::Projective;
/// The commitment scheme of CycleFold instances. Not hiding.
pub type CycleFoldCommitment = Pedersen<Grumpkin, false>;

/// The folding scheme of step instances.
pub type PrimaryFolding = Nova<TwoListPedersen>;
/// The folding scheme of CycleFold instances.
pub type CycleFoldFolding = CycleFoldNova<CycleFoldCommitment>;
/// The transcript of both, native side.
pub type Sponge = PoseidonSponge<F>;
/// The step circuit together with the folding it verifies: what a step proves.
pub type StepWithFolding<'a, FC> =
    AugmentedCircuit<'a, PrimaryFolding, CycleFoldFolding, FC, <Sponge as Transcript<F>>::Gadget>;
/// The IVC scheme.
pub type Ivc = CycleFoldBasedIVC<PrimaryFolding, CycleFoldFolding, Sponge>;

/// Proving and deciding key of step instances.
pub type PrimaryKey = NovaKey<R1CS<F>, TwoListPedersen>;
/// Proving and deciding key of CycleFold instances.
pub type CycleFoldKey = NovaKey<R1CS<Fq>, CycleFoldCommitment>;
/// Key of [`Ivc`] for a step circuit with state [`State`].
pub type IvcKey = IvcKeyParts<PrimaryKey, CycleFoldKey, (PoseidonConfig<F>, F, State)>;
/// What [`Ivc`] carries from step to step: `(W, U, w, u, cfW, cfU)`.
pub type IvcProof = IvcProofParts<PrimaryFolding, CycleFoldFolding>;

/// A relaxed step instance `(cm_E, u, cm_W, x)`.
pub type RunningInstance = instances::RunningInstance<TwoListPedersen>;
/// A strict step instance `(cm_W, x)`: by its type it has no error and `u = 1`.
pub type IncomingInstance = instances::IncomingInstance<TwoListPedersen>;
/// Witness of a [`RunningInstance`].
pub type RunningWitness = witnesses::RunningWitness<TwoListPedersen>;
/// Witness of an [`IncomingInstance`].
pub type IncomingWitness = witnesses::IncomingWitness<TwoListPedersen>;
/// A relaxed CycleFold instance.
pub type CycleFoldInstance = instances::RunningInstance<CycleFoldCommitment>;
/// The CycleFold instance of one fold, before it is folded in.
pub type CycleFoldIncomingInstance = instances::IncomingInstance<CycleFoldCommitment>;
/// Witness of a [`CycleFoldInstance`].
pub type CycleFoldWitness = witnesses::RunningWitness<CycleFoldCommitment>;

/// What tells the transcript of folds from other uses of the sponge.
pub(crate) const FOLD_DOMAIN: &[u8] = b"transcript";
/// Bits of a folding challenge.
const CHALLENGE_BITS: usize = 128;
/// Field elements that one permutation of the transcript's sponge absorbs.
pub(crate) const SPONGE_RATE: usize = 8;

/// The sponge of every transcript and of the state hash: Poseidon over BN254's scalar field with
/// x^5, capacity 1 and 128-bit security by the paper's round numbers with its safety margin.
///
/// Width 9 is the widest of the paper's three instances. Measured with sonobe's augmented circuit,
/// folding takes 63k constraints with rate 2, 55k with rate 4, 50k with rate 8 and still 49k with
/// rate 16.
pub fn sponge_config() -> PoseidonConfig<F> {
    poseidon_paper_config::<F, 128>(5, SPONGE_RATE)
}

/// The CycleFold circuit's constraints.
///
/// # Errors
/// Only if sonobe cannot synthesize its own circuit.
pub fn cyclefold_r1cs() -> Result<R1CS<Fq>, SynthesisError> {
    let cs = ArithExtractor::new();
    let circuit = NovaCycleFoldCircuit::<ark_bn254::G1Projective, CHALLENGE_BITS>::default();
    cs.execute_fn(|cs| circuit.verify_point_rlc(cs))?;
    cs.arith()
}

/// The public input of a step: the hash of everything that the step before it hands on.
///
/// Equal to what sonobe's `IVC::verify` and augmented circuit compute.
pub fn state_hash(
    config: &PoseidonConfig<F>,
    pp_hash: F,
    steps: u64,
    initial: &State,
    current: &State,
    running: &RunningInstance,
    cyclefold: &CycleFoldInstance,
) -> F {
    let sponge = Sponge::new_with_pp_hash(config.clone(), pp_hash);
    hash_state(&sponge, steps, initial, current, running, cyclefold)
}

/// [`state_hash`] by any sponge that has absorbed the public-parameter hash.
pub(crate) fn hash_state(
    sponge: &impl Transcript<F>,
    steps: u64,
    initial: &State,
    current: &State,
    running: &RunningInstance,
    cyclefold: &CycleFoldInstance,
) -> F {
    sponge
        .separate_domain(b"sponge")
        .add(&F::from(steps))
        .add(initial)
        .add(current)
        .add(running)
        .add(cyclefold)
        .get_field_element()
}

/// The transcript from which the challenge of a fold of step instances is drawn.
pub fn fold_transcript(config: &PoseidonConfig<F>, pp_hash: F) -> Sponge {
    Sponge::new_with_pp_hash(config.clone(), pp_hash).separate_domain(FOLD_DOMAIN)
}

/// Folds a strict instance into a running one, with the challenge drawn from both and from the
/// commitment to the cross term.
///
/// # Panics
/// If the two instances have public inputs of different lengths.
pub fn fold(
    config: &PoseidonConfig<F>,
    pp_hash: F,
    running: &RunningInstance,
    incoming: &IncomingInstance,
    cross_term: &ark_bn254::G1Projective,
) -> RunningInstance {
    fold_with(&mut fold_transcript(config, pp_hash), running, incoming, cross_term)
}

/// [`fold`] with a transcript at hand, which goes on from where the challenge was drawn. The
/// challenge is what the fold adds to `u`.
///
/// # Panics
/// If the two instances have public inputs of different lengths.
pub fn fold_with(
    transcript: &mut impl Transcript<F>,
    running: &RunningInstance,
    incoming: &IncomingInstance,
    cross_term: &ark_bn254::G1Projective,
) -> RunningInstance {
    <PrimaryFolding as FoldingSchemeVerifier<1, 1>>::verify(
        &(),
        transcript,
        &[running],
        &[incoming],
        cross_term,
    )
    .expect("sonobe's native Nova fold returns no errors")
}
