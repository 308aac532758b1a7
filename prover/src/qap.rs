//! The decider's R1CS as a quadratic arithmetic program with one slack variable per row.
//!
//! The relation is `Az * Bz = Cz + e`, row by row, with `z = (1, x, W)`. All of `x`, `W` and `e`
//! are instance variables (`docs/design.md`, section 6). libsnark's reduction has extra rows that
//! make the columns of the instance variables independent. They are not needed here, since the
//! instance is bound by commitments together with proofs of knowledge of their openings.

use ark_ff::PrimeField;
use ark_groth16::r1cs_to_qap::R1CSToQAP;
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use ark_relations::{
    gr1cs::{ConstraintSystemRef, Result as R1CSResult, SynthesisError, R1CS_PREDICATE_LABEL},
    utils::matrix::Matrix,
};
use rayon::prelude::*;
use rootfold_verifier::F;
use zeroize::Zeroizing;

/// The reduction. Its columns are those of `(1, x, W)`. The column of `e_i`, which is the `i`-th
/// Lagrange polynomial in `C`, is not needed.
pub struct SlackQap;

/// The evaluation domain for `rows` constraints: the smallest that has at least one row more.
///
/// The empty row is required: without it the error bases would add up to `[1/gamma]_1`.
///
/// # Errors
/// [`SynthesisError::PolynomialDegreeTooLarge`] if the field has no such domain.
pub fn domain<P: PrimeField, D: EvaluationDomain<P>>(rows: usize) -> R1CSResult<D> {
    D::new(rows + 1).ok_or(SynthesisError::PolynomialDegreeTooLarge)
}

/// The columns of `A`, `B` and `C`, as polynomials, at the point where the Lagrange polynomials
/// have the values `lagrange`.
pub fn columns_at<P: PrimeField>(
    matrices: &[Matrix<P>],
    columns: usize,
    lagrange: &[P],
) -> [Vec<P>; 3] {
    [0, 1, 2].map(|index| {
        let mut values = vec![P::zero(); columns];
        for (row, weight) in matrices[index].iter().zip(lagrange) {
            for (coefficient, column) in row {
                values[*column] += *weight * coefficient;
            }
        }
        values
    })
}

fn product<P: PrimeField>(matrix: &Matrix<P>, assignment: &[P]) -> Vec<P> {
    matrix
        .par_iter()
        .map(|row| row.iter().map(|(coefficient, column)| assignment[*column] * coefficient).sum())
        .collect()
}

/// The quotient `h` of `(sum a)(sum b) - (sum c + e)` by the vanishing polynomial, given the rows'
/// values `Az` and `Bz`.
///
/// By the slack relation, `sum c + e` has the values `Az * Bz` on the domain for any `e`, so only
/// `A` and `B` are needed.
///
/// # Errors
/// [`SynthesisError::PolynomialDegreeTooLarge`] if the field has no domain for so many rows.
pub fn quotient(a: Vec<F>, b: Vec<F>) -> R1CSResult<Vec<F>> {
    quotient_over::<F, GeneralEvaluationDomain<F>>(a, b)
}

fn quotient_over<P: PrimeField, D: EvaluationDomain<P>>(
    mut a: Vec<P>,
    mut b: Vec<P>,
) -> R1CSResult<Vec<P>> {
    let domain: D = domain(a.len())?;
    let coset = domain.get_coset(P::GENERATOR).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
    a.resize(domain.size(), P::zero());
    b.resize(domain.size(), P::zero());
    let to_coset = |mut values: Vec<P>| {
        domain.ifft_in_place(&mut values);
        coset.fft_in_place(&mut values);
        values
    };
    let ab = a.par_iter().zip(&b).map(|(a, b)| *a * b).collect();
    let (a, b, ab) = (to_coset(a), to_coset(b), to_coset(ab));
    let vanishing = domain
        .evaluate_vanishing_polynomial(P::GENERATOR)
        .inverse()
        .ok_or(SynthesisError::DivisionByZero)?;
    let mut h = a;
    h.par_iter_mut().zip(&b).zip(&ab).for_each(|((h, b), ab)| *h = (*h * b - ab) * vanishing);
    coset.ifft_in_place(&mut h);
    // The quotient has degree at most `size - 2`.
    h.truncate(domain.size() - 1);
    Ok(h)
}

impl R1CSToQAP for SlackQap {
    fn instance_map_with_evaluation<P: PrimeField, D: EvaluationDomain<P>>(
        cs: ConstraintSystemRef<P>,
        t: &P,
    ) -> R1CSResult<(Vec<P>, Vec<P>, Vec<P>, P, usize, usize)> {
        let matrices = &cs.to_matrices()?[R1CS_PREDICATE_LABEL];
        let columns = cs.num_instance_variables() + cs.num_witness_variables();
        let domain: D = domain(cs.num_constraints())?;
        let lagrange = domain.evaluate_all_lagrange_coefficients(*t);
        let [a, b, c] = columns_at(matrices, columns, &lagrange);
        let vanishing = domain.evaluate_vanishing_polynomial(*t);
        Ok((a, b, c, vanishing, columns - 1, domain.size()))
    }

    /// [`quotient`] for `full_assignment = (1, x, W)`.
    fn witness_map_from_matrices<P: PrimeField, D: EvaluationDomain<P>>(
        matrices: &[Matrix<P>],
        _num_inputs: usize,
        num_constraints: usize,
        full_assignment: &[P],
    ) -> R1CSResult<Vec<P>> {
        let [a, b] = [0, 1].map(|m| product(&matrices[m], full_assignment));
        debug_assert_eq!(a.len(), num_constraints);
        quotient_over::<P, D>(a, b)
    }

    fn h_query_scalars<P: PrimeField, D: EvaluationDomain<P>>(
        max_power: usize,
        t: P,
        zt: P,
        delta_inverse: P,
    ) -> Result<Vec<P>, SynthesisError> {
        // Secret, as the caller's `t` is.
        let mut power = Zeroizing::new(zt * delta_inverse);
        let mut scalars = Vec::with_capacity(max_power);
        for _ in 0..max_power {
            scalars.push(*power);
            *power *= t;
        }
        Ok(scalars)
    }
}
