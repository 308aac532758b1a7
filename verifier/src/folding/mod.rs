//! Everything that deals with folding and with sonobe, the library that implements it.
//!
//! | module | content |
//! |---|---|
//! | [`commitment`] | Nova's commitment scheme on BN254 |
//! | [`cyclefold`] | the CycleFold circuit and the check of its instance against its witness |
//! | [`digest`] | digest of a circuit's constraints |
//! | `nova` | the state hash and the fold of two step instances |
//! | `shared_rows` | fast evaluation of the CycleFold circuit's matrices |
//! | `sonobe` | sonobe's types, instantiated for this proof system |
//! | `sponge` | the transcripts' sponge with a faster permutation |

pub mod commitment;
pub mod cyclefold;
pub mod digest;
mod nova;
mod shared_rows;
mod sonobe;
mod sponge;

pub use nova::{fold_instances, fold_instances_with, fold_transcript, sponge_config, state_hash};
pub(crate) use nova::{hash_state, FOLD_DOMAIN};
pub use sonobe::{
    CycleFoldCommitment, CycleFoldFolding, CycleFoldIncomingInstance, CycleFoldInstance,
    CycleFoldKey, CycleFoldWitness, Fq, Grumpkin, IncomingInstance, IncomingWitness, Ivc, IvcKey,
    IvcKeyParts, IvcProof, IvcProofParts, IvcState, PrimaryFolding, PrimaryKey, RunningInstance,
    RunningWitness, Sponge, StepWithFolding, F,
};
pub(crate) use sponge::{permutation, QuickSponge};
