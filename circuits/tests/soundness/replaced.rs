//! Forgeries of replaced heads: L12 and L13.

use ark_ff::Field;
use rootfold_core::{
    eddsa::PublicKey,
    head::Head,
    item::Entry,
    key::Key,
    log::Tip,
    replacement::Replacement,
    stamp::Stamp,
    step::{RowClass, Rule, SlotClass},
    F,
};

use crate::{
    draft::Draft,
    world::{key, put, row, secret, segmented, sign, Put, Run, World, ALICE, MALLORY, OWNER},
};

/// Clock of the replacement.
const NOW: u64 = 201;

/// A key that Alice has made after the loss of her first one.
fn new_key() -> PublicKey {
    secret(20).public_key()
}

/// The replacement of Alice's key.
fn of_alice(world: &World) -> Replacement {
    let before = world.authors[&ALICE].tip;
    Replacement::Head { writer: ALICE, before, public_key: new_key(), shared: true }
}

/// The op of a replacement.
fn op(replacement: &Replacement) -> Put {
    let (key, value) = (replacement.key(), replacement.digest());
    Put { ts: NOW, key, value, class: SlotClass::Replacement, more: false }
}

/// Opens the head of another writer in a segment, as its first op asks for, and adds the new head entry.
fn replace_in(run: &mut Run, segment: usize, replacement: &Replacement) {
    let Replacement::Head { writer, before, public_key, shared } = *replacement else {
        panic!("the owner's key is replaced at the end of a run");
    };
    let into = &mut run.segments[segment];
    (into.writer, into.head, into.stamp) = (writer, before.head, before.stamp);
    (into.new_key, into.new_shared) = (public_key, shared);
    let stamp = Stamp { ts: into.ops[0].ts, writer: run.writer };
    let after = Tip { head: replacement.after().unwrap(), stamp };
    run.rows.push(row(RowClass::Write, &after.entry(writer)));
}

/// A run of the owner with a replacement between two ops.
fn replacing(world: &World, replacement: &Replacement) -> Run {
    let owner = &world.authors[&OWNER];
    let (first, last) = (put(200, key('a', 0), "before"), put(202, key('c', 0), "after"));
    let chunks: [&[Put]; 3] = [&[first], &[op(replacement), last], &[]];
    let mut run = segmented(OWNER, owner.tip, &chunks, &owner.secret);
    replace_in(&mut run, 1, replacement);
    run
}

/// A run of the owner that ends with a new key of their own.
fn rekeying(world: &World, new_key: PublicKey) -> Run {
    let owner = &world.authors[&OWNER];
    let replacement = Replacement::OwnerKey(new_key);
    let first = put(200, key('a', 0), "under the old key");
    let chunks: [&[Put]; 2] = [&[first], &[op(&replacement)]];
    let mut run = segmented(OWNER, owner.tip, &chunks, &owner.secret);
    put_in_place(&mut run, new_key);
    run
}

/// Makes the last segment of a run of the owner put a key in place.
fn put_in_place(run: &mut Run, public_key: PublicKey) {
    run.segments.last_mut().unwrap().new_key = public_key;
    let head = Head { public_key, ..run.after.head };
    run.after = Tip { head, ..run.after };
    *run.rows.last_mut().unwrap() = row(RowClass::Write, &run.after.entry(OWNER));
}

/// The entry of a put by the owner.
fn written(put: &Put) -> Entry {
    Entry { key: put.key, stamp: Stamp { ts: put.ts, writer: OWNER }, value: put.value }
}

#[test]
fn an_honest_replacement_is_accepted() {
    let world = World::usual();
    let replacement = of_alice(&world);
    let run = replacing(&world, &replacement);
    let state = Draft::new(&world, std::slice::from_ref(&run)).accepted();
    let stamp = Stamp { ts: NOW, writer: OWNER };
    let alice = Tip { head: replacement.after().unwrap(), stamp };
    let entries = [
        written(&put(200, key('a', 0), "before")),
        written(&put(202, key('c', 0), "after")),
        alice.entry(ALICE),
        run.after.entry(OWNER),
    ];
    assert_eq!(state.root, world.root_with(&entries));
    assert_eq!(state.ops, F::from(3u64));
}

