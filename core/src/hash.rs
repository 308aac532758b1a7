//! `H_n^tag`: Poseidon with circomlib's parameters, separated by tags (`docs/design.md`, section 2).
//!
//! The tag is the capacity cell of [`rootfold_arith::poseidon`]. With tag 0 the hash equals
//! circomlib's.

use ark_ff::PrimeField;
use rootfold_arith::poseidon;

use crate::F;

/// The purpose of a hash. Each tag makes `H_n` a different function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Tag {
    /// Tag 0: circomlib's Poseidon, for EdDSA.
    Circomlib = 0,
    /// Key digest, `H_3(k1, k2, k3)`.
    Key = 1,
    /// Item, `H_3(kappa, stamp, value)`.
    Item = 2,
    /// First head of a log, `H_3(salt, pk.x, pk.y)`.
    Log = 3,
    /// Next head of a log after the last op of a group, `H_2(head, item)`.
    Link = 4,
    /// The message that a writer signs, `H_2(head, seq)`.
    Sig = 5,
    /// Value of a head entry, `H_5(pk.x, pk.y, seq, head, shared)`.
    Head = 6,
    /// Next chain value of a tree node, `H_2(chain, item)`.
    Node = 7,
    /// First chain value of a tree node, `H_1(level)`.
    Iv = 8,
    /// Digest of the step circuit's registers, the cursor.
    Cursor = 9,
    /// Next head of a log after an op whose group goes on, `H_2(head, item)`.
    LinkMore = 10,
    /// Value of an op that replaces a head, `H_2(item of the head entry, new head)` or `H_2(pk.x, pk.y)`.
    Replace = 11,
}

impl Tag {
    /// The tag as a field element, the first cell of the state.
    pub fn to_field(self) -> F {
        F::from(self as u64)
    }
}

/// `H_n^tag(inputs)`.
///
/// # Panics
/// If `N` is not in `1..=12`.
pub fn hash<const N: usize>(tag: Tag, inputs: [F; N]) -> F {
    poseidon::hash(tag.to_field(), inputs)
}

/// [`hash`] of a slice whose length is known only at run time.
///
/// # Panics
/// If the number of inputs is not in `1..=12`.
pub fn hash_slice(tag: Tag, inputs: &[F]) -> F {
    poseidon::hash_slice(tag.to_field(), inputs)
}

/// [`hash`] of each element of a list, several at a time where the processor has vector
/// instructions. `N` is at most 3.
pub fn hash_each<const N: usize>(tag: Tag, inputs: &[[F; N]]) -> Vec<F> {
    poseidon::hash_each(tag.to_field(), inputs)
}

/// A nothing-up-my-sleeve constant: BLAKE3 of `domain`, reduced into the field.
pub fn nothing_up_my_sleeve(domain: &str) -> F {
    let mut wide = [0u8; 64];
    blake3::Hasher::new().update(domain.as_bytes()).finalize_xof().fill(&mut wide);
    F::from_le_bytes_mod_order(&wide)
}
