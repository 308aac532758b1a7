//! `H_n^tag`: Poseidon over BN254 with circomlib's parameters (design 2; Grassi et al., USENIX
//! Security 2021).
//!
//! One permutation of width n+1 on the state `[tag, x1..xn]`; the hash is element 0. With tag 0 it
//! equals circomlib, `light-poseidon` and `poseidon-rs`.

mod permutation;
mod sparse;

pub use permutation::{parameters, permute, Parameters, MAX_INPUTS};

use ark_ff::PrimeField;

use crate::F;

/// What a hash is for. Distinct tags make hashes of distinct meaning distinct functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Tag {
    /// Tag 0: plain circomlib Poseidon, used where circomlib fixes it (EdDSA).
    Circomlib = 0,
    /// Key digest, `H_3(k1, k2, k3)`.
    Key = 1,
    /// Item, `H_3(kappa, stamp, value)`.
    Item = 2,
    /// First head of a log, `H_3(salt, pk.x, pk.y)`.
    Log = 3,
    /// Next head of a log, `H_2(head, item)`.
    Link = 4,
    /// What a writer signs, `H_2(head, seq)`.
    Sig = 5,
    /// Value of a head entry, `H_4(pk.x, pk.y, seq, head)`.
    Head = 6,
    /// Chain inside a node of the tree, `H_2(chain, item)`.
    Node = 7,
    /// Start of the chain of a node, `H_1(level)`.
    Iv = 8,
    /// Registers of the step circuit.
    Cursor = 9,
}

impl Tag {
    /// The tag as the field element that fills the first cell of the state.
    pub fn to_field(self) -> F {
        F::from(self as u64)
    }
}

/// `H_n^tag(inputs)`.
///
/// # Panics
/// If `N` is not in `1..=12`.
pub fn hash<const N: usize>(tag: Tag, inputs: [F; N]) -> F {
    hash_slice(tag, &inputs)
}

/// [`hash`] of a slice whose length is known only at run time.
///
/// # Panics
/// If the number of inputs is not in `1..=12`.
pub fn hash_slice(tag: Tag, inputs: &[F]) -> F {
    let parameters = parameters(inputs.len());
    let mut state = [F::from(0u64); MAX_INPUTS + 1];
    let state = &mut state[..parameters.width];
    state[0] = tag.to_field();
    state[1..].copy_from_slice(inputs);
    permute(parameters, state, |_| {});
    state[0]
}

/// A constant that nobody chose: BLAKE3 of `domain`, reduced into the field.
pub fn nothing_up_my_sleeve(domain: &str) -> F {
    let mut wide = [0u8; 64];
    blake3::Hasher::new().update(domain.as_bytes()).finalize_xof().fill(&mut wide);
    F::from_le_bytes_mod_order(&wide)
}
