//! The fold of the last step into the running instance, and of the two CycleFold instances of that
//! fold into the running CycleFold instance.
//!
//! The equations are Nova's (section 4.2 of <https://eprint.iacr.org/2021/370>), and sonobe's
//! verifier circuit checks them. sonobe's prover evaluates the matrices for every cross term; here
//! the values of their rows are kept from step to step ([`crate::rows`]).

use ark_bn254::G1Projective;
use ark_ff::AdditiveGroup;
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use rayon::prelude::*;
use rootfold_arith::msm::msm;
use rootfold_verifier::{
    folding::{
        fold_instances_with, fold_transcript, CycleFoldFolding, CycleFoldIncomingInstance,
        CycleFoldInstance, CycleFoldWitness, IncomingWitness, IvcProofParts, PrimaryFolding,
        RunningInstance, RunningWitness,
    },
    F,
};
use sonobe_fs::{DeciderKey as _, FoldingSchemeProver};
use sonobe_ivc::compilers::cyclefold::{circuits::CycleFoldCircuit, FoldingSchemeCycleFoldExt};
use sonobe_primitives::{
    circuits::AssignmentsExtractor,
    relations::WitnessInstanceSampler,
    traits::Dummy,
    transcripts::{recording::RecordingTranscript, Transcript},
    utils::null::Null,
};

use crate::{checkpoint::Checkpoint, parameters::Parameters, phase::phase, rows::Products};

/// The values of the rows at the running witness and at that of the last step.
#[derive(Clone, Debug)]
pub struct Carried {
    /// At `(u, x, W)` of the running instance.
    pub running: Products,
    /// At `(1, x, w)` of the last step.
    pub incoming: Products,
}

impl Carried {
    /// Evaluates the matrices for both witnesses of a checkpoint.
    pub fn of(parameters: &Parameters, checkpoint: &Checkpoint) -> Self {
        let IvcProofParts(running_w, running, incoming_w, incoming, ..) = &*checkpoint.proof;
        let rows = &parameters.rows;
        Self {
            running: rows.products(running.u, &running.x, &running_w.w),
            incoming: rows.products(F::from(1), &incoming.x, &incoming_w.w),
        }
    }
}

/// The fold of the step instances, without CycleFold.
pub struct PrimaryFold {
    /// The folded witness.
    pub witness: RunningWitness,
    /// The folded instance.
    pub instance: RunningInstance,
    /// The commitment to the cross term, `cm_T`.
    pub cross_term: G1Projective,
    /// The values of the rows at the folded witness.
    pub products: Products,
}

/// A fold with its CycleFold instances.
pub struct Fold {
    /// The fold of the step instances.
    pub primary: PrimaryFold,
    /// The CycleFold instances of this fold.
    pub cyclefold_incoming: Vec<CycleFoldIncomingInstance>,
    /// The commitments to their cross terms.
    pub cyclefold_cross_terms: Vec<ark_grumpkin::Projective>,
    /// The folded CycleFold witness.
    pub cyclefold_witness: CycleFoldWitness,
    /// The folded CycleFold instance.
    pub cyclefold: CycleFoldInstance,
}

/// Number of CycleFold instances of one fold: one per commitment that is folded.
const CYCLEFOLDS: usize = <PrimaryFolding as FoldingSchemeCycleFoldExt<1, 1>>::N_CYCLEFOLDS;

type RecordedSponge = RecordingTranscript<F, rootfold_verifier::folding::Sponge>;

fn transcript(parameters: &Parameters) -> RecordedSponge {
    RecordingTranscript::new(fold_transcript(&parameters.ivc.2 .0, parameters.id().pp_hash()))
}

/// Folds the last step of `checkpoint` into its running instance.
pub fn fold_primary(
    parameters: &Parameters,
    checkpoint: &Checkpoint,
    carried: &Carried,
) -> PrimaryFold {
    fold_in(parameters, &mut transcript(parameters), checkpoint, carried)
}

