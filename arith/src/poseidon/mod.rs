//! Poseidon over BN254's scalar field, with circomlib's parameters (Grassi et al., USENIX Security
//! 2021).
//!
//! A hash of n inputs is one permutation of width n+1 of the state `[capacity, x1..xn]`; the result
//! is cell 0. With capacity 0 it equals circomlib, `light-poseidon` and `poseidon-rs`.

mod arithmetic;
mod matrix;
#[cfg(target_arch = "x86_64")]
mod packed;
mod portable;
mod reference;
mod schedule;

pub use reference::{parameters, permute, Parameters, MAX_INPUTS};

use std::sync::OnceLock;

use self::{
    portable::{Element, Scalar},
    schedule::{run, Schedule},
};
use crate::F;

/// Cell 0 after one permutation of `[capacity, inputs]`.
///
/// # Panics
/// If `N` is not in `1..=12`.
pub fn hash<const N: usize>(capacity: F, inputs: [F; N]) -> F {
    let inputs = inputs.map(|x| Element::new(&x));
    run(Scalar, schedule(N), Element::new(&capacity), inputs).next_cell().to_field()
}

fn schedule(n: usize) -> &'static Schedule<F> {
    static ALL: [OnceLock<Schedule<F>>; MAX_INPUTS + 1] =
        [const { OnceLock::new() }; MAX_INPUTS + 1];
    let parameters = parameters(n);
    // The initialiser must not use a thread pool: a thread that waits for its part of the work may
    // take another task, and that task may hash.
    ALL[n].get_or_init(|| Schedule::new(parameters).convert(|x| *x, portable::addend))
}

/// [`hash`] of a slice whose length is known only at run time.
///
/// # Panics
/// If the number of inputs is not in `1..=12`.
pub fn hash_slice(capacity: F, inputs: &[F]) -> F {
    /// Instantiates the permutation for every width: it is fast because array lengths are constants.
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

/// [`hash`] of each element of a list, several at a time where the processor has vector
/// instructions. `N` is at most 3.
pub fn hash_each<const N: usize>(capacity: F, inputs: &[[F; N]]) -> Vec<F> {
    const { assert!(N >= 1 && N <= 3, "a sum of products has room for 3 inputs") };
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = packed::HashLanes::new::<N>() {
        return lanes.hash_each(capacity, inputs);
    }
    inputs.iter().map(|inputs| hash(capacity, *inputs)).collect()
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
        Permutation { schedule: Schedule::new(parameters).convert(|x| *x, portable::addend) }
    }

    /// Permutes a state, given as cell 0 and the rest. In partial rounds only cell 0 passes an
    /// S-box.
    ///
    /// # Panics
    /// If the state does not have the width of the parameters.
    pub fn permute<const N: usize>(&self, first: &mut F, rest: &mut [F; N]) {
        let inputs = rest.map(|x| Element::new(&x));
        let mut unmixed = run(Scalar, &self.schedule, Element::new(first), inputs);
        *first = unmixed.next_cell().to_field();
        for cell in rest {
            *cell = unmixed.next_cell().to_field();
        }
    }
}
