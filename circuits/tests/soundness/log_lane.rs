//! Forgeries in the log lane: L1 to L9.

use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field, PrimeField};
use rootfold_core::{
    accumulator::{phi, Addend, Class, Lane},
    eddsa::{from_ark, to_ark, PublicKey, Scalar, Signature, BASE8},
    head::Head,
    item::item,
    key::Key,
    log::Tip,
    stamp::Stamp,
    step::{RowClass, Rule, Segment},
    F,
};

use crate::{
    accumulator::Sum,
    draft::{assert_caught, Draft},
    system::Open,
    world::{
        addend, key, put, row, run, secret, shape, sign, value, Put, Run, World, ALICE, MALLORY,
        OWNER, THEN,
    },
};

/// Replaces the y of the nth addition of this item's point by the other square root, which the rule
/// Accumulator allows, and recomputes everything that depends on it.
fn other_sign(open: &mut Open, addend: &Addend, lane: Lane, nth: usize) {
    let y = phi(addend, lane).y;
    let column = open.find(Rule::Accumulator, y)[nth];
    open.set(column, -y);
    open.repair(false);
}

/// An op on a key of height 0.
fn user(writer: u32, put: &Put) -> Addend {
    let stamp = Stamp { ts: put.ts, writer }.to_field();
    addend(Class::User, item(put.key.digest(), stamp, put.value))
}

/// Alice's run is not ended, so it needs no signature by her.
#[test]
fn a_run_starts_inside_another() {
    let mut world = World::usual();
    let mut unsigned = world.run(ALICE, &[put(200, key('a', 0), "Alice never wrote this")]);
    unsigned.segments[0].end = false;
    unsigned.segments[0].signature = Segment::unused(&shape()).signature;
    unsigned.rows.pop();
    // A writer after Alice, with Mallory's key.
    let later = 7;
    let head = Head { seq: F::ZERO, ..world.authors[&MALLORY].tip.head };
    world.admit(later, secret(MALLORY), head, Stamp { ts: 1, writer: OWNER });
    let own = world.run(later, &[put(200, key('c', 0), "mine")]);
    Draft::new(&world, &[unsigned, own]).caught_by(Rule::L1);
}

/// Two continuations of one log in one epoch, both signed by the writer.
#[test]
fn two_forks_of_one_writer() {
    let world = World::small();
    let left = world.run(MALLORY, &[put(200, key('a', 0), "to some")]);
    let right = world.run(MALLORY, &[put(201, key('c', 0), "to others")]);
    let draft = Draft::new(&world, &[left, right]);
    // There are two WRITEs of one key, and the tree has the old head once.
    draft.caught_by_all(Rule::L1, &[Rule::L1, Rule::M3, Rule::Seal]);
}

/// Runs that are not ordered by writer. Without the order, one writer could occur twice.
#[test]
fn writers_in_falling_order() {
    let world = World::usual();
    let runs = [
        world.run(ALICE, &[put(200, key('a', 0), "first")]),
        world.run(MALLORY, &[put(200, key('c', 0), "second")]),
    ];
    Draft::new(&world, &runs).caught_by(Rule::L1);
}

/// Clock of a grant.
const GRANTED: u64 = 150;

/// The root changes although no op is folded: the head entry of a granted writer gets the writer's
/// own stamp.
#[test]
fn a_run_without_ops() {
    let mut world = World::small();
    let writer = 5;
    let head = Head { seq: F::ZERO, ..world.authors[&MALLORY].tip.head };
    world.admit(writer, secret(MALLORY), head, Stamp { ts: GRANTED, writer: OWNER });
    let after = Tip { head, stamp: Stamp { ts: GRANTED, writer } };
    let mut segment = Segment::unused(&shape());
    segment.start = true;
    segment.end = true;
    segment.writer = writer;
    segment.head = head;
    segment.stamp = Stamp { ts: GRANTED, writer: OWNER };
    segment.signature = sign(&secret(MALLORY), &head);
    let rows = vec![row(RowClass::Write, &after.entry(writer))];
    let draft = Draft::new(&world, &[Run { writer, segments: vec![segment], rows, after }]);
    let next = draft.caught_by(Rule::L1);
    assert_ne!(next[0], world.root(), "the forger would have changed the root");
}

