//! `H_n^tag`: Poseidon over BN254 with circomlib's parameters (design 2; Grassi et al., USENIX
//! Security 2021).
//!
//! One permutation of width n+1 on the state `[tag, x1..xn]`; the hash is element 0. With tag 0 it
//! equals circomlib, `light-poseidon` and `poseidon-rs`.

mod arithmetic;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod matrix;
mod permutation;
mod scalar;
mod schedule;

pub use permutation::{parameters, permute, Parameters, MAX_INPUTS};

use std::sync::OnceLock;

use ark_ff::PrimeField;

use self::{
    scalar::{Element, Scalar},
    schedule::{run, Schedule},
};
use crate::F;

/// What a hash is for. Distinct tags make hashes of distinct meaning distinct functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Tag {
    /// Tag 0: plain circomlib Poseidon, used where circomlib fixes it (EdDSA).
    Circomlib = 0,
    /// Key digest, `H_3(k1, k2, k3)`.
    Key = 1,
    /// Item, `H_3(kappa, stamp, value)`.
    Item = 2,
    /// First head of a log, `H_3(salt, pk.x, pk.y)`.
    Log = 3,
    /// Next head of a log, `H_2(head, item)`.
    Link = 4,
    /// What a writer signs, `H_2(head, seq)`.
    Sig = 5,
    /// Value of a head entry, `H_4(pk.x, pk.y, seq, head)`.
    Head = 6,
    /// Chain inside a node of the tree, `H_2(chain, item)`.
    Node = 7,
    /// Start of the chain of a node, `H_1(level)`.
    Iv = 8,
    /// Registers of the step circuit.
    Cursor = 9,
}

impl Tag {
    /// The tag as the field element that fills the first cell of the state.
    pub fn to_field(self) -> F {
        F::from(self as u64)
    }
}

/// `H_n^tag(inputs)`.
///
/// # Panics
/// If `N` is not in `1..=12`.
pub fn hash<const N: usize>(tag: Tag, inputs: [F; N]) -> F {
    let inputs = inputs.map(|x| Element::new(&x));
    run(Scalar, schedule(N), Element::new(&tag.to_field()), inputs).next_cell().to_field()
}

fn schedule(n: usize) -> &'static Schedule<F> {
    static ALL: [OnceLock<Schedule<F>>; MAX_INPUTS + 1] =
        [const { OnceLock::new() }; MAX_INPUTS + 1];
    let parameters = parameters(n);
    // Nothing in here may run on other threads: one that waits for its share takes other work, and
    // that may be to hash.
    ALL[n].get_or_init(|| Schedule::new(parameters).convert(|x| *x, scalar::addend))
}

/// The permutation of other parameters than circomlib's, for sponges.
#[derive(Clone, Debug)]
pub struct Permutation {
    schedule: Schedule<F>,
}

impl Permutation {
    /// Prepares the constants: takes milliseconds.
    ///
    /// # Panics
    /// If the matrix is not one of those of which the paper says that partial rounds do not
    /// degenerate: it, or its part below and right of cell 0, has no inverse, or a zero in its
    /// corner.
    pub fn new(parameters: &Parameters) -> Permutation {
        Permutation { schedule: Schedule::new(parameters).convert(|x| *x, scalar::addend) }
    }

    /// Permutes a state, given as cell 0 and the rest. Only cell 0 passes the S-boxes of partial
    /// rounds.
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

/// [`hash`] of a slice whose length is known only at run time.
///
/// # Panics
/// If the number of inputs is not in `1..=12`.
pub fn hash_slice(tag: Tag, inputs: &[F]) -> F {
    /// Compiles the permutation for every width: arrays of known length are what makes it fast.
    macro_rules! for_length {
        ($($length:literal)*) => {
            match inputs.len() {
                $($length => hash::<$length>(tag, inputs.try_into().expect("a match on the length")),)*
                other => panic!("Poseidon takes 1 to {MAX_INPUTS} inputs, not {other}"),
            }
        };
    }
    for_length!(1 2 3 4 5 6 7 8 9 10 11 12)
}

/// [`hash`] of many inputs that do not depend on each other, in less time than one by one where
/// the processor can. `N` is at most 3.
pub fn hash_each<const N: usize>(tag: Tag, inputs: &[[F; N]]) -> Vec<F> {
    const { assert!(N >= 1 && N <= 3, "lanes have no room for more") };
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = lanes::HashLanes::new::<N>() {
        return lanes.hash_each(tag, inputs);
    }
    inputs.iter().map(|inputs| hash(tag, *inputs)).collect()
}

/// A constant that nobody chose: BLAKE3 of `domain`, reduced into the field.
pub fn nothing_up_my_sleeve(domain: &str) -> F {
    let mut wide = [0u8; 64];
    blake3::Hasher::new().update(domain.as_bytes()).finalize_xof().fill(&mut wide);
    F::from_le_bytes_mod_order(&wide)
}
