//! The partial rounds with sparse matrices (Grassi et al., "Poseidon", appendix B).
//!
//! A partial round touches only cell 0 before it multiplies by the MDS matrix, so whatever acts on
//! the other cells alone may move past its S-box. Two things move:
//!
//! - Constants: those of cells 1.. are carried through the matrix into the next round; cell 0's
//!   stays.
//! - Matrices: `A = diag(1, B) * S`, where S differs from the identity only in row and column 0.
//!   S is applied, `diag(1, B)` moves on into the next round's matrix, and the last one is applied
//!   after all partial rounds.

use ark_ff::{AdditiveGroup, Field};

use super::permutation::{dot, sbox};
use crate::F;

type Matrix = Vec<Vec<F>>;

/// The partial rounds of one width.
pub(super) struct SparseRounds {
    rounds: Vec<SparseRound>,
    /// `B`, left over after the last partial round.
    closing: Matrix,
    /// The constants of the full round that follows.
    next_constants: Vec<F>,
}

struct SparseRound {
    /// Added to cell 0.
    constant: F,
    /// Row 0 of S.
    row: Vec<F>,
    /// Column 0 of S below row 0.
    column: Vec<F>,
}

impl SparseRounds {
    /// Rewrites the partial rounds. `constants` are those of all partial rounds and of the full
    /// round after them.
    pub(super) fn new(mds: &Matrix, constants: &[F]) -> SparseRounds {
        let width = mds.len();
        let mut carried = vec![F::ZERO; width];
        let mut matrix = mds.clone();
        let mut closing = Matrix::new();
        let mut rounds = Vec::new();
        let mut constants = constants.chunks_exact(width).peekable();
        while let Some(round) = constants.next() {
            let mut total: Vec<F> = round.iter().zip(&carried).map(|(a, b)| *a + b).collect();
            if constants.peek().is_none() {
                carried = total;
                break;
            }
            let constant = std::mem::replace(&mut total[0], F::ZERO);
            carried = mds.iter().map(|row| inner(row, &total)).collect();

            closing = matrix[1..].iter().map(|row| row[1..].to_vec()).collect();
            let left: Vec<F> = matrix[1..].iter().map(|row| row[0]).collect();
            let column = multiply_vector(&inverse(&closing), &left);
            rounds.push(SparseRound { constant, row: matrix[0].clone(), column });
            matrix = multiply(mds, &bordered(&closing));
        }
        SparseRounds { rounds, closing, next_constants: carried }
    }

    /// The constants of the full round after the partial ones.
    pub(super) fn next_constants(&self) -> &[F] {
        &self.next_constants
    }

    /// Runs all partial rounds, up to the constants of the full round that follows.
    pub(super) fn run<const WIDTH: usize>(
        &self,
        state: &mut [F; WIDTH],
        on_sbox: &mut impl FnMut(F),
    ) {
        for SparseRound { constant, row, column } in &self.rounds {
            state[0] += constant;
            on_sbox(state[0]);
            let powered = sbox(state[0]);
            state[0] = powered;
            let first = dot(row, state);
            for (cell, factor) in state[1..].iter_mut().zip(column) {
                *cell += powered * factor;
            }
            state[0] = first;
        }
        let rest = multiply_vector(&self.closing, &state[1..]);
        state[1..].copy_from_slice(&rest);
    }
}

fn inner(row: &[F], vector: &[F]) -> F {
    row.iter().zip(vector).map(|(a, b)| *a * b).sum()
}

fn multiply_vector(matrix: &Matrix, vector: &[F]) -> Vec<F> {
    matrix.iter().map(|row| inner(row, vector)).collect()
}

fn multiply(a: &Matrix, b: &Matrix) -> Matrix {
    let column = |j: usize| -> Vec<F> { b.iter().map(|row| row[j]).collect() };
    let columns: Matrix = (0..b.len()).map(column).collect();
    a.iter().map(|row| multiply_vector(&columns, row)).collect()
}

/// `diag(1, matrix)`.
fn bordered(matrix: &Matrix) -> Matrix {
    let width = matrix.len() + 1;
    let mut out = vec![vec![F::ZERO; width]; width];
    out[0][0] = F::ONE;
    for (row, inside) in out[1..].iter_mut().zip(matrix) {
        row[1..].copy_from_slice(inside);
    }
    out
}

/// The inverse, by Gauss and Jordan.
///
/// # Panics
/// If there is none: a submatrix of an MDS matrix has one, and so have products of them.
fn inverse(matrix: &Matrix) -> Matrix {
    let width = matrix.len();
    let mut work: Matrix = matrix
        .iter()
        .enumerate()
        .map(|(i, row)| {
            let identity = (0..width).map(|j| if i == j { F::ONE } else { F::ZERO });
            row.iter().copied().chain(identity).collect()
        })
        .collect();
    for column in 0..width {
        let pivot = (column..width)
            .find(|row| work[*row][column] != F::ZERO)
            .expect("the submatrices of an MDS matrix are invertible");
        work.swap(column, pivot);
        let scale = work[column][column].inverse().expect("a pivot is not zero");
        work[column].iter_mut().for_each(|x| *x *= scale);
        let pivot_row = work[column].clone();
        for (_, row) in work.iter_mut().enumerate().filter(|(i, _)| *i != column) {
            let factor = row[column];
            for (x, p) in row.iter_mut().zip(&pivot_row) {
                *x -= factor * p;
            }
        }
    }
    work.into_iter().map(|row| row[width..].to_vec()).collect()
}
