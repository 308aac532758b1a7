//! The constants of a permutation whose partial rounds cost one inner product each.
//!
//! Split the state into cell 0 and the rest, `(x, y)`, and the MDS matrix `M` accordingly. A partial
//! round is
//!
//! ```text
//! M = [ m v ]      x' = m * x^5 + z + k    with z = v * y
//!     [ w B ]      y' = w * x^5 + B * y
//! ```
//!
//! Only cell 0 has a constant, `k`: the constants of y are moved through the matrix into the
//! following rounds (Grassi et al., "Poseidon", appendix B). For y this is a linear system of order
//! N with input `p = x^5` and output `z`. Such a system satisfies a recurrence: the last N outputs
//! and inputs determine y, and so the next output. A round then computes
//! `z' = sum a_i * z_(-i) + b_i * p_(-i)`: 2 N products, reduced once. Sparse matrices, the usual
//! optimisation, take 2 N + 1 products, reduced N + 1 times.
//!
//! In each round x is scaled by a factor `c` such that `x' = p + z`: the factor of the next round is
//! `c' = c^5 / m`. The next S-box then depends on this S-box and one addition only.

use ark_ff::{AdditiveGroup, Field};

use super::{
    matrix::{inner, inverse, multiply, multiply_vector, transpose, Matrix},
    reference::Parameters,
};
use crate::{packed::PackedField, F};

/// The constants of a permutation of width N + 1: those added before the first round, and affine
/// forms, each an addend and coefficients. The forms are in the order of use:
///
/// 1. Each full round before the partial rounds: one form per cell, of all cells after the S-boxes.
///    The forms of the last of these rounds give x and, instead of y, outputs z: those of N
///    consecutive rounds, the first partial round and the rounds before it, that lead to this y if
///    all earlier inputs are 0.
/// 2. Each partial round except the last: the form of the next z, of the last N outputs and inputs,
///    the latest first.
/// 3. One form per cell of y, of the same outputs and inputs.
/// 4. Each full round after the partial rounds: one form per cell. A hash uses only cell 0 of the
///    last round.
#[derive(Clone, Debug)]
pub(super) struct Schedule<C> {
    pub(super) opening: Vec<C>,
    pub(super) addends: Vec<C>,
    pub(super) coefficients: Vec<C>,
    /// Number of full rounds before the partial rounds, and after them.
    pub(super) half: usize,
    pub(super) partial_rounds: usize,
}

impl Schedule<F> {
    /// The constants in the representation of a packed field.
    pub(super) fn convert<P: PackedField<WIDTH, Field = F>, const WIDTH: usize>(
        &self,
    ) -> Schedule<P::Constant> {
        Schedule {
            opening: self.opening.iter().map(P::constant).collect(),
            addends: self.addends.iter().map(P::addend).collect(),
            coefficients: self.coefficients.iter().map(P::constant).collect(),
            half: self.half,
            partial_rounds: self.partial_rounds,
        }
    }

    /// Multiplies the results by `factor`.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn scale(mut self, factor: F) -> Self {
        let last_layer = self.opening.len().pow(2);
        let at = self.coefficients.len() - last_layer;
        self.coefficients[at..].iter_mut().for_each(|c| *c *= factor);
        self
    }

    pub(super) fn new(parameters: &Parameters) -> Schedule<F> {
        let Parameters { width, full_rounds, partial_rounds, .. } = *parameters;
        let half = full_rounds / 2;
        let rounds: Vec<&[F]> = parameters.round_constants.chunks_exact(width).collect();
        let (opening, rest) = rounds.split_at(half);
        let (partial, closing) = rest.split_at(partial_rounds);
        let system = PartialRounds::new(&parameters.mds, partial, closing[0]);

        let mut schedule = Schedule {
            opening: opening[0].to_vec(),
            addends: Vec::new(),
            coefficients: Vec::new(),
            half,
            partial_rounds,
        };
        for next in &opening[1..] {
            schedule.push_layer(next, &parameters.mds);
        }
        system.push_entry(&mut schedule, &parameters.mds);
        system.push_rounds(&mut schedule);
        system.push_exit(&mut schedule);
        let mut mds = parameters.mds.clone();
        let unscale = fifth(system.unscales[partial_rounds]);
        mds.iter_mut().for_each(|row| row[0] *= unscale);
        for next in &closing[1..] {
            schedule.push_layer(next, &mds);
            mds.clone_from(&parameters.mds);
        }
        schedule.push_layer(&vec![F::ZERO; width], &mds);
        schedule
    }

    /// Appends a form.
    fn push_form(&mut self, addend: F, coefficients: &[F]) {
        self.addends.push(addend);
        self.coefficients.extend_from_slice(coefficients);
    }

    /// Appends a full round: `matrix`, then the constants of the next round.
    fn push_layer(&mut self, next: &[F], matrix: &Matrix) {
        for (constant, row) in next.iter().zip(matrix) {
            self.push_form(*constant, row);
        }
    }
}

fn fifth(x: F) -> F {
    x.square().square() * x
}

