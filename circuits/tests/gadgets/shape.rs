//! A circuit has the same constraints for every witness, with values and without.

use ark_relations::gr1cs::{ConstraintSystemRef, SynthesisMode};
use rootfold_circuits::step::{step, StateVar};
use rootfold_core::{
    eddsa::SecretKey,
    step::{Profile, Registers, RowClass, SlotClass, State, StepWitness, TreeOp},
    F,
};

use crate::{fresh, witness};

const TINY: Profile = Profile { name: "tiny", segments: 1, slots: 2, rows: 2, tree_rows: 1 };

fn synthesize(cs: &ConstraintSystemRef<F>, profile: &Profile, step_witness: &StepWitness) {
    let z = State::genesis(F::from(7u64));
    let z = StateVar {
        root: witness(cs, z.root),
        ops: witness(cs, z.ops),
        cursor: witness(cs, z.cursor),
    };
    step(cs, profile, &z, step_witness).unwrap();
}

/// A constraint system in setup mode, without values.
pub(crate) fn setup(profile: &Profile) -> ConstraintSystemRef<F> {
    let cs = fresh();
    cs.set_mode(SynthesisMode::Setup);
    synthesize(&cs, profile, &StepWitness::idle(profile, Registers::idle()));
    cs
}

#[test]
fn an_idle_step_is_satisfied() {
    let cs = fresh();
    synthesize(&cs, &TINY, &StepWitness::idle(&TINY, Registers::idle()));
    assert_eq!(cs.which_is_unsatisfied().unwrap(), None);
}

#[test]
fn setup_and_prove_have_one_shape() {
    let idle = StepWitness::idle(&TINY, Registers::idle());
    let mut busy = idle.clone();
    busy.segments[0].start = true;
    busy.segments[0].head.public_key = SecretKey::from_bytes([1; 32]).public_key();
    busy.segments[0].ops[0].class = SlotClass::Mark;
    busy.segments[0].ops[0].more = true;
    busy.segments[0].ops[1].class = SlotClass::Grant;
    busy.segments[0].end = true;
    busy.rows[0].merge.class = RowClass::User;
    busy.rows[1].merge.class = RowClass::OldRead;
    busy.rows[1].merge.last = true;
    busy.rows[0].merge.skips = true;
    busy.rows[0].merge.height = 3;
    busy.rows[0].tree[0].op = TreeOp::CloseNew;
    busy.rows[1].tree[0].op = TreeOp::CloseBoth;
    busy.seal = true;

    let expected = setup(&TINY);
    expected.finalize();
    let matrices = expected.to_matrices().unwrap();
    for step_witness in [idle, busy] {
        let cs = fresh();
        synthesize(&cs, &TINY, &step_witness);
        cs.finalize();
        assert_eq!(cs.num_witness_variables(), expected.num_witness_variables());
        assert_eq!(cs.to_matrices().unwrap(), matrices);
    }
}
