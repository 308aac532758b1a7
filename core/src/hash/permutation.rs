//! Poseidon's permutation with circomlib's constants.

use std::sync::OnceLock;

use ark_ff::Field;
use light_poseidon::parameters::bn254_x5::get_poseidon_parameters;

use super::sparse::SparseRounds;
use crate::F;

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
    /// The partial rounds, rewritten.
    sparse: SparseRounds,
}

/// The constants of width `n + 1`, made once.
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
        let partial = p.full_rounds / 2 * p.width..;
        let constants = &p.ark[partial][..(p.partial_rounds + 1) * p.width];
        Parameters {
            sparse: SparseRounds::new(&p.mds, constants),
            width: p.width,
            full_rounds: p.full_rounds,
            partial_rounds: p.partial_rounds,
            round_constants: p.ark,
            mds: p.mds,
        }
    })
}

/// Poseidon's permutation. `on_sbox` is told the input of every S-box in the order of the
/// constraints of the twin gadget, round by round and cell by cell.
///
/// # Panics
/// If the state does not have the width of the parameters.
pub fn permute(parameters: &Parameters, state: &mut [F], on_sbox: impl FnMut(F)) {
    /// Compiles the permutation for every width: arrays of known length are what makes it fast.
    macro_rules! for_width {
        ($($width:literal)*) => {
            match state.len() {
                $($width => {
                    let state = state.first_chunk_mut().expect("the match is on the length");
                    permute_width::<$width>(parameters, state, on_sbox);
                })*
                width => panic!("Poseidon has no width {width}"),
            }
        };
    }
    assert_eq!(state.len(), parameters.width, "the state has the width of the parameters");
    for_width!(2 3 4 5 6 7 8 9 10 11 12 13);
}

fn permute_width<const WIDTH: usize>(
    parameters: &Parameters,
    state: &mut [F; WIDTH],
    mut on_sbox: impl FnMut(F),
) {
    let half = parameters.full_rounds / 2;
    let mut constants = parameters.round_constants.chunks_exact(WIDTH);
    for constants in constants.by_ref().take(half) {
        full_round(parameters, state, constants, &mut on_sbox);
    }
    parameters.sparse.run(state, &mut on_sbox);
    // The first round after the partial ones has taken over what was left of their constants.
    full_round(parameters, state, parameters.sparse.next_constants(), &mut on_sbox);
    for constants in constants.skip(parameters.partial_rounds + 1) {
        full_round(parameters, state, constants, &mut on_sbox);
    }
}

fn full_round<const WIDTH: usize>(
    parameters: &Parameters,
    state: &mut [F; WIDTH],
    constants: &[F],
    on_sbox: &mut impl FnMut(F),
) {
    for (cell, constant) in state.iter_mut().zip(constants) {
        *cell += constant;
        on_sbox(*cell);
        *cell = sbox(*cell);
    }
    let before = *state;
    for (cell, row) in state.iter_mut().zip(&parameters.mds) {
        *cell = dot(row, &before);
    }
}

/// The S-box `x^5`.
pub(super) fn sbox(x: F) -> F {
    x.square().square() * x
}

/// The inner product of `row` and `state`, reduced once.
///
/// # Panics
/// If `row` is shorter.
pub(super) fn dot<const WIDTH: usize>(row: &[F], state: &[F; WIDTH]) -> F {
    let row = row.first_chunk().expect("a row has the width of the state");
    F::sum_of_products(row, state)
}