fn fold_in(
    parameters: &Parameters,
    transcript: &mut RecordedSponge,
    checkpoint: &Checkpoint,
    carried: &Carried,
) -> PrimaryFold {
    let IvcProofParts(running_w, running, incoming_w, incoming, ..) = &*checkpoint.proof;
    let cross = phase!(
        "cross_term",
        parameters.rows.cross_term(running.u, &carried.running, &carried.incoming)
    );
    let cross_term = phase!("commit_t", msm(parameters.bases.commitment.error(), &cross));
    let instance = fold_instances_with(transcript, running, incoming, &cross_term);
    let challenge = instance.u - running.u;
    PrimaryFold {
        witness: fold_witness(running_w, incoming_w, &cross, challenge),
        instance,
        cross_term,
        products: carried.running.fold(&carried.incoming, challenge),
    }
}

fn fold_witness(
    running: &RunningWitness,
    incoming: &IncomingWitness,
    cross_term: &[F],
    challenge: F,
) -> RunningWitness {
    let fold = |a: &[F], b: &[F]| a.par_iter().zip(b).map(|(a, b)| challenge * b + a).collect();
    RunningWitness {
        e: fold(&running.e, cross_term),
        r_e: Null,
        w: fold(&running.w, &incoming.w),
        r_w: Null,
    }
}

/// Folds the last step of `checkpoint` into its running instance, with the CycleFold instances that
/// the next step needs. Before the first step it returns sonobe's dummy values, which the circuit
/// expects there.
///
/// # Errors
/// The errors of sonobe.
pub fn fold_step(
    parameters: &Parameters,
    checkpoint: &Checkpoint,
    carried: &Carried,
) -> Result<Fold, sonobe_ivc::Error> {
    if checkpoint.steps == 0 {
        let IvcProofParts(running_w, running, ..) = &*checkpoint.proof;
        let config = &parameters.ivc.1.to_arith_config();
        return Ok(Fold {
            primary: PrimaryFold {
                witness: running_w.clone(),
                instance: running.clone(),
                cross_term: G1Projective::ZERO,
                products: carried.running.clone(),
            },
            cyclefold_incoming: vec![Dummy::dummy(config); CYCLEFOLDS],
            cyclefold_cross_terms: vec![Dummy::dummy(config); CYCLEFOLDS],
            cyclefold_witness: Dummy::dummy(config),
            cyclefold: Dummy::dummy(config),
        });
    }
    let mut transcript = transcript(parameters);
    let primary = fold_in(parameters, &mut transcript, checkpoint, carried);
    phase!("cyclefold", fold_cyclefold(parameters, checkpoint, transcript, primary))
}

/// The generator that sonobe's prover asks for. It draws nothing from it: the commitments do not
/// hide.
fn no_randomness() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([0; 32])
}

/// Folds the CycleFold instances of `primary` into the running CycleFold instance.
fn fold_cyclefold(
    parameters: &Parameters,
    checkpoint: &Checkpoint,
    mut transcript: RecordedSponge,
    primary: PrimaryFold,
) -> Result<Fold, sonobe_ivc::Error> {
    let key = &parameters.ivc.1;
    let IvcProofParts(_, running, _, incoming, cyclefold_w, cyclefold) = &*checkpoint.proof;
    let circuits = PrimaryFolding::to_cyclefold_circuits(
        &[running],
        &[incoming],
        &primary.cross_term,
        transcript.clone().into(),
    );
    let mut fold = Fold {
        primary,
        cyclefold_incoming: Vec::with_capacity(CYCLEFOLDS),
        cyclefold_cross_terms: Vec::with_capacity(CYCLEFOLDS),
        cyclefold_witness: cyclefold_w.clone(),
        cyclefold: cyclefold.clone(),
    };
    for circuit in circuits {
        let cs = AssignmentsExtractor::new();
        cs.execute_fn(|cs| circuit.verify_point_rlc(cs))?;
        let (own_witness, own) = key.sample(cs.assignments()?, no_randomness())?;
        let (witness, instance, cross_term) =
            <CycleFoldFolding as FoldingSchemeProver<1, 1>>::prove(
                key.to_pk(),
                &mut transcript,
                &[&fold.cyclefold_witness],
                &[&fold.cyclefold],
                &[&own_witness],
                &[&own],
                no_randomness(),
            )?;
        (fold.cyclefold_witness, fold.cyclefold) = (witness, instance);
        fold.cyclefold_incoming.push(own);
        fold.cyclefold_cross_terms.push(cross_term);
    }
    Ok(fold)
}