/// Alice's head entry, opened with Mallory's public key in it, so that Mallory could sign for her.
#[test]
fn a_run_from_a_head_that_the_tree_does_not_hold() {
    let world = World::usual();
    let mut stolen = world.authors[&ALICE].tip;
    stolen.head.public_key = secret(MALLORY).public_key();
    let forged = run(ALICE, stolen, &[put(200, key('a', 0), "forged")], &secret(MALLORY));
    let draft = Draft::new(&world, &[forged]);
    // The lanes read different heads ...
    draft.caught_by(Rule::Seal);
    // ... and if the merge lane reads the same, the old tree does not have the root.
    let mut agreed = draft;
    agreed.row(&Key::head(ALICE), RowClass::OldRead).value = stolen.head.digest();
    agreed.caught_by(Rule::Seal);
}

/// A run from a head of an earlier tree: the ops since are folded a second time, or replaced by a
/// fork.
#[test]
fn a_run_from_an_older_head() {
    let mut world = World::small();
    let before = world.authors[&MALLORY].tip;
    let first = world.run(MALLORY, &[put(200, key('a', 0), "folded already")]);
    world.admit(MALLORY, secret(MALLORY), first.after.head, first.after.stamp);
    let again = run(MALLORY, before, &[put(201, key('c', 0), "a fork")], &secret(MALLORY));
    Draft::new(&world, &[again]).caught_by(Rule::Seal);
}

/// A number of ops that wraps around zero: a head with `seq = -1` was granted, and one op later it
/// is 0.
#[test]
fn a_run_starts_from_a_seq_out_of_range() {
    let mut world = World::small();
    let head = Head { seq: -F::ONE, ..world.authors[&MALLORY].tip.head };
    world.admit(MALLORY, secret(MALLORY), head, Stamp { ts: 100, writer: OWNER });
    let wrapped = world.run(MALLORY, &[put(200, key('a', 0), "op number 0")]);
    assert_eq!(wrapped.after.head.seq, F::ZERO);
    Draft::new(&world, &[wrapped]).caught_by(Rule::L2);
}

/// An op as old as the last op folded. The stamp that the run reads is split into another clock and
/// writer: `ts * 2^32 + writer` is the same number as `(ts - 1) * 2^32 + (writer + 2^32)`, so the
/// tree does not tell, and the log seems to end one tick earlier.
#[test]
fn a_stamp_split_into_other_parts() {
    let world = World::small();
    let puts = [put(THEN, key('a', 0), "as if before"), put(200, key('c', 0), "now")];
    let draft = Draft::new(&world, &[world.run(MALLORY, &puts)]);
    draft.caught_by(Rule::L3);
    let mut open = draft.system().open();
    // The two parts are allocated one after the other.
    let clock = open.find(Rule::L2, F::from(THEN))[0];
    assert_eq!(open.values[clock + 1], F::from(MALLORY));
    open.set(clock, F::from(THEN - 1));
    open.set(clock + 1, F::from(MALLORY) + F::from(1u64 << 32));
    open.repair(false);
    assert_caught(&open.broken(), Rule::L2, &[Rule::L2]);
}

/// An op with a lower clock than the one before it in the log.
#[test]
fn an_op_dated_back() {
    let world = World::small();
    let puts = [put(200, key('a', 0), "now"), put(199, key('c', 0), "as if before")];
    Draft::new(&world, &[world.run(MALLORY, &puts)]).caught_by(Rule::L3);
    // The same clock as the last op folded: then WRITE does not override the old head either.
    let same = [put(THEN, key('a', 0), "as if before")];
    let draft = Draft::new(&world, &[world.run(MALLORY, &same)]);
    draft.caught_by_all(Rule::L3, &[Rule::L3, Rule::M1]);
}

