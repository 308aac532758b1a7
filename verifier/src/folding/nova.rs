//! The parts of Nova that a verifier computes: the state hash and the fold of two instances.

use ark_crypto_primitives::sponge::poseidon::PoseidonConfig;
use sonobe_fs::FoldingSchemeVerifier;
use sonobe_primitives::transcripts::{poseidon::poseidon_paper_config, Transcript};

use super::sonobe::{
    CycleFoldInstance, IncomingInstance, IvcState, PrimaryFolding, RunningInstance, Sponge, F,
};

/// Separates the transcript of folds from other uses of the sponge.
pub(crate) const FOLD_DOMAIN: &[u8] = b"transcript";
/// Field elements that one permutation of the transcript's sponge absorbs.
pub(crate) const SPONGE_RATE: usize = 8;

/// The sponge of every transcript and of the state hash: Poseidon over BN254's scalar field with
/// x^5, capacity 1, and the paper's round numbers for 128-bit security with its safety margin.
///
/// Width 9 is the widest of the paper's three instances. In sonobe's augmented circuit, folding
/// takes 63k constraints with rate 2, 55k with rate 4, 50k with rate 8 and 49k with rate 16.
pub fn sponge_config() -> PoseidonConfig<F> {
    poseidon_paper_config::<F, 128>(5, SPONGE_RATE)
}

/// The public input of a step: the hash of everything that it passes to the next step.
///
/// sonobe's `IVC::verify` and the augmented circuit compute the same.
pub fn state_hash(
    config: &PoseidonConfig<F>,
    pp_hash: F,
    steps: u64,
    initial: &IvcState,
    current: &IvcState,
    running: &RunningInstance,
    cyclefold: &CycleFoldInstance,
) -> F {
    let sponge = Sponge::new_with_pp_hash(config.clone(), pp_hash);
    hash_state(&sponge, steps, initial, current, running, cyclefold)
}

/// [`state_hash`] with a sponge that has absorbed the public-parameter hash.
pub(crate) fn hash_state(
    sponge: &impl Transcript<F>,
    steps: u64,
    initial: &IvcState,
    current: &IvcState,
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
pub fn fold_instances(
    config: &PoseidonConfig<F>,
    pp_hash: F,
    running: &RunningInstance,
    incoming: &IncomingInstance,
    cross_term: &ark_bn254::G1Projective,
) -> RunningInstance {
    fold_instances_with(&mut fold_transcript(config, pp_hash), running, incoming, cross_term)
}

/// [`fold_instances`] with a transcript from [`fold_transcript`], which is left as it is after the
/// challenge was drawn. The challenge is the difference of `u` after and before the fold.
///
/// # Panics
/// If the two instances have public inputs of different lengths.
pub fn fold_instances_with(
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
