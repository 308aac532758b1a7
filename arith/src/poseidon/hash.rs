//! Single hashes and permutations.

use std::sync::OnceLock;

use super::{
    permutation::run,
    reference::{parameters, Parameters, MAX_INPUTS},
    schedule::Schedule,
};
use crate::{packed::Portable, F};

const FIELD: Portable<F> = Portable::available();

/// Cell 0 after one permutation of `[capacity, inputs]`.
///
/// # Panics
/// If `N` is not in `1..=12`.
pub fn hash<const N: usize>(capacity: F, inputs: [F; N]) -> F {
    let inputs = inputs.map(|x| FIELD.element(&x));
    FIELD.field_element(run(FIELD, schedule(N), FIELD.element(&capacity), inputs).next_cell())
}

fn schedule(n: usize) -> &'static Schedule<F> {
    static ALL: [OnceLock<Schedule<F>>; MAX_INPUTS + 1] =
        [const { OnceLock::new() }; MAX_INPUTS + 1];
    let parameters = parameters(n);
    // The initialiser must not use a thread pool: a thread that waits for its part of the work may
    // take another task, and that task may hash.
    ALL[n].get_or_init(|| Schedule::new(parameters).convert::<Portable<F>, 1>())
}

/// [`hash`] of a slice whose length is known only at run time.
///
/// # Panics
/// If the number of inputs is not in `1..=12`.
pub fn hash_slice(capacity: F, inputs: &[F]) -> F {
    /// Instantiates the permutation for every width: constant array lengths make it fast.
    macro_rules! for_length {
        ($($length:literal)*) => {
            match inputs.len() {
                $($length => {
                    hash::<$length>(capacity, inputs.try_into().expect("a match on the length"))
                })*
                other => panic!("Poseidon takes 1 to {MAX_INPUTS} inputs, not {other}"),
            }
        };
    }
    for_length!(1 2 3 4 5 6 7 8 9 10 11 12)
}

/// A permutation with the caller's parameters, for sponges.
#[derive(Clone, Debug)]
pub struct Permutation {
    schedule: Schedule<F>,
}

impl Permutation {
    /// Computes the constants, in a few milliseconds.
    ///
    /// # Panics
    /// If partial rounds degenerate with this MDS matrix: the matrix or its part without row and
    /// column 0 has no inverse, or its corner is 0.
    pub fn new(parameters: &Parameters) -> Permutation {
        Permutation { schedule: Schedule::new(parameters).convert::<Portable<F>, 1>() }
    }

    /// Permutes a state, given as cell 0 and the rest. In partial rounds only cell 0 passes an
    /// S-box.
    ///
    /// # Panics
    /// If the state does not have the width of the parameters.
    pub fn permute<const N: usize>(&self, first: &mut F, rest: &mut [F; N]) {
        let inputs = rest.map(|x| FIELD.element(&x));
        let mut unmixed = run(FIELD, &self.schedule, FIELD.element(first), inputs);
        *first = FIELD.field_element(unmixed.next_cell());
        for cell in rest {
            *cell = FIELD.field_element(unmixed.next_cell());
        }
    }
}