/// A clock of 2^64 or more: a stamp that no later op can override.
#[test]
fn an_op_with_a_clock_out_of_range() {
    let world = World::small();
    let last_word = put(200, key('a', 0), "the last word");
    let mut run = world.run(MALLORY, &[last_word]);
    let ts = F::from(1u128 << 64) + F::from(last_word.ts);
    let stamp = ts * F::from(1u64 << 32) + F::from(MALLORY);
    let op = item(last_word.key.digest(), stamp, last_word.value);
    let honest_write = run.after.entry(MALLORY).item();
    let mut head = world.authors[&MALLORY].tip.head;
    head = head.after(op, false);
    let write = item(Key::head(MALLORY).digest(), stamp, head.digest());
    run.segments[0].signature = sign(&secret(MALLORY), &head);
    run.rows.iter_mut().for_each(|row| row.stamp = stamp);
    run.rows[1].value = head.digest();

    let mut open = Draft::new(&world, &[run]).system().open();
    let clock = open.find(Rule::L3, F::from(last_word.ts));
    assert_eq!(clock.len(), 1);
    let sums = [
        (user(MALLORY, &last_word), addend(Class::User, op)),
        (addend(Class::Write, honest_write), addend(Class::Write, write)),
    ]
    .map(|(honest, forged)| (Sum::of(&open, &honest, Lane::Log, 0), forged));
    open.set(clock[0], ts);
    for (sum, forged) in sums {
        sum.set_point(&mut open, &forged, Lane::Log);
    }
    open.repair(false);
    assert_caught(&open.broken(), Rule::L3, &[Rule::L3]);
}

/// The same op twice in a log: it is counted twice, and the merge lane consumes it twice.
#[test]
fn an_op_folded_twice() {
    let world = World::small();
    let twice = [put(200, key('a', 0), "again"); 2];
    let run = world.run(MALLORY, &twice);
    let draft = Draft::new(&world, &[run]);
    draft.caught_by_all(Rule::L3, &[Rule::L3, Rule::M1]);
}

/// The same op twice in a log with opposite signs, which cancel in the sum. The op is in the log
/// and not in the tree.
#[test]
fn an_op_that_cancels_itself() {
    let world = World::small();
    let hidden = put(200, key('a', 0), "happened, and did not");
    let mut run = world.run(MALLORY, &[hidden, hidden]);
    run.rows.retain(|row| row.class != RowClass::User);
    let draft = Draft::new(&world, &[run]);
    let mut open = draft.system().open();
    other_sign(&mut open, &user(MALLORY, &hidden), Lane::Log, 1);
    assert_caught(&open.broken(), Rule::L3, &[Rule::L3]);
}

/// An op in the middle is left out. Nobody has signed the log without it.
#[test]
fn an_op_dropped_from_the_middle() {
    let world = World::small();
    let puts = [
        put(200, key('a', 0), "kept"),
        put(201, key('a', 0), "unwelcome"),
        put(202, key('c', 0), "kept too"),
    ];
    let whole = world.run(MALLORY, &puts);
    let mut holed = world.run(MALLORY, &[puts[0], puts[2]]);
    holed.segments.last_mut().unwrap().signature = whole.segments.last().unwrap().signature;
    Draft::new(&world, &[holed]).caught_by(Rule::L5);
}

/// An op that is added to the accumulator and not linked to the head: it is in the tree and not in
/// the log.
#[test]
fn an_op_that_is_not_linked() {
    let world = World::small();
    let shown = put(200, key('a', 0), "shown");
    let hidden = put(201, key('c', 0), "hidden");
    let honest = world.run(MALLORY, &[shown]).after.head;
    let mut run = world.run(MALLORY, &[shown, hidden]);
    let linked = run.after.head.head;
    let written = run.after.entry(MALLORY).item();
    run.after.head.head = honest.head;
    run.segments[0].signature = sign(&secret(MALLORY), &run.after.head);
    run.rows.last_mut().unwrap().value = run.after.head.digest();
    let draft = Draft::new(&world, &[run.clone()]);
    let mut open = draft.system().open();
    let next_head = open.find(Rule::L4, linked);
    assert_eq!(next_head.len(), 1);
    open.set(next_head[0], honest.head);
    // WRITE has another item, and its point another j.
    let sum = Sum::of(&open, &addend(Class::Write, written), Lane::Log, 0);
    let write = addend(Class::Write, run.after.entry(MALLORY).item());
    sum.set_point(&mut open, &write, Lane::Log);
    open.repair(false);
    assert_caught(&open.broken(), Rule::L4, &[Rule::L4]);
}

