//! The reference: Poseidon's permutation as the paper defines it, with circomlib's constants.
//!
//! The optimised permutation is tested against it. The circuit takes the values of its witnesses
//! from it.

use std::sync::OnceLock;

use ark_ff::Field;
use light_poseidon::parameters::bn254_x5::get_poseidon_parameters;

use super::matrix::multiply_vector;
use crate::F;

/// The most inputs of a hash: light-poseidon has parameters for widths up to 13.
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

/// circomlib's constants for width `n + 1`. They are computed once.
///
/// # Panics
/// If `n` is not in `1..=12`.
pub fn parameters(n: usize) -> &'static Parameters {
    static ALL: [OnceLock<Parameters>; MAX_INPUTS + 1] =
        [const { OnceLock::new() }; MAX_INPUTS + 1];
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

/// Poseidon's permutation. Calls `on_sbox` with the input of every S-box, by round and then by
/// cell, which is the order of the circuit's constraints.
///
/// # Panics
/// If the state does not have the width of the parameters.
pub fn permute(parameters: &Parameters, state: &mut [F], mut on_sbox: impl FnMut(F)) {
    let Parameters { width, full_rounds, partial_rounds, .. } = *parameters;
    assert_eq!(state.len(), width, "the state has the width of the parameters");
    let partial = full_rounds / 2..full_rounds / 2 + partial_rounds;
    for (round, constants) in parameters.round_constants.chunks_exact(width).enumerate() {
        state.iter_mut().zip(constants).for_each(|(cell, constant)| *cell += constant);
        let powered = if partial.contains(&round) { 1 } else { width };
        for cell in &mut state[..powered] {
            on_sbox(*cell);
            *cell = cell.square().square() * *cell;
        }
        let mixed = multiply_vector(&parameters.mds, state);
        state.copy_from_slice(&mixed);
    }
}