/// The partial rounds as a linear system. Rounds are numbered from 0.
struct PartialRounds {
    /// `v * B^(-i)` for i from 0: the output of the round i rounds earlier that leads to this y if
    /// the inputs since then are 0.
    observed: Matrix,
    /// `y' = history * (z, z_(-1), ..., p, p_(-1), ...)`.
    history: Matrix,
    /// The constant of cell 0 in each round.
    constants: Vec<F>,
    /// The constants of the full round that follows.
    next_constants: Vec<F>,
    /// The scale of cell 0 in each round, and in the full round that follows.
    scales: Vec<F>,
    /// The inverses of `scales`.
    unscales: Vec<F>,
}

impl PartialRounds {
    fn new(mds: &Matrix, partial: &[&[F]], following: &[F]) -> PartialRounds {
        let (constants, next_constants) = carried(mds, partial, following);
        let corner = mds[0][0];
        let corner_inverse = corner.inverse().expect("an MDS matrix has no zeros");
        let (mut scales, mut unscales) = (vec![F::ONE], vec![F::ONE]);
        for round in 0..partial.len() {
            scales.push(fifth(scales[round]) * corner_inverse);
            unscales.push(fifth(unscales[round]) * corner);
        }

        let v = &mds[0][1..];
        let w: Vec<F> = mds[1..].iter().map(|row| row[0]).collect();
        let b: Matrix = mds[1..].iter().map(|row| row[1..].to_vec()).collect();
        let order = v.len();
        let back = inverse(&b);
        let mut observed = vec![v.to_vec()];
        while observed.len() < order {
            let earlier = multiply_vector(&transpose(&back), &observed[observed.len() - 1]);
            observed.push(earlier);
        }
        // v * B^-i * y is z_(-i) plus the contribution of later inputs: p_(-j) for 0 < j <= i
        // contributes B^(j-1) * w * p_(-j) to y, and so v * B^-(i-j+1) * w * p_(-j) here.
        let mut outputs: Matrix = Vec::new();
        for i in 0..order {
            let mut row = vec![F::ZERO; 2 * order];
            row[i] = F::ONE;
            for j in 1..=i {
                row[order + j] = inner(&observed[i - j + 1], &w);
            }
            outputs.push(row);
        }
        let mut history = multiply(&multiply(&b, &inverse(&observed)), &outputs);
        for (row, w) in history.iter_mut().zip(&w) {
            row[order] += w;
        }
        PartialRounds { observed, history, constants, next_constants, scales, unscales }
    }

    fn order(&self) -> usize {
        self.history.len()
    }

    /// The constant that is added to x together with the output of the previous round.
    fn constant(&self, round: usize) -> F {
        *self.constants.get(round).unwrap_or(&self.next_constants[0])
    }

    /// The last full round before the partial rounds: x, the output of round 0, and the outputs of
    /// the fictitious rounds before it. An output z is stored as `scale * (z + constant)`, with the
    /// scale and the constant of the x to which it is added.
    fn push_entry(&self, schedule: &mut Schedule<F>, mds: &Matrix) {
        schedule.push_form(self.constant(0), &mds[0]);
        let rest = mds[1..].to_vec();
        for (i, row) in multiply(&self.observed, &rest).iter_mut().enumerate() {
            let mut constant = F::ZERO;
            if i == 0 {
                constant = self.scales[1] * self.constant(1);
                row.iter_mut().for_each(|x| *x *= self.scales[1]);
            }
            schedule.push_form(constant, row);
        }
    }

    /// The outputs of the partial rounds.
    fn push_rounds(&self, schedule: &mut Schedule<F>) {
        let row = multiply_vector(&transpose(&self.history), &self.observed[0]);
        for round in 0..self.constants.len() - 1 {
            let scale = self.scales[round + 2];
            let (constant, coefficients) = self.stored(round, &row);
            let coefficients: Vec<F> = coefficients.iter().map(|x| *x * scale).collect();
            schedule.push_form(scale * (constant + self.constant(round + 2)), &coefficients);
        }
    }

    /// The cells of y after the partial rounds.
    fn push_exit(&self, schedule: &mut Schedule<F>) {
        for (row, next) in self.history.iter().zip(&self.next_constants[1..]) {
            let (constant, coefficients) = self.stored(self.constants.len() - 1, row);
            schedule.push_form(constant + next, &coefficients);
        }
    }

    /// Converts a form of the outputs and inputs up to `round` into a form of the stored outputs and
    /// inputs.
    fn stored(&self, round: usize, form: &[F]) -> (F, Vec<F>) {
        let order = self.order();
        let mut constant = F::ZERO;
        let mut coefficients = form.to_vec();
        for back in 0..order.min(round + 1) {
            let at = round - back;
            constant -= form[back] * self.constant(at + 1);
            coefficients[back] *= self.unscales[at + 1];
            coefficients[order + back] *= fifth(self.unscales[at]);
        }
        (constant, coefficients)
    }
}

/// The constants of cell 0 in the partial rounds, and those of the full round that follows, after
/// the constants of the other cells have been moved through the matrix into later rounds.
fn carried(mds: &Matrix, partial: &[&[F]], following: &[F]) -> (Vec<F>, Vec<F>) {
    let sum = |a: &[F], b: &[F]| -> Vec<F> { a.iter().zip(b).map(|(a, b)| *a + b).collect() };
    let mut carried = vec![F::ZERO; mds.len()];
    let mut constants = Vec::new();
    for round in partial {
        let mut total = sum(round, &carried);
        constants.push(std::mem::replace(&mut total[0], F::ZERO));
        carried = multiply_vector(mds, &total);
    }
    (constants, sum(following, &carried))
}