/// A continuation of Alice's log that Mallory signed.
#[test]
fn a_run_signed_by_another() {
    let world = World::usual();
    let tip = world.authors[&ALICE].tip;
    let forged = run(ALICE, tip, &[put(200, key('a', 0), "forged")], &secret(MALLORY));
    Draft::new(&world, &[forged]).caught_by(Rule::L5);
}

/// A head entry with a public key of small order, for which anyone can sign.
#[test]
fn a_signature_under_a_key_of_small_order() {
    let mut world = World::small();
    let public_key = PublicKey { x: F::ZERO, y: F::ONE };
    let head = Head { public_key, seq: F::ZERO, head: value("head"), shared: F::ONE };
    world.admit(ALICE, secret(ALICE), head, Stamp { ts: 100, writer: OWNER });
    let mut forged = world.run(ALICE, &[put(200, key('a', 0), "by nobody")]);
    let s = Scalar::from(5u64);
    let r8 = from_ark(&to_ark(BASE8.x, BASE8.y).mul_bigint(s.into_bigint()).into_affine());
    forged.segments[0].signature = Signature { r8, s };
    Draft::new(&world, &[forged]).caught_by(Rule::L5);
}

/// A run that is ended twice. The second WRITE cancels the first: the ops are folded, the head
/// entry is unchanged, and the ops can be folded again in the next epoch.
#[test]
fn a_run_that_ends_twice() {
    let world = World::small();
    let mut run = world.run(MALLORY, &[put(200, key('a', 0), "again and again")]);
    let mut again = Segment::unused(&shape());
    again.end = true;
    again.signature = run.segments[0].signature;
    run.segments.push(again);
    run.rows.pop();
    let after = run.after.entry(MALLORY).item();
    let draft = Draft::new(&world, &[run]);
    let mut open = draft.system().open();
    other_sign(&mut open, &addend(Class::Write, after), Lane::Log, 1);
    assert_caught(&open.broken(), Rule::L5, &[Rule::L5]);
    assert_eq!(draft.native().err(), Some(Rule::L5));
}

/// The ops are folded and the head entry is unchanged, so they can be folded again.
#[test]
fn a_head_that_is_not_written() {
    let world = World::small();
    let mut run = world.run(MALLORY, &[put(200, key('a', 0), "again and again")]);
    run.rows.pop();
    Draft::new(&world, &[run]).caught_by(Rule::Seal);
}

/// The written head is not the signed one, so later ops would continue a log of the forger's
/// choice.
#[test]
fn another_head_is_written() {
    let world = World::small();
    let mut run = world.run(MALLORY, &[put(200, key('a', 0), "new")]);
    run.rows.last_mut().unwrap().value = value("another head");
    Draft::new(&world, &[run]).caught_by(Rule::Seal);
}

/// A number of ops of 2^64.
#[test]
fn a_run_ends_at_a_seq_out_of_range() {
    let mut world = World::small();
    let head = Head { seq: F::from(u64::MAX), ..world.authors[&MALLORY].tip.head };
    world.admit(MALLORY, secret(MALLORY), head, Stamp { ts: 100, writer: MALLORY });
    let run = world.run(MALLORY, &[put(200, key('a', 0), "one too many")]);
    Draft::new(&world, &[run]).caught_by(Rule::L6);
}

/// Mallory, who is not the owner, admits a writer.
#[test]
fn a_grant_by_a_writer_who_is_not_the_owner() {
    let world = World::small();
    let grant = put(200, Key::head(9), "myself");
    Draft::new(&world, &[world.run(MALLORY, &[grant])]).caught_by(Rule::L7);
}

/// An op in a slot outside every run: it is counted and in the tree, but not linked and not signed.
#[test]
fn an_op_outside_a_run() {
    let world = World::small();
    let mut run = world.run(MALLORY, &[put(200, key('a', 0), "signed")]);
    let free = put(201, key('c', 0), "free");
    let both = world.run(MALLORY, &[free]);
    let mut stray = both.segments[0].clone();
    stray.start = false;
    stray.end = false;
    run.segments.push(stray);
    run.rows.push(both.rows[0]);
    Draft::new(&world, &[run]).caught_by(Rule::L8);
}
