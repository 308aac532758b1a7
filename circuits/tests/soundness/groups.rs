//! Forgeries of owned keys, marks and groups: L9 to L11.

use rootfold_core::{
    head::Head,
    item::Entry,
    key::Key,
    mark::Mark,
    stamp::Stamp,
    step::{RowClass, Rule, SlotClass},
    F,
};

use crate::{
    draft::Draft,
    world::{key, put, secret, value, Put, World, ALICE, MALLORY, OWNER},
};

/// Mallory's key.
fn own() -> Key {
    Key::owned(MALLORY, b"post").unwrap()
}

fn mark(term: &[u8]) -> Mark {
    Mark::new(term, b"1").unwrap()
}

/// A put whose group goes on.
fn first(ts: u64, key: Key, text: &str) -> Put {
    Put { more: true, ..put(ts, key, text) }
}

/// An op and three marks of it, one of which is a withdrawal, in one group.
fn group() -> Vec<Put> {
    let tagged = |term: &[u8]| Put { key: mark(term).key(&own()), ..first(200, own(), "hello") };
    let puts = [first(200, own(), "hello"), tagged(b"cats"), tagged(b"dogs"), tagged(b"old")];
    let mut puts = puts.map(|put| Put { class: SlotClass::of(put.key.kind()), ..put }).to_vec();
    puts[3].value = F::from(0u64);
    puts[3].more = false;
    puts
}

#[test]
fn an_honest_group_is_accepted() {
    let world = World::usual();
    let mut puts = group();
    puts.push(put(201, key('a', 0), "the next group"));
    let run = world.run(MALLORY, &puts);
    let state = Draft::new(&world, std::slice::from_ref(&run)).accepted();
    let stamped =
        |p: &Put| Entry { key: p.key, stamp: Stamp { ts: p.ts, writer: MALLORY }, value: p.value };
    let mut written: Vec<Entry> = puts.iter().map(stamped).collect();
    written.push(run.after.entry(MALLORY));
    assert_eq!(state.root, world.root_with(&written));
    assert_eq!(state.ops, F::from(5u64));
}

/// Mallory writes a key of Alice.
#[test]
fn a_key_of_another_writer() {
    let world = World::usual();
    let theirs = put(200, Key::owned(ALICE, b"post").unwrap(), "as if by Alice");
    Draft::new(&world, &[world.run(MALLORY, &[theirs])]).caught_by(Rule::L9);
}

/// A writer with a right to shared keys of this number.
fn with_right(right: F) -> World {
    let mut world = World::usual();
    let head = Head { shared: right, ..world.authors[&MALLORY].tip.head };
    world.admit(MALLORY, secret(MALLORY), head, Stamp { ts: 100, writer: OWNER });
    world
}

/// A writer of a space whose shared keys are the owner's writes one.
#[test]
fn a_shared_key_without_the_right() {
    let world = with_right(F::from(0u64));
    let draft = Draft::new(&world, &[world.run(MALLORY, &[put(200, own(), "mine")])]);
    draft.accepted();
    let shared = put(200, key('a', 0), "not mine");
    Draft::new(&world, &[world.run(MALLORY, &[shared])]).caught_by(Rule::L9);
}

/// The owner granted 2 as the right. As a number it is neither the right nor its absence.
#[test]
fn a_right_that_is_no_bit() {
    let world = with_right(F::from(2u64));
    let draft = Draft::new(&world, &[world.run(MALLORY, &[put(200, own(), "mine")])]);
    assert_eq!(draft.native().err(), Some(Rule::L2));
    let mut open = draft.system().open();
    // The right is allocated after the head; the register of the same name has another rule.
    let head = open.find(Rule::L2, world.authors[&MALLORY].tip.head.head)[0];
    open.set(head + 1, F::from(2u64));
    open.repair(false);
    assert!(open.broken().iter().any(|broken| broken.rules.contains(&Rule::L2)));
}

