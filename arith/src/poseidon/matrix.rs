//! Small dense matrices, to compute constants.

use ark_ff::{AdditiveGroup, Field};

use crate::F;

/// A matrix by rows.
pub(super) type Matrix = Vec<Vec<F>>;

pub(super) fn inner(a: &[F], b: &[F]) -> F {
    a.iter().zip(b).map(|(a, b)| *a * b).sum()
}

pub(super) fn multiply_vector(matrix: &Matrix, vector: &[F]) -> Vec<F> {
    matrix.iter().map(|row| inner(row, vector)).collect()
}

pub(super) fn multiply(a: &Matrix, b: &Matrix) -> Matrix {
    let columns = transpose(b);
    a.iter().map(|row| multiply_vector(&columns, row)).collect()
}

pub(super) fn transpose(matrix: &Matrix) -> Matrix {
    let column = |j: usize| matrix.iter().map(|row| row[j]).collect();
    (0..matrix[0].len()).map(column).collect()
}

/// The inverse, by Gauss-Jordan elimination.
///
/// # Panics
/// If the matrix is singular.
pub(super) fn inverse(matrix: &Matrix) -> Matrix {
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
            .expect("only invertible matrices are inverted");
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
