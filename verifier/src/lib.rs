//! Checks a Rootfold snapshot proof in milliseconds.
//!
//! A proof says that a root is the fold of a space's op logs (`docs/design.md`, section 5). It is
//! an IVC proof by Nova with CycleFold, compressed by a Groth16 proof over Nova's own commitments
//! (section 6). Checking one takes a [`VerifyingKey`], the space's id and the proof's bytes:
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
//!     // The invite names the parameters. Whoever may pick others can prove anything.
//!     if key.id() != parameters {
//!         return Err("not the invite's parameters".into());
//!     }
//!     let verified = verify_bytes(&key, space, proof_bytes)?;
//!     println!("root {} after {} ops", verified.root, verified.ops);
//!     Ok(())
//! }
//! ```
//!
//! What a proof does not say: that the root is the newest, or that no writer signed two
//! continuations of its log. Proofs hide nothing about the data.

pub mod folding;
mod proof;
mod verify;
mod verifying_key;

pub use folding::F;
pub use proof::{Groth16Proof, Proof, ShapeError};
pub use rootfold_arith::encoding::DecodeError;
pub use verify::{diagnose, verify, verify_bytes, PreparedVerifyingKey, Verified, VerifyError};
pub use verifying_key::{is_profile_name, KeyError, ParameterId, ParameterIdSyntax, VerifyingKey};
