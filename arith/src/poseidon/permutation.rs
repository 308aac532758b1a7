//! The permutation by a [`Schedule`].

use super::schedule::Schedule;
use crate::packed::PackedField;

/// The constants of a [`Schedule`] that are not used yet.
struct Tape<'a, P: PackedField<WIDTH>, const WIDTH: usize> {
    field: P,
    addends: &'a [P::Constant],
    coefficients: &'a [P::Constant],
}

/// Takes the next constants.
#[inline(always)]
fn take<'a, C, const COUNT: usize>(left: &mut &'a [C]) -> &'a [C; COUNT] {
    let next = left.split_first_chunk();
    let (next, rest) = next.expect("a schedule has all the constants of its run");
    *left = rest;
    next
}

impl<P: PackedField<WIDTH>, const WIDTH: usize> Tape<'_, P, WIDTH> {
    #[inline(always)]
    fn form<const K: usize, const N: usize>(
        &mut self,
        left: &[P::Element; K],
        right: &[P::Element; N],
    ) -> P::Element {
        let [addend] = take(&mut self.addends);
        let left = (take(&mut self.coefficients), left);
        let right = (take(&mut self.coefficients), right);
        self.field.affine(addend, left, right)
    }

    #[inline(always)]
    fn sbox(&self, x: P::Element) -> P::Element {
        let square = self.field.square(&x);
        self.field.multiply(&self.field.square(&square), &x)
    }

    /// The S-boxes and the matrix of a full round.
    #[inline(always)]
    fn full_round<const N: usize>(&mut self, first: &mut P::Element, rest: &mut [P::Element; N]) {
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

/// Inserts an element at the front and drops the last one.
#[inline(always)]
fn push_front<E: Copy, const N: usize>(element: E, list: &mut [E; N]) {
    for i in (1..N).rev() {
        list[i] = list[i - 1];
    }
    list[0] = element;
}

/// A state before the last matrix.
pub(super) struct Unmixed<'a, P: PackedField<WIDTH>, const WIDTH: usize, const N: usize> {
    tape: Tape<'a, P, WIDTH>,
    first: P::Element,
    rest: [P::Element; N],
}

impl<P: PackedField<WIDTH>, const WIDTH: usize, const N: usize> Unmixed<'_, P, WIDTH, N> {
    /// The next cell of the result, beginning with cell 0.
    #[inline(always)]
    pub(super) fn next_cell(&mut self) -> P::Element {
        self.tape.form(&[self.first], &self.rest)
    }
}

/// The permutation of `(first, rest)`.
///
/// # Panics
/// If the schedule has another width.
#[inline(always)]
pub(super) fn run<P: PackedField<WIDTH>, const WIDTH: usize, const N: usize>(
    field: P,
    schedule: &Schedule<P::Constant>,
    mut first: P::Element,
    mut rest: [P::Element; N],
) -> Unmixed<'_, P, WIDTH, N> {
    let Schedule { opening, addends, coefficients, .. } = schedule;
    assert_eq!(opening.len(), N + 1, "the schedule has the width of the state");
    let mut tape = Tape { field, addends, coefficients };
    let opening = &mut &opening[..];
    let [constant] = take(opening);
    first = field.add(&first, &field.broadcast(constant));
    for (cell, constant) in rest.iter_mut().zip(take::<_, N>(opening)) {
        *cell = field.add(cell, &field.broadcast(constant));
    }
    for _ in 0..schedule.half {
        tape.full_round(&mut first, &mut rest);
    }

    let mut outputs = rest;
    let mut inputs = [field.zero(); N];
    for left in (0..schedule.partial_rounds).rev() {
        push_front(tape.sbox(first), &mut inputs);
        first = field.add(&inputs[0], &outputs[0]);
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
