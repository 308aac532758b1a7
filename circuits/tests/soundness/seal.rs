//! Forgeries of the seal, one for each of its conditions and effects.

use rootfold_core::{
    height::H,
    key::Key,
    step::{step, Registers, RowClass, Rule, Segment},
    F,
};

use crate::{
    draft::{assert_caught, opaque, Action, Draft},
    world::{key, put, shape, value, World, MALLORY},
};

fn epoch(world: &World) -> Draft {
    Draft::new(world, &[world.run(MALLORY, &[put(200, key('a', 0), "new")])])
}

/// A step that only seals a complete epoch, with registers that the forger changed. The cursor of
/// the state is made to fit them.
fn sealing(change: impl FnOnce(&mut Registers)) -> Draft {
    let world = World::small();
    let mut draft = epoch(&world);
    draft.seal = false;
    let (profile, witness) = draft.witness();
    let (_, registers) = step(&profile, &draft.state, &witness).unwrap();
    let mut last = Draft { registers, segments: Vec::new(), actions: Vec::new(), ..draft };
    last.seal = true;
    change(&mut last.registers);
    last.trust_registers();
    last
}

#[test]
fn a_complete_epoch_is_sealed() {
    assert_eq!(sealing(|_| {}).accepted().ops, F::from(1u64));
}

/// The last run is not ended, so it needs no signature.
#[test]
fn a_seal_in_mid_run() {
    let world = World::small();
    let mut run = world.run(MALLORY, &[put(200, key('a', 0), "unsigned")]);
    run.segments[0].end = false;
    run.segments[0].signature = Segment::unused(&shape()).signature;
    run.rows.pop();
    Draft::new(&world, &[run]).caught_by(Rule::Seal);
}

/// An insert whose right neighbour is not opened.
#[test]
fn a_seal_before_the_right_neighbour() {
    sealing(|r| r.wait_right = true).caught_by(Rule::Seal);
}

/// A seal inside a key, whose last row is not in the new tree.
#[test]
fn a_seal_inside_a_key() {
    sealing(|r| r.inside = true).caught_by(Rule::Seal);
}

/// A node that an insert ends is not closed.
#[test]
fn a_seal_while_a_close_is_due() {
    sealing(|r| r.due = 1).caught_by(Rule::Seal);
}

/// The lanes have different items: a signed op is not in the tree.
#[test]
fn a_seal_with_a_nonzero_accumulator() {
    let world = World::small();
    let mut draft = epoch(&world);
    let a = key('a', 0);
    draft.row(&a, RowClass::Old).last = true;
    let at = draft.at(&a) + 1;
    draft.actions.remove(at);
    draft.caught_by(Rule::Seal);
    // The opposite of the start has the same x.
    sealing(|r| r.acc = -r.acc).caught_by(Rule::Seal);
}

/// The whole tree is one opaque item, and the edits are in a node that stays open: the ops are
/// counted and have no effect.
#[test]
fn a_seal_with_an_open_node() {
    let world = World::small();
    let mut draft = epoch(&world);
    draft.actions.retain(|action| matches!(action, Action::Merge(_)));
    draft.insert(0, [opaque(world.levels()[H][0].0)]);
    let next = draft.caught_by(Rule::Seal);
    assert_eq!(next[1], F::from(1u64));
}

/// An old tree that does not have the root.
#[test]
fn a_seal_of_another_tree() {
    let world = World::small();
    let mut own = World::small();
    own.entries.get_mut(&key('c', 0)).unwrap().value = value("rewritten");
    let mut draft = epoch(&own);
    draft.state = world.state();
    draft.caught_by(Rule::Seal);
}

/// The root of the next state is not that of the new tree.
#[test]
fn a_root_of_the_forgers_choice() {
    let draft = epoch(&World::small());
    let root = draft.accepted().root;
    let mut open = draft.system().open();
    let column = open.find(Rule::Seal, root);
    assert_eq!(column.len(), 1);
    let wanted = value("a root");
    open.set(column[0], wanted);
    open.repair(false);
    assert_eq!(open.next_state()[0], wanted);
    assert_caught(&open.broken(), Rule::Seal, &[Rule::Seal]);
}

/// More ops are counted than were folded.
#[test]
fn ops_counted_wrong() {
    let ops = 71;
    let draft = sealing(|r| r.ops = ops);
    assert_eq!(draft.accepted().ops, F::from(ops));
    let mut open = draft.system().open();
    let column = open.find(Rule::Seal, F::from(ops));
    assert_eq!(column.len(), 1);
    open.set(column[0], F::from(1000u64));
    open.repair(false);
    assert_eq!(open.next_state()[1], F::from(1000u64));
    assert_caught(&open.broken(), Rule::Seal, &[Rule::Seal]);
}

/// The root changes in a step that does not seal.
#[test]
fn a_root_that_moves_without_a_seal() {
    let world = World::small();
    let mut draft = epoch(&world);
    draft.seal = false;
    let mut open = draft.system().open();
    let column = open.find(Rule::Seal, world.root());
    assert_eq!(column.len(), 1);
    open.set(column[0], value("a root"));
    open.repair(false);
    assert_caught(&open.broken(), Rule::Seal, &[Rule::Seal]);
}

/// The head entry gets its old value back, so that the ops could be folded again.
#[test]
fn a_seal_that_forgets_the_head() {
    let world = World::small();
    let mut draft = epoch(&world);
    let head = Key::head(MALLORY);
    let stale = world.entry(head).value;
    draft.row(&head, RowClass::Write).value = stale;
    draft.caught_by(Rule::Seal);
}
