//! The permutation rewritten so that a partial round costs one inner product.
//!
//! Split the state into cell 0 and the rest, `(x, y)`, and the MDS matrix `M` likewise:
//!
//! ```text
//! M = [ m v ]      x' = m * x^5 + z + k    with z = v * y
//!     [ w B ]      y' = w * x^5 + B * y
//! ```
//!
//! is a partial round, once the constants of the rest have been carried through the matrix into the
//! rounds behind (Grassi et al., "Poseidon", appendix B), so that only cell 0 has one, `k`. For the
//! rest this is a linear system with input `p = x^5` and output `z`, and such a system of order N
//! obeys a recurrence: the last N outputs and inputs determine y, and so the next output. Hence a
//! round needs `z' = sum a_i * z_(-i) + b_i * p_(-i)`, 2 N products reduced once, where sparse
//! matrices take 2 N + 1 products reduced N + 1 times.
//!
//! Each x is scaled, by `c` in its round, such that `x' = p + z` without a factor: `c' = c^5 / m`.
//! So the next S-box waits for this one and an addition, and for nothing else.

use ark_ff::{AdditiveGroup, Field};

use super::{
    arithmetic::Arithmetic,
    matrix::{inner, inverse, multiply, multiply_vector, transpose, Matrix},
    reference::Parameters,
};
use crate::F;

/// The constants of `H_n` in the order in which [`run`] uses them: those of the first round, and
/// affine forms, each an addend and coefficients.
///
/// 1. Each full round before the partial ones has a form per cell, of all cells after the S-boxes.
///    Those of the last give x and, instead of y, the outputs z of this and of earlier rounds that
///    would have led to this y without any input.
/// 2. Each partial round but the last has the form of the next z, of the last N outputs and
///    inputs, the latest first.
/// 3. There is a form of the same for each cell of y.
/// 4. Then come full rounds again, in the last of which a hash uses only the form of cell 0.
#[derive(Clone, Debug)]
pub(super) struct Schedule<C> {
    opening: Vec<C>,
    addends: Vec<C>,
    coefficients: Vec<C>,
    /// Full rounds before the partial ones, and after.
    half: usize,
    partial_rounds: usize,
}

impl Schedule<F> {
    /// The constants in an arithmetic's representation: numbers, and addends of forms.
    pub(super) fn convert<C>(
        &self,
        number: impl Fn(&F) -> C,
        addend: impl Fn(&F) -> C,
    ) -> Schedule<C> {
        Schedule {
            opening: self.opening.iter().map(&number).collect(),
            addends: self.addends.iter().map(addend).collect(),
            coefficients: self.coefficients.iter().map(&number).collect(),
            half: self.half,
            partial_rounds: self.partial_rounds,
        }
    }

    /// Multiplies the results by `factor`. Only lanes ask for it.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn scale(mut self, factor: F) -> Self {
        let last_layer = self.opening.len().pow(2);
        let at = self.coefficients.len() - last_layer;
        self.coefficients[at..].iter_mut().for_each(|c| *c *= factor);
        self
    }
}

impl Schedule<F> {
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

    fn push_form(&mut self, addend: F, coefficients: &[F]) {
        self.addends.push(addend);
        self.coefficients.extend_from_slice(coefficients);
    }

    /// A full round: `matrix`, then the constants of the next round.
    fn push_layer(&mut self, next: &[F], matrix: &Matrix) {
        for (constant, row) in next.iter().zip(matrix) {
            self.push_form(*constant, row);
        }
    }
}

fn fifth(x: F) -> F {
    x.square().square() * x
}

/// The partial rounds as a linear system. Rounds are counted from 0.
struct PartialRounds {
    /// `v * B^(-i)` for i from 0: what y contributes to the outputs of this and of earlier rounds.
    observed: Matrix,
    /// `y' = history * (z, z_(-1), ..., p, p_(-1), ...)`.
    history: Matrix,
    /// The constant of cell 0 in each round.
    constants: Vec<F>,
    /// Those of the full round behind.
    next_constants: Vec<F>,
    /// The factor of cell 0 in each round, and in the full round behind.
    scales: Vec<F>,
    /// Their inverses.
    unscales: Vec<F>,
}