/// An index entry of a put that marks nothing: it would show up in everybody's search.
#[test]
fn an_index_entry_without_its_op() {
    let world = World::usual();
    let index = Put { class: SlotClass::Shared, ..put(200, mark(b"cats").key(&own()), "spam") };
    Draft::new(&world, &[world.run(MALLORY, &[index])]).caught_by(Rule::L9);
}

/// A put with the clock of the op before it: the later of two ops of one stamp would be lost.
#[test]
fn a_user_op_called_a_mark() {
    let world = World::usual();
    let same = Put { class: SlotClass::Mark, ..put(200, key('a', 0), "hello") };
    let draft = Draft::new(&world, &[world.run(MALLORY, &[first(200, own(), "hello"), same])]);
    draft.caught_by_all(Rule::L9, &[Rule::L9, Rule::L10]);
}

/// A mark on a key that the writer has not written: another's post under a term of the attacker's choice.
#[test]
fn a_mark_of_another_key() {
    let world = World::usual();
    let mut puts = group();
    puts[1].key = mark(b"cats").key(&Key::owned(ALICE, b"post").unwrap());
    Draft::new(&world, &[world.run(MALLORY, &puts)]).caught_by(Rule::L10);
}

/// A search would show a value that the entry does not have.
#[test]
fn a_mark_with_another_value() {
    let world = World::usual();
    let mut puts = group();
    puts[1].value = value("another");
    Draft::new(&world, &[world.run(MALLORY, &puts)]).caught_by(Rule::L10);
}

/// A mark that is later than its op would never be current, or override a later one.
#[test]
fn a_mark_with_another_clock() {
    let world = World::usual();
    let mut puts = group();
    puts.truncate(2);
    puts[1].ts += 1;
    puts[1].more = false;
    Draft::new(&world, &[world.run(MALLORY, &puts)]).caught_by(Rule::L10);
}

/// A mark of an op whose group is over, and which may have been folded without the mark.
#[test]
fn a_mark_that_begins_a_group() {
    let world = World::usual();
    let mut puts = group();
    puts[0].more = false;
    Draft::new(&world, &[world.run(MALLORY, &puts)]).caught_by(Rule::L10);
}

/// The same mark twice, of which one is a withdrawal: two entries of one key and stamp.
#[test]
fn an_op_marked_twice_alike() {
    let world = World::usual();
    let mut puts = group();
    puts[3].key = puts[2].key;
    Draft::new(&world, &[world.run(MALLORY, &puts)]).caught_by(Rule::M1);
}

/// The first part of a group, signed: the rest would follow in another epoch, or never.
#[test]
fn a_run_that_ends_inside_a_group() {
    let world = World::usual();
    let run = world.run(MALLORY, &group()[..2]);
    Draft::new(&world, &[run]).caught_by(Rule::L11);
}

/// Two ops of a group as if they were two groups. Their writer has signed only the group: the links of both
/// differ in nothing but the tag.
#[test]
fn an_op_taken_out_of_its_group() {
    let world = World::usual();
    let second = put(201, key('a', 0), "and this");
    let whole = world.run(MALLORY, &[first(200, own(), "hello"), second]);
    let mut apart = world.run(MALLORY, &[put(200, own(), "hello"), second]);
    apart.segments[0].signature = whole.segments[0].signature;
    Draft::new(&world, &[apart]).caught_by(Rule::L5);
}

/// Marks are consumed by rows of the class USER: one that is consumed as a grant would not be counted as
/// an op on an index key.
#[test]
fn a_mark_that_becomes_a_grant() {
    let world = World::usual();
    let mut run = world.run(MALLORY, &group());
    let index = mark(b"cats").key(&own()).limbs();
    run.rows.iter_mut().filter(|row| row.key == index).for_each(|row| row.class = RowClass::Grant);
    Draft::new(&world, &[run]).caught_by(Rule::Seal);
}
