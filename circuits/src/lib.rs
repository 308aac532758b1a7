//! The step circuit: the functions of `rootfold-core` as R1CS constraints (`docs/circuits.md`).
//!
//! Every gadget has a native twin in `rootfold-core`, with the same module and name, and a test
//! that the two agree. Every rule of the circuit is a namespace of the constraint system with the
//! name of the rule, opened with [`rule!`].

pub mod accumulator;
pub mod bits;
pub mod eddsa;
pub mod hash;
pub mod head;
pub mod height;
pub mod item;
pub mod key;
pub mod step;

use ark_r1cs_std::{
    boolean::Boolean,
    fields::{fp::FpVar, FieldVar},
};
use ark_relations::gr1cs::SynthesisError;
use rootfold_core::F;

/// A field element in the circuit.
pub type Var = FpVar<F>;
/// A bit in the circuit.
pub type Bit = Boolean<F>;
/// What a gadget returns.
pub type Result<T> = std::result::Result<T, SynthesisError>;

/// Puts the constraints up to the end of the enclosing block into the namespace of a
/// [`Rule`](rootfold_core::step::Rule).
#[macro_export]
macro_rules! rule {
    ($cs:expr, $rule:ident) => {
        let _ = rootfold_core::step::Rule::$rule;
        let _namespace = ark_relations::ns!($cs, stringify!($rule));
    };
}

/// The bit as a field element.
pub(crate) fn var(bit: &Bit) -> Var {
    bit.clone().into()
}

/// Enforces `condition * x = 0`.
pub(crate) fn zero_if(condition: &Var, x: &Var) -> Result<()> {
    condition.mul_equals(x, &Var::zero())
}
