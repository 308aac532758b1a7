//! BLAKE3 key-derivation contexts, one for each use, so that a hash of one use is never that of
//! another.

/// [`r1cs_digest`](crate::folding::digest::r1cs_digest).
pub const R1CS: &str = "rootfold 2026 r1cs v1";
/// [`CycleFoldShape::digest`](crate::folding::cyclefold::CycleFoldShape::digest).
pub const FOLDING: &str = "rootfold 2026 folding v1";
/// Seed of the generator that draws the [Grumpkin bases](crate::folding::cyclefold::bases_rng).
pub const GRUMPKIN_BASES: &str = "rootfold 2026 grumpkin pedersen bases v1";
/// [`VerifyingKey::proving_digest`](crate::VerifyingKey::proving_digest).
pub const PROVING_BASES: &str = "rootfold 2026 proving bases v1";
/// [`VerifyingKey::id`](crate::VerifyingKey::id).
pub const PARAMETER_ID: &str = "rootfold 2026 parameter id v1";
/// [`ParameterId::pp_hash`](crate::ParameterId::pp_hash).
pub const PUBLIC_PARAMETERS: &str = "rootfold 2026 public parameter hash v1";
/// The weights that [`verify`](crate::verify) draws.
pub const WEIGHTS: &str = "rootfold 2026 verifier weights v1";