impl PartialRounds {
    fn new(mds: &Matrix, partial: &[&[F]], behind: &[F]) -> PartialRounds {
        let (constants, next_constants) = carried(mds, partial, behind);
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
        // v * B^-i * y is z_(-i), but for the inputs since then: p_(-j) for 0 < j <= i reached y
        // as B^(j-1) * w * p_(-j), which is v * B^-(i-j+1) * w * p_(-j) of it.
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

    /// The constant that x takes along with the output of the round before.
    fn constant(&self, round: usize) -> F {
        *self.constants.get(round).unwrap_or(&self.next_constants[0])
    }

    /// The last full round before: x, and the outputs of round 0 and of those that never were.
    /// Output z of a round is kept as `scale * (z + constant)` of the x that it goes into.
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

    fn push_rounds(&self, schedule: &mut Schedule<F>) {
        let row = multiply_vector(&transpose(&self.history), &self.observed[0]);
        for round in 0..self.constants.len() - 1 {
            let scale = self.scales[round + 2];
            let (constant, coefficients) = self.kept(round, &row);
            let coefficients: Vec<F> = coefficients.iter().map(|x| *x * scale).collect();
            schedule.push_form(scale * (constant + self.constant(round + 2)), &coefficients);
        }
    }

    fn push_exit(&self, schedule: &mut Schedule<F>) {
        for (row, next) in self.history.iter().zip(&self.next_constants[1..]) {
            let (constant, coefficients) = self.kept(self.constants.len() - 1, row);
            schedule.push_form(constant + next, &coefficients);
        }
    }

    /// A form of the outputs and inputs up to `round` as a form of what is kept of them.
    fn kept(&self, round: usize, form: &[F]) -> (F, Vec<F>) {
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

/// The constants of cell 0 in the partial rounds, and all of the full round behind, with those of
/// the other cells carried through the matrix.
fn carried(mds: &Matrix, partial: &[&[F]], behind: &[F]) -> (Vec<F>, Vec<F>) {
    let sum = |a: &[F], b: &[F]| -> Vec<F> { a.iter().zip(b).map(|(a, b)| *a + b).collect() };
    let mut carried = vec![F::ZERO; mds.len()];
    let mut constants = Vec::new();
    for round in partial {
        let mut total = sum(round, &carried);
        constants.push(std::mem::replace(&mut total[0], F::ZERO));
        carried = multiply_vector(mds, &total);
    }
    (constants, sum(behind, &carried))
}

/// The constants of a [`Schedule`] that have not been used yet.
struct Tape<'a, A: Arithmetic> {
    arithmetic: A,
    addends: &'a [A::Constant],
    coefficients: &'a [A::Constant],
}

/// The next constants.
#[inline(always)]
fn take<'a, C, const COUNT: usize>(left: &mut &'a [C]) -> &'a [C; COUNT] {
    let next = left.split_first_chunk();
    let (next, rest) = next.expect("a schedule has all the constants of its run");
    *left = rest;
    next
}

impl<A: Arithmetic> Tape<'_, A> {
    #[inline(always)]
    fn form<const K: usize, const N: usize>(
        &mut self,
        left: &[A::Element; K],
        right: &[A::Element; N],
    ) -> A::Element {
        let [addend] = take(&mut self.addends);
        let left = (take(&mut self.coefficients), left);
        let right = (take(&mut self.coefficients), right);
        self.arithmetic.form(addend, left, right)
    }

    #[inline(always)]
    fn sbox(&self, x: A::Element) -> A::Element {
        let square = self.arithmetic.square(x);
        self.arithmetic.multiply(self.arithmetic.square(square), x)
    }

    /// S-boxes and a matrix.
    #[inline(always)]
    fn full_round<const N: usize>(&mut self, first: &mut A::Element, rest: &mut [A::Element; N]) {
        let x = self.sbox(*first);
        let mut y = *rest;
        for cell in &mut y {
            *cell = self.sbox(*cell);
        }
        *first = self.form(&[x], &y);
        for cell in rest {
            *cell = self.form(&[x], &y);
        }
    }
}

/// Puts an element before the others; the last one goes.
#[inline(always)]
fn push_front<E: Copy, const N: usize>(element: E, list: &mut [E; N]) {
    for i in (1..N).rev() {
        list[i] = list[i - 1];
    }
    list[0] = element;
}

/// The state before the last matrix.
pub(super) struct Unmixed<'a, A: Arithmetic, const N: usize> {
    tape: Tape<'a, A>,
    first: A::Element,
    rest: [A::Element; N],
}

impl<A: Arithmetic, const N: usize> Unmixed<'_, A, N> {
    /// The next cell of the permutation's result, from cell 0 on.
    #[inline(always)]
    pub(super) fn next_cell(&mut self) -> A::Element {
        self.tape.form(&[self.first], &self.rest)
    }
}

/// The permutation of `(first, rest)`.
///
/// # Panics
/// If the schedule is another width's.
#[inline(always)]
pub(super) fn run<A: Arithmetic, const N: usize>(
    arithmetic: A,
    schedule: &Schedule<A::Constant>,
    mut first: A::Element,
    mut rest: [A::Element; N],
) -> Unmixed<'_, A, N> {
    let Schedule { opening, addends, coefficients, .. } = schedule;
    assert_eq!(opening.len(), N + 1, "the schedule is of this width");
    let mut tape = Tape { arithmetic, addends, coefficients };
    let opening = &mut &opening[..];
    let [constant] = take(opening);
    first = arithmetic.add(first, arithmetic.number(constant));
    for (cell, constant) in rest.iter_mut().zip(take::<_, N>(opening)) {
        *cell = arithmetic.add(*cell, arithmetic.number(constant));
    }
    for _ in 0..schedule.half {
        tape.full_round(&mut first, &mut rest);
    }

    let mut outputs = rest;
    let mut inputs = [arithmetic.zero(); N];
    for left in (0..schedule.partial_rounds).rev() {
        push_front(tape.sbox(first), &mut inputs);
        first = arithmetic.add(inputs[0], outputs[0]);
        if left > 0 {
            let next = tape.form(&outputs, &inputs);
            push_front(next, &mut outputs);
        }
    }
    for cell in &mut rest {
        *cell = tape.form(&outputs, &inputs);
    }

    for _ in 1..schedule.half {
        tape.full_round(&mut first, &mut rest);
    }
    first = tape.sbox(first);
    for cell in &mut rest {
        *cell = tape.sbox(*cell);
    }
    Unmixed { tape, first, rest }
}
