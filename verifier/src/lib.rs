//! Verifies Rootfold snapshot proofs, in milliseconds each.
//!
//! A proof states that a root is the fold of a space's op logs (`docs/circuits.md`). It is an IVC
//! proof by Nova with CycleFold, compressed by a Groth16 proof over Nova's own commitments
//! (`docs/design.md`, section 6). Verifying it takes a [`VerifyingKey`], the space id and the
//! proof's bytes:
//!
//! ```no_run
//! use rootfold_verifier::{verify_bytes, ParameterId, PreparedVerifyingKey, VerifyingKey, F};
//!
//! fn check(
//!     key_bytes: &[u8],
//!     (parameters, space): (ParameterId, F),
//!     proof_bytes: &[u8],
//! ) -> Result<(), Box<dyn std::error::Error>> {
//!     let key = PreparedVerifyingKey::new(VerifyingKey::decode(key_bytes)?)?;
//!     // Required: whoever chooses the parameters can prove anything under them.
//!     if key.id() != parameters {
//!         return Err("not the invite's parameters".into());
//!     }
//!     let verified = verify_bytes(&key, space, proof_bytes)?;
//!     println!("root {} after {} ops", verified.root, verified.ops);
//!     Ok(())
//! }
//! ```
//!
//! A proof does not state that the root is the newest one, or that no writer signed two
//! continuations of their log. Proofs hide nothing about the data.
//!
//! To review this crate, read the modules `verify` (the checks), `proof` and `verifying_key` (the
//! formats) and [`folding`] (everything that deals with Nova and sonobe).

pub mod domain;
pub mod folding;
mod proof;
mod verify;
mod verifying_key;

pub use folding::F;
pub use proof::{Groth16Proof, Proof, ShapeError, VERSION as PROOF_VERSION};
pub use rootfold_arith::encoding::DecodeError;
pub use verify::{diagnose, verify, verify_bytes, PreparedVerifyingKey, Verified, VerifyError};
pub use verifying_key::{
    is_profile_name, KeyError, ParameterId, ParameterIdSyntax, VerifyingKey,
    VERSION as VERIFYING_KEY_VERSION,
};
