//! Key digests, the twin of `core::key`.

use ark_r1cs_std::fields::FieldVar;
use rootfold_core::{hash::Tag, key::LIMB_BYTES, F};

use crate::{hash::hash, Result, Var};

/// Bits of a limb of a key.
pub(crate) const LIMB_BITS: usize = 8 * LIMB_BYTES;

/// `kappa = H_3^KEY(k1, k2, k3)`.
pub fn key_digest(limbs: &[Var; 3]) -> Result<Var> {
    hash(Tag::Key, limbs)
}

/// The digest of a writer's head key, `(0, 0, 2^32 + writer)`.
pub fn head_key_digest(writer: &Var) -> Result<Var> {
    key_digest(&[Var::zero(), Var::zero(), writer + head_key_base()])
}

/// `k3` of the head key of writer 0.
pub(crate) fn head_key_base() -> F {
    F::from(1u64 << 32)
}
