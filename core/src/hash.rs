//! `H_n^tag`: Poseidon over BN254 with circomlib's parameters (design 2; Grassi et al., USENIX
//! Security 2021).
//!
//! One permutation of width n+1 on the state `[tag, x1..xn]`; the hash is element 0. With tag 0 it
//! equals circomlib, `light-poseidon` and `poseidon-rs`.

use std::sync::OnceLock;

use ark_ff::{Field, PrimeField};
use light_poseidon::parameters::bn254_x5::get_poseidon_parameters;

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

/// The largest number of inputs of one permutation: light-poseidon has widths up to 13.
pub const MAX_INPUTS: usize = 12;

/// Poseidon's constants for one width.
pub struct Parameters {
    /// Number of cells of the state.
    pub width: usize,
    /// Number of full rounds, half of them before the partial rounds.
    pub full_rounds: usize,
    /// Number of partial rounds.
    pub partial_rounds: usize,
    /// Round constants, `width` per round.
    pub round_constants: Vec<F>,
    /// The MDS matrix by rows.
    pub mds: Vec<Vec<F>>,
}

/// The constants of width `n + 1`, made once.
///
/// # Panics
/// If `n` is not in `1..=12`.
pub fn parameters(n: usize) -> &'static Parameters {
    static ALL: [OnceLock<Parameters>; MAX_INPUTS + 2] =
        [const { OnceLock::new() }; MAX_INPUTS + 2];
    assert!((1..=MAX_INPUTS).contains(&n), "Poseidon takes 1 to {MAX_INPUTS} inputs, not {n}");
    ALL[n].get_or_init(|| {
        let width = u8::try_from(n + 1).expect("n is at most 12");
        let p = get_poseidon_parameters::<F>(width).expect("light-poseidon has widths 2 to 13");
        Parameters {
            width: p.width,
            full_rounds: p.full_rounds,
            partial_rounds: p.partial_rounds,
            round_constants: p.ark,
            mds: p.mds,
        }
    })
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

/// Poseidon's permutation. `on_sbox` is told the input of every S-box in the order of the
/// constraints of the twin gadget, cell by cell and round by round.
pub fn permute(parameters: &Parameters, state: &mut [F], mut on_sbox: impl FnMut(F)) {
    let half = parameters.full_rounds / 2;
    let rounds = parameters.full_rounds + parameters.partial_rounds;
    let mut next = [F::from(0u64); MAX_INPUTS + 1];
    for round in 0..rounds {
        let partial = round >= half && round < half + parameters.partial_rounds;
        let constants = &parameters.round_constants[round * parameters.width..];
        for (cell, constant) in state.iter_mut().zip(constants) {
            *cell += constant;
        }
        let powered = if partial { 1 } else { parameters.width };
        for cell in &mut state[..powered] {
            on_sbox(*cell);
            *cell = sbox(*cell);
        }
        for (out, row) in next.iter_mut().zip(&parameters.mds) {
            *out = dot(row, state);
        }
        state.copy_from_slice(&next[..parameters.width]);
    }
}

/// The S-box `x^5`.
fn sbox(x: F) -> F {
    x.square().square() * x
}

fn dot(row: &[F], state: &[F]) -> F {
    debug_assert_eq!(row.len(), state.len());
    row.iter().zip(state).map(|(a, b)| *a * b).sum()
}

/// A constant that nobody chose: BLAKE3 of `domain`, reduced into the field.
pub fn nothing_up_my_sleeve(domain: &str) -> F {
    let mut wide = [0u8; 64];
    blake3::Hasher::new().update(domain.as_bytes()).finalize_xof().fill(&mut wide);
    F::from_le_bytes_mod_order(&wide)
}