/// A replacement can be the only op of its run, beside runs of other writers.
#[test]
fn an_honest_replacement_alone_is_accepted() {
    let world = World::usual();
    let replacement = of_alice(&world);
    let owner = &world.authors[&OWNER];
    let chunks: [&[Put]; 3] = [&[], &[op(&replacement)], &[]];
    let mut run = segmented(OWNER, owner.tip, &chunks, &owner.secret);
    replace_in(&mut run, 1, &replacement);
    let beside = world.run(MALLORY, &[put(200, key('c', 0), "meanwhile")]);
    assert_eq!(Draft::new(&world, &[run, beside]).accepted().ops, F::from(2u64));
}

#[test]
fn an_honest_new_key_of_the_owner_is_accepted() {
    let world = World::usual();
    let run = rekeying(&world, new_key());
    let state = Draft::new(&world, std::slice::from_ref(&run)).accepted();
    let entries = [written(&put(200, key('a', 0), "under the old key")), run.after.entry(OWNER)];
    assert_eq!(state.root, world.root_with(&entries));
    // As the only op, in the segment in which the run starts.
    let owner = &world.authors[&OWNER];
    let replacement = Replacement::OwnerKey(new_key());
    let mut alone = segmented(OWNER, owner.tip, &[&[op(&replacement)]], &owner.secret);
    put_in_place(&mut alone, new_key());
    Draft::new(&world, &[alone]).accepted();
}

/// Mallory gives Alice's log a key of their own.
#[test]
fn a_head_replaced_by_another_writer() {
    let world = World::usual();
    let replacement = of_alice(&world);
    let mallory = &world.authors[&MALLORY];
    let chunks: [&[Put]; 3] = [&[put(200, key('a', 0), "mine")], &[op(&replacement)], &[]];
    let mut run = segmented(MALLORY, mallory.tip, &chunks, &mallory.secret);
    replace_in(&mut run, 1, &replacement);
    Draft::new(&world, &[run]).caught_by(Rule::L7);
}

/// The owner has named another head of Alice's log: ops that were cut off stay, or others go.
#[test]
fn a_replacement_of_a_head_that_the_owner_did_not_name() {
    let world = World::usual();
    let Replacement::Head { mut before, .. } = of_alice(&world) else { unreachable!() };
    before.head.seq -= F::ONE;
    before.head.head += F::ONE;
    let (writer, public_key) = (ALICE, new_key());
    let signed = Replacement::Head { writer, before, public_key, shared: true };
    let mut run = replacing(&world, &signed);
    run.rows.pop();
    replace_in(&mut run, 1, &of_alice(&world));
    Draft::new(&world, &[run]).caught_by(Rule::L12);
}

/// A prover puts their own key in the place of the one that the owner has signed.
#[test]
fn a_key_that_the_owner_did_not_name() {
    let world = World::usual();
    let mut run = replacing(&world, &of_alice(&world));
    run.rows.pop();
    let Replacement::Head { writer, before, shared, .. } = of_alice(&world) else { unreachable!() };
    let public_key = secret(MALLORY).public_key();
    replace_in(&mut run, 1, &Replacement::Head { writer, before, public_key, shared });
    Draft::new(&world, &[run]).caught_by(Rule::L12);
}

/// A log that goes on from another number of ops: they would be folded twice.
#[test]
fn a_log_taken_back_by_its_replacement() {
    let world = World::usual();
    let honest = of_alice(&world);
    let earlier = Head { seq: F::from(2u64), ..honest.after().unwrap() };
    let mut run = replacing(&world, &honest);
    run.segments[1].ops[0].value = rootfold_core::hash::hash(
        rootfold_core::hash::Tag::Replace,
        [world.authors[&ALICE].tip.entry(ALICE).item(), earlier.digest()],
    );
    // The links and the signature are over what the owner has signed.
    let owner = &world.authors[&OWNER];
    let mut tip = owner.tip;
    for segment in &run.segments {
        for slot in segment.ops.iter().filter(|slot| slot.class.is_used()) {
            let entry = Entry {
                key: Key::from_limbs(&slot.key).unwrap(),
                stamp: Stamp { ts: slot.ts, writer: OWNER },
                value: slot.value,
            };
            tip.head = tip.head.after(entry.item(), slot.more);
            tip.stamp = entry.stamp;
        }
    }
    run.segments[2].signature = sign(&owner.secret, &tip.head);
    let write = Key::head(OWNER).limbs();
    let written = row(RowClass::Write, &tip.entry(OWNER));
    run.rows.iter_mut().filter(|row| row.key == write).for_each(|row| *row = written);
    Draft::new(&world, &[run]).caught_by(Rule::L12);
}

