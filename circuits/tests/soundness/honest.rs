//! Honest drafts are accepted. Otherwise the refusal of a forgery would show nothing.

use rootfold_core::{
    item::Entry,
    key::Key,
    stamp::Stamp,
    step::{RowClass, Rule},
    F,
};

use crate::{
    draft::Draft,
    world::{key, put, value, World, ALICE, MALLORY, OWNER},
};

#[test]
fn an_honest_epoch_is_accepted() {
    let world = World::usual();
    let puts = [
        put(200, key('a', 0), "new"),
        put(201, key('b', 1), "an insert that splits a node"),
        put(202, key('d', 0), "an insert"),
    ];
    let run = world.run(MALLORY, &puts);
    let state = Draft::new(&world, std::slice::from_ref(&run)).accepted();
    let mut written: Vec<Entry> = puts
        .iter()
        .map(|p| Entry { key: p.key, stamp: Stamp { ts: p.ts, writer: MALLORY }, value: p.value })
        .collect();
    written.push(run.after.entry(MALLORY));
    assert_eq!(state.root, world.root_with(&written));
    assert_eq!(state.ops, F::from(3u64));
}

#[test]
fn an_honest_grant_is_accepted() {
    let world = World::usual();
    let grant = put(200, Key::head(9), "an opening");
    let runs =
        [world.run(OWNER, &[grant]), world.run(ALICE, &[put(200, key('c', 0), "by the way")])];
    assert_eq!(Draft::new(&world, &runs).accepted().ops, F::from(2u64));
}

#[test]
fn registers_are_carried_over() {
    let world = World::small();
    let run = world.run(MALLORY, &[put(200, key('a', 0), "new")]);
    let mut draft = Draft::new(&world, &[run]);
    draft.registers.ops = 5;
    draft.trust_registers();
    assert_eq!(draft.accepted().ops, F::from(6u64));
    draft.seal = false;
    let state = draft.accepted();
    assert_eq!((state.root, state.ops), (world.root(), F::from(0u64)));
}

/// Both twins refuse a wrong seal: a test of the suite itself.
#[test]
fn an_unsigned_op_is_seen() {
    let world = World::small();
    let run = world.run(MALLORY, &[put(200, key('a', 0), "new")]);
    let mut draft = Draft::new(&world, &[run]);
    draft.row(&key('a', 0), RowClass::User).value = value("another");
    draft.caught_by(Rule::Seal);
}
