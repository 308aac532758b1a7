//! Forgeries of the registers that are passed from step to step.

use rootfold_core::{
    accumulator::Class,
    item::item,
    stamp::Stamp,
    step::{Registers, RowClass, Rule},
    F,
};

use crate::{
    accumulator::added,
    draft::{assert_caught, user_row, Draft},
    world::{addend, key, put, value, World, ALICE, MALLORY},
};

fn epoch(world: &World) -> Draft {
    Draft::new(world, &[world.run(MALLORY, &[put(200, key('a', 0), "new")])])
}

/// A step that starts with a thousand ops that no step counted.
#[test]
fn a_cursor_opened_with_more_ops() {
    let world = World::small();
    let mut draft = epoch(&world);
    draft.registers.ops = 1000;
    let next = draft.caught_by(Rule::Cursor);
    assert_eq!(next[1], F::from(1001u64));
}

/// A step that starts with an unsigned op in the sum, to be consumed by a row.
#[test]
fn a_cursor_opened_with_another_sum() {
    let world = World::small();
    let mut draft = epoch(&world);
    let c = key('c', 0);
    let stamp = Stamp { ts: 500, writer: ALICE }.to_field();
    draft.row(&c, RowClass::Old).last = false;
    let at = draft.at(&c) + 1;
    draft.insert(at, [user_row(&c, stamp, value("forged"), true)]);
    draft.registers.acc = added(&addend(Class::User, item(c.digest(), stamp, value("forged"))));
    draft.caught_by(Rule::Cursor);
}

/// A step inside an epoch starts with registers in which a chain was replaced.
#[test]
fn a_cursor_opened_with_another_chain() {
    let world = World::small();
    let mut draft = epoch(&world);
    draft.seal = false;
    draft.trust_registers();
    draft.registers.new.above[2] = value("a chain");
    draft.caught_by(Rule::Cursor);
}

/// A step inside an epoch closes the cursor as IDLE: its unfinished work is dropped, and its state
/// would be accepted as a snapshot.
#[test]
fn a_cursor_closed_as_idle() {
    let world = World::small();
    let mut draft = epoch(&world);
    draft.seal = false;
    let state = draft.accepted();
    let mut open = draft.system().open();
    let column = open.find(Rule::Cursor, state.cursor);
    assert_eq!(column.len(), 1);
    open.set(column[0], Registers::idle_cursor());
    open.repair(false);
    assert_eq!(open.next_state()[2], Registers::idle_cursor());
    assert_caught(&open.broken(), Rule::Cursor, &[Rule::Cursor]);
}