/// Alice's ops after the named head are folded in the same epoch.
#[test]
fn a_replacement_beside_a_run_of_its_writer() {
    let world = World::usual();
    let run = replacing(&world, &of_alice(&world));
    let beyond = world.run(ALICE, &[put(203, key('c', 0), "cut off")]);
    let draft = Draft::new(&world, &[run, beyond]);
    // There are two WRITEs of one key, and the tree has the old head once.
    draft.caught_by_all(Rule::M3, &[Rule::M3, Rule::Seal]);
}

/// The segment in which the owner's run starts has opened the owner's head.
#[test]
fn a_replacement_where_its_run_starts() {
    let world = World::usual();
    let replacement = of_alice(&world);
    let owner = &world.authors[&OWNER];
    let chunks: [&[Put]; 2] = [&[op(&replacement)], &[]];
    let mut run = segmented(OWNER, owner.tip, &chunks, &owner.secret);
    let into = &mut run.segments[0];
    (into.new_key, into.new_shared) = (new_key(), true);
    let native = Draft::new(&world, &[run]);
    assert_eq!(native.native().err(), Some(Rule::L12));
    let broken = native.system().broken();
    assert!(broken.iter().any(|broken| broken.rules.last() == Some(&Rule::L12)));
}

/// A replacement in a slot where no segment looks: the op is in the log, and Alice keeps her key.
#[test]
fn a_replacement_in_a_later_slot() {
    let world = World::usual();
    let owner = &world.authors[&OWNER];
    let first = put(200, key('a', 0), "before");
    let chunks: [&[Put]; 1] = [&[first, op(&of_alice(&world))]];
    let run = segmented(OWNER, owner.tip, &chunks, &owner.secret);
    Draft::new(&world, &[run]).caught_by(Rule::L12);
}

/// The replacement of Alice's key at the end of a run, as if it were one of the owner's.
#[test]
fn a_replacement_that_replaces_nothing() {
    let world = World::usual();
    let mut run = rekeying(&world, new_key());
    run.segments[1].ops[0].key = Key::replacement(ALICE).limbs();
    let owner = &world.authors[&OWNER];
    let first = put(200, key('a', 0), "under the old key");
    let replaced = Put { key: Key::replacement(ALICE), ..op(&Replacement::OwnerKey(new_key())) };
    run = segmented(OWNER, owner.tip, &[&[first], &[replaced]], &owner.secret);
    put_in_place(&mut run, new_key());
    Draft::new(&world, &[run]).caught_by(Rule::L13);
}

/// The space belongs to Mallory.
#[test]
fn an_owner_that_the_owner_did_not_name() {
    let world = World::usual();
    let mut run = rekeying(&world, new_key());
    put_in_place(&mut run, secret(MALLORY).public_key());
    Draft::new(&world, &[run]).caught_by(Rule::L12);
}

/// An op after the new key is signed by the old one, which may be stolen.
#[test]
fn an_op_after_the_owners_old_key() {
    let world = World::usual();
    let owner = &world.authors[&OWNER];
    let replacement = Replacement::OwnerKey(new_key());
    let later = put(202, key('a', 0), "by the thief");
    let mut run = segmented(OWNER, owner.tip, &[&[op(&replacement), later]], &owner.secret);
    put_in_place(&mut run, new_key());
    Draft::new(&world, &[run]).caught_by(Rule::L13);
}
