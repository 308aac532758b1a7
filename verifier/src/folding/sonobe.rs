//! Nova with CycleFold over BN254 and Grumpkin: sonobe's types, instantiated once.
//!
//! All other modules use these aliases, so a change of sonobe's type parameters affects only this
//! file.

use ark_crypto_primitives::sponge::poseidon::{PoseidonConfig, PoseidonSponge};
use sonobe_fs::nova::{instances, keys::NovaKey, witnesses, CycleFoldNova, Nova};
use sonobe_ivc::compilers::cyclefold::{circuits::AugmentedCircuit, CycleFoldBasedIVC};
/// Constructors of [`IvcKey`] and [`IvcProof`]; a type alias cannot construct a value.
pub use sonobe_ivc::compilers::cyclefold::{Key as IvcKeyParts, Proof as IvcProofParts};
use sonobe_primitives::{
    arithmetizations::r1cs::R1CS, commitments::pedersen::Pedersen, transcripts::Transcript,
};

use super::commitment::TwoListPedersen;

/// BN254's scalar field: the field of the step circuit and of everything it hashes.
pub type F = ark_bn254::Fr;
/// BN254's base field, which is Grumpkin's scalar field: the field of the CycleFold circuit.
pub type Fq = ark_bn254::Fq;
/// The IVC state `(root, ops, cursor)`.
pub type IvcState = [F; 3];

/// Grumpkin, the curve of commitments of CycleFold instances.
pub type Grumpkin = ark_grumpkin::Projective;
/// The commitment scheme of CycleFold instances. Not hiding.
pub type CycleFoldCommitment = Pedersen<Grumpkin, false>;

/// The folding scheme of step instances.
pub type PrimaryFolding = Nova<TwoListPedersen>;
/// The folding scheme of CycleFold instances.
pub type CycleFoldFolding = CycleFoldNova<CycleFoldCommitment>;
/// The native transcript of both.
pub type Sponge = PoseidonSponge<F>;
/// The augmented circuit: the step circuit together with the verification of a fold.
pub type StepWithFolding<'a, FC> =
    AugmentedCircuit<'a, PrimaryFolding, CycleFoldFolding, FC, <Sponge as Transcript<F>>::Gadget>;
/// The IVC scheme.
pub type Ivc = CycleFoldBasedIVC<PrimaryFolding, CycleFoldFolding, Sponge>;

/// Proving and deciding key of step instances.
pub type PrimaryKey = NovaKey<R1CS<F>, TwoListPedersen>;
/// Proving and deciding key of CycleFold instances.
pub type CycleFoldKey = NovaKey<R1CS<Fq>, CycleFoldCommitment>;
/// Key of [`Ivc`] for a step circuit with state [`IvcState`].
pub type IvcKey = IvcKeyParts<PrimaryKey, CycleFoldKey, (PoseidonConfig<F>, F, IvcState)>;
/// The data that [`Ivc`] passes from step to step: `(W, U, w, u, cfW, cfU)`.
pub type IvcProof = IvcProofParts<PrimaryFolding, CycleFoldFolding>;

/// A relaxed step instance `(cm_E, u, cm_W, x)`.
pub type RunningInstance = instances::RunningInstance<TwoListPedersen>;
/// A strict step instance `(cm_W, x)`, without error and with `u = 1`.
pub type IncomingInstance = instances::IncomingInstance<TwoListPedersen>;
/// Witness of a [`RunningInstance`].
pub type RunningWitness = witnesses::RunningWitness<TwoListPedersen>;
/// Witness of an [`IncomingInstance`].
pub type IncomingWitness = witnesses::IncomingWitness<TwoListPedersen>;
/// A relaxed CycleFold instance.
pub type CycleFoldInstance = instances::RunningInstance<CycleFoldCommitment>;
/// A strict CycleFold instance: that of one fold, before it is folded.
pub type CycleFoldIncomingInstance = instances::IncomingInstance<CycleFoldCommitment>;
/// Witness of a [`CycleFoldInstance`].
pub type CycleFoldWitness = witnesses::RunningWitness<CycleFoldCommitment>;
