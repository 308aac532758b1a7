//! Forgeries in the merge lane: M1 to M7.

use ark_ff::{FftField, Field};
use rootfold_core::{
    accumulator::{phi, start, Addend, Class, Lane},
    head::Head,
    item::{item, Entry},
    key::{key_digest, Key},
    stamp::Stamp,
    step::{merge_row, tree_row, RowClass, Rule, SlotClass},
    tree::chain::{absorb, iv},
    F,
};

use crate::{
    accumulator::Sum,
    draft::{
        assert_caught, close_both, close_new, opaque, row_height, skip, user_row, Action, Draft,
    },
    system::Open,
    world::{addend, key, put, sign, value, Put, World, ALICE, MALLORY, OWNER},
};

/// A space with user keys of these letters and heights, and a run with a put on one key.
fn insert(keys: &[(char, usize)], new: Key) -> (World, Draft) {
    let keys: Vec<Key> = keys.iter().map(|(letter, height)| key(*letter, *height)).collect();
    let world = World::new(&[MALLORY], &keys);
    let run = world.run(MALLORY, &[put(200, new, "inserted")]);
    let draft = Draft::new(&world, &[run]);
    draft.accepted();
    (world, draft)
}

/// An insert after a greater key. A search ends at the wrong place and proves to readers that the
/// key does not exist.
#[test]
fn a_key_inserted_out_of_order() {
    let b = key('b', 0);
    let (_, mut draft) = insert(&[('a', 0), ('c', 0), ('e', 0)], b);
    let rows = draft.cut(&b);
    let at = draft.at(&key('e', 0));
    draft.insert(at, rows);
    draft.caught_by(Rule::M1);
}

/// A limb of 2^248 or more: an entry under a key that no 93 bytes encode.
#[test]
fn a_key_with_a_limb_out_of_range() {
    let (world, mut draft) = insert(&[('a', 0), ('c', 0)], key('b', 0));
    let limbs = [0u64, 1, 2]
        .iter()
        .map(|i| {
            let [k1, k2, k3] = key('b', 0).limbs();
            [k1, k2, k3 + F::from(2u64).pow([248]) + F::from(*i)]
        })
        .find(|limbs| row_height(*limbs) == 0)
        .expect("one of three has height 0");
    draft.row(&key('b', 0), RowClass::User).key = limbs;
    draft.segments[0].ops[0].key = limbs;
    resign(&world, &mut draft);
    draft.caught_by(Rule::L9);
}

/// Signs the draft's only run again and writes the resulting head.
fn resign(world: &World, draft: &mut Draft) {
    let author = &world.authors[&MALLORY];
    let mut tip = author.tip;
    for op in draft.segments[0].ops.iter().filter(|op| op.class.is_used()) {
        tip.stamp = Stamp { ts: op.ts, writer: MALLORY };
        let item = item(key_digest(op.key), tip.stamp.to_field(), op.value);
        tip.head = tip.head.after(item, op.more);
    }
    draft.segments[0].signature = sign(&author.secret, &tip.head);
    draft.row(&Key::head(MALLORY), RowClass::Write).value = tip.head.digest();
}

/// A key of the tree is inserted a second time, before its old entry, which it hides.
#[test]
fn a_key_that_exists_inserted_again() {
    let world = World::small();
    let a = key('a', 0);
    let run = world.run(MALLORY, &[put(200, a, "twice in the tree")]);
    let mut draft = Draft::new(&world, &[run]);
    draft.row(&a, RowClass::Old).last = true;
    draft.caught_by(Rule::M1);
}

/// An op with an older stamp than the entry in the tree replaces it.
#[test]
fn an_older_op_overrides_a_newer_one() {
    let mut world = World::small();
    let a = key('a', 0);
    let newer = Entry { key: a, stamp: Stamp { ts: 300, writer: OWNER }, value: value("newer") };
    world.entries.insert(a, newer);
    let run = world.run(MALLORY, &[put(200, a, "older")]);
    let mut draft = Draft::new(&world, &[run]);
    draft.accepted();
    let at = draft.at(&a);
    draft.actions.swap(at, at + 1);
    draft.row(&a, RowClass::Old).last = false;
    draft.row(&a, RowClass::User).last = true;
    draft.caught_by(Rule::M1);
}

/// An op that nobody signed, in two rows with opposite signs. They cancel in the sum, and the op is
/// in the tree.
#[test]
fn an_unsigned_op_that_cancels_itself() {
    let world = World::small();
    let run = world.run(MALLORY, &[put(200, key('a', 0), "signed")]);
    let mut draft = Draft::new(&world, &[run]);
    let c = key('c', 0);
    let stamp = Stamp { ts: 500, writer: ALICE }.to_field();
    draft.row(&c, RowClass::Old).last = false;
    let at = draft.at(&c) + 1;
    let forged = value("forged");
    draft.insert(at, [user_row(&c, stamp, forged, false), user_row(&c, stamp, forged, true)]);
    let mut open = draft.system().open();
    other_sign(&mut open, &addend(Class::User, item(c.digest(), stamp, forged)));
    assert_caught(&open.broken(), Rule::M1, &[Rule::M1]);
    assert_eq!(draft.native().err(), Some(Rule::M1));
}

fn other_sign(open: &mut Open, addend: &Addend) {
    let y = phi(addend, Lane::Merge).y;
    let found = open.find(Rule::M2, y);
    assert_eq!(found.len(), 2, "two rows hold the item");
    open.set(found[1], -y);
    open.repair(false);
}

/// An OP row of an op that is in no log.
#[test]
fn an_op_that_nobody_signed() {
    let world = World::small();
    let run = world.run(MALLORY, &[put(200, key('a', 0), "signed")]);
    let mut draft = Draft::new(&world, &[run]);
    let c = key('c', 0);
    draft.row(&c, RowClass::Old).last = false;
    let at = draft.at(&c) + 1;
    let stamp = Stamp { ts: 500, writer: ALICE }.to_field();
    draft.insert(at, [user_row(&c, stamp, value("forged"), true)]);
    draft.caught_by(Rule::Seal);
}

/// The merge lane leaves out a signed op, while its writer's head moves past it.
#[test]
fn a_signed_op_left_out() {
    let world = World::small();
    let puts = [put(200, key('a', 0), "welcome"), put(201, key('c', 0), "unwelcome")];
    let mut draft = Draft::new(&world, &[world.run(MALLORY, &puts)]);
    let c = key('c', 0);
    draft.row(&c, RowClass::Old).last = true;
    let at = draft.at(&c) + 1;
    draft.actions.remove(at);
    draft.caught_by(Rule::Seal);
}

/// An OP row of an op that is in no log, whose point is not subtracted: the coordinates of the sum
/// are overwritten by those before the row.
#[test]
fn a_row_that_subtracts_nothing() {
    let world = World::small();
    let mut draft = Draft::new(&world, &[world.run(MALLORY, &[put(200, key('a', 0), "signed")])]);
    let c = key('c', 0);
    draft.row(&c, RowClass::Old).last = false;
    let at = draft.at(&c) + 1;
    let stamp = Stamp { ts: 500, writer: ALICE }.to_field();
    let forged = value("forged");
    draft.insert(at, [user_row(&c, stamp, forged, true)]);
    let mut open = draft.system().open();
    let sum = Sum::of(&open, &addend(Class::User, item(c.digest(), stamp, forged)), Lane::Merge, 0);
    // All other items are consumed before this row.
    open.set(sum.x, start().x);
    open.set(sum.y, start().y);
    open.repair(false);
    let broken = open.broken();
    assert_caught(&broken, Rule::Accumulator, &[Rule::Accumulator]);
    assert_eq!(broken[0].rules, [Rule::M2, Rule::Accumulator]);
}

/// A user op overwrites Alice's head entry, so that her log belongs to Mallory.
#[test]
fn a_head_entry_overwritten_by_a_user_op() {
    let world = World::usual();
    let stolen = Head {
        public_key: world.authors[&MALLORY].tip.head.public_key,
        ..world.authors[&ALICE].tip.head
    };
    let theft = Put {
        ts: 200,
        key: Key::head(ALICE),
        value: stolen.digest(),
        class: SlotClass::Shared,
        more: false,
    };
    let mut draft = Draft::new(&world, &[world.run(MALLORY, &[theft])]);
    draft.caught_by(Rule::L9);
    // As a grant in the merge lane, it has another point.
    draft.row(&Key::head(ALICE), RowClass::User).class = RowClass::Grant;
    draft.caught_by_all(Rule::L9, &[Rule::L9, Rule::M3, Rule::Seal]);
}

/// A new writer by a user op, which only the merge lane calls a grant.
#[test]
fn a_user_op_that_becomes_a_grant() {
    let world = World::small();
    let op = Put {
        ts: 200,
        key: Key::head(9),
        value: value("myself"),
        class: SlotClass::Shared,
        more: false,
    };
    let mut draft = Draft::new(&world, &[world.run(MALLORY, &[op])]);
    draft.row(&Key::head(9), RowClass::User).class = RowClass::Grant;
    draft.caught_by_all(Rule::L9, &[Rule::L9, Rule::Seal]);
}

/// A user op overwrites the end sentinel, or an entry after the user keys.
#[test]
fn a_user_op_on_the_end_sentinel() {
    let world = World::small();
    let run = world.run(MALLORY, &[put(200, Key::END, "no end")]);
    Draft::new(&world, &[run]).caught_by(Rule::L9);
}

/// The owner replaces the log of a writer who is already admitted.
#[test]
fn a_grant_over_an_existing_writer() {
    let world = World::usual();
    let grant = put(200, Key::head(ALICE), "another");
    Draft::new(&world, &[world.run(OWNER, &[grant])]).caught_by(Rule::M3);
}

/// Two grants of one id in an epoch: the second one replaces the log of the first.
#[test]
fn two_grants_of_one_writer() {
    let world = World::new(&[OWNER], &[key('a', 0)]);
    let grant = |ts, text| put(ts, Key::head(9), text);
    let run = world.run(OWNER, &[grant(200, "Alice"), grant(201, "another")]);
    Draft::new(&world, &[run]).caught_by(Rule::M3);
}

/// A grant on a key that belongs to no writer id.
#[test]
fn a_grant_beside_the_writer_ids() {
    let world = World::new(&[OWNER], &[key('a', 0)]);
    for k3 in [1u64 << 33, 5] {
        let mut bytes = [0u8; 93];
        bytes[85..].copy_from_slice(&k3.to_be_bytes());
        let grant = Put {
            ts: 200,
            key: Key::from_bytes(bytes),
            value: value("whose?"),
            class: SlotClass::Grant,
            more: false,
        };
        Draft::new(&world, &[world.run(OWNER, &[grant])]).caught_by(Rule::L9);
    }
}

/// A head is written that was not read, so the run could have started from any head.
#[test]
fn a_head_written_without_its_read() {
    let world = World::small();
    let run = world.run(MALLORY, &[put(200, key('a', 0), "new")]);
    let mut draft = Draft::new(&world, &[run]);
    draft.row(&Key::head(MALLORY), RowClass::OldRead).class = RowClass::Old;
    draft.caught_by_all(Rule::M3, &[Rule::M3, Rule::Seal]);
}

/// An opaque item between the rows of c: the new tree has e before c.
#[test]
fn a_tree_row_inside_a_key() {
    let world = World::usual();
    let (c, e) = (key('c', 0), key('e', 0));
    let mut draft = Draft::new(&world, &[world.run(MALLORY, &[put(200, c, "new")])]);
    draft.cut(&e);
    let at = draft.at(&c) + 1;
    draft.insert(at, [opaque(world.entry(e).item())]);
    draft.caught_by(Rule::M4);
}

/// An entry of the old tree disappears: its row is not marked as the last of its key, so the new
/// tree does not absorb it, and the next key follows.
#[test]
fn an_entry_that_disappears() {
    let world = World::usual();
    let mut draft = Draft::new(&world, &[world.run(MALLORY, &[put(200, key('a', 0), "new")])]);
    draft.row(&key('c', 0), RowClass::Old).last = false;
    draft.caught_by(Rule::M1);
}

/// The chain of the new tree does not absorb the last row of a key, so the key is missing.
#[test]
fn a_last_row_that_is_not_absorbed() {
    let world = World::small();
    let a = key('a', 0);
    let draft = Draft::new(&world, &[world.run(MALLORY, &[put(200, a, "new")])]);
    let item = world.entry(key('c', 0)).item();
    // c follows a in the same node, since the heights are 0.
    let chain = native_new_chain(&draft, &key('c', 0));
    let absorbed = absorb(chain, item);
    let mut open = draft.system().open();
    // Rows that absorb nothing repeat the value.
    let step = open.find(Rule::M4, absorbed);
    assert!(!step.is_empty());
    open.set(step[0], chain);
    open.repair(false);
    assert_caught(&open.broken(), Rule::M4, &[Rule::M4]);
}

/// The level-0 chain of the new tree before the row of a key.
fn native_new_chain(draft: &Draft, key: &Key) -> F {
    let mut r = draft.registers;
    for action in &draft.actions[..draft.at(key)] {
        match action {
            Action::Merge(row) => drop(merge_row(&mut r, row)),
            Action::Tree(row) => drop(tree_row(&mut r, row)),
        }
    }
    r.new.open
}

/// An insert after an item that is not opened, which here is a greater key.
#[test]
fn an_insert_behind_an_unknown_leaf() {
    let (world, mut draft) = insert(&[('a', 0), ('c', 0), ('e', 0)], key('b', 0));
    let c = key('c', 0);
    draft.cut(&c);
    let at = draft.at(&key('b', 0));
    draft.insert(at, [opaque(world.entry(c).item())]);
    draft.caught_by(Rule::M5);
}

/// The same by SKIP: the skipped beginning of the node contains a greater key.
#[test]
fn an_insert_behind_a_skipped_beginning() {
    let keys = [('a', 1), ('c', 0), ('e', 0)];
    let (world, mut draft) = insert(&keys, key('b', 0));
    let c = key('c', 0);
    draft.cut(&c);
    let skipped = absorb(iv(0), world.entry(c).item());
    skip(&mut draft, &key('b', 0), skipped);
    draft.caught_by(Rule::M5);
}

/// The right neighbour of an insert is skipped. It may be a smaller key, or the key's own old
/// entry.
#[test]
fn a_right_neighbour_skipped() {
    let (world, mut draft) = insert(&[('a', 0), ('b', 0), ('e', 0)], key('c', 0));
    let b = key('b', 0);
    draft.cut(&b);
    let at = draft.at(&key('e', 0));
    draft.insert(at, [opaque(world.entry(b).item())]);
    draft.caught_by(Rule::M6);

    // The key's own old entry follows, opaque and therefore hidden.
    let world = World::small();
    let a = key('a', 0);
    let mut draft = Draft::new(&world, &[world.run(MALLORY, &[put(200, a, "hides the old")])]);
    let at = draft.at(&a);
    draft.actions.remove(at);
    draft.insert(at + 1, [opaque(world.entry(a).item())]);
    draft.caught_by(Rule::M6);
}

/// An insert after the boundary of the node to which it belongs, and the node is closed after it: a
/// second shape for the same keys.
#[test]
fn an_insert_behind_the_boundary() {
    let (_, mut draft) = insert(&[('a', 1), ('e', 0)], key('c', 0));
    let a = key('a', 1);
    let close = draft.at(&a) + 1;
    draft.actions.remove(close);
    let at = draft.at(&key('e', 0));
    draft.insert(at, [close_both()]);
    draft.caught_by(Rule::M6);
}

/// An insert whose right neighbour is hidden in the skipped beginning of the next node. The insert
/// has opened that node, so nothing of it can be skipped, and the old tree lacks an entry.
#[test]
fn an_insert_before_a_skipped_beginning() {
    let (world, mut draft) = insert(&[('a', 1), ('b', 0), ('e', 0)], key('c', 0));
    let b = key('b', 0);
    draft.cut(&b);
    skip(&mut draft, &key('e', 0), absorb(iv(0), world.entry(b).item()));
    draft.caught_by(Rule::Seal);
}

/// An insert that ends a node, and no node is closed.
#[test]
fn an_insert_that_closes_no_node() {
    let b = key('b', 1);
    let (_, mut draft) = insert(&[('a', 0), ('c', 0)], b);
    let at = draft.at(&b) + 1;
    draft.actions.remove(at);
    // `due` stays positive.
    draft.caught_by_all(Rule::M7, &[Rule::M7, Rule::Seal]);
}

/// An insert that ends nodes on two levels, and only one is closed.
#[test]
fn an_insert_that_closes_too_few_nodes() {
    let b = key('b', 2);
    let (_, mut draft) = insert(&[('a', 0), ('c', 0)], b);
    let at = draft.at(&b) + 2;
    draft.actions.remove(at);
    // `due` stays positive.
    draft.caught_by_all(Rule::M7, &[Rule::M7, Rule::Seal]);
}

/// An insert of height 1 with the height 0 in its row. The log lane computes another height, and a
/// lie about a square there is caught.
#[test]
fn a_height_made_lower() {
    let b = key('b', 1);
    let (_, mut draft) = insert(&[('a', 0), ('c', 0)], b);
    let at = draft.at(&b) + 1;
    draft.actions.remove(at);
    draft.row(&b, RowClass::User).height = 0;
    draft.caught_by(Rule::Seal);
    lie_about_height(&draft, &b, (1, 0), b.digest() + F::ONE);
}

/// An insert of height 0 with the height 1: a node is split where the keys do not split it.
#[test]
fn a_height_made_greater() {
    // Its first test passes and its second does not.
    let b = (0..)
        .map(|i| Key::shared(format!("b{i}").as_bytes()).unwrap())
        .find(|key| {
            square(key.digest())
                && !square(key.digest() + F::ONE)
                && !square(key.digest() + F::from(2u64))
        })
        .unwrap();
    let (_, mut draft) = insert(&[('a', 0), ('c', 0)], b);
    let at = draft.at(&b) + 1;
    draft.insert(at, [close_new()]);
    draft.row(&b, RowClass::User).height = 1;
    draft.caught_by(Rule::Seal);
    lie_about_height(&draft, &b, (0, 1), b.digest() + F::ONE);
}

/// A height out of range, whose point would be that of another item.
#[test]
fn a_height_out_of_range() {
    let world = World::small();
    let mut draft = Draft::new(&world, &[world.run(MALLORY, &[put(200, key('a', 0), "new")])]);
    draft.row(&key('c', 0), RowClass::Old).height = 16;
    draft.caught_by(Rule::M7);
}

fn square(x: F) -> bool {
    x.legendre().is_qr()
}

/// Makes the log lane compute another height of the insert, by a lie about one square.
fn lie_about_height(draft: &Draft, key: &Key, heights: (u8, u8), number: F) {
    let mut open = draft.system().open();
    let stamp = Stamp { ts: 200, writer: MALLORY }.to_field();
    let item = item(key.digest(), stamp, value("inserted"));
    let addend = |height| Addend { class: Class::User, height, item };
    let sum = Sum::of(&open, &addend(heights.0), Lane::Log, 0);
    sum.set_point(&mut open, &addend(heights.1), Lane::Log);

    let square = if square(number) { number } else { number * F::GENERATOR };
    let root = square.sqrt().unwrap();
    let mut found = open.find(Rule::L9, root);
    found.extend(open.find(Rule::L9, -root));
    // The bit is allocated just before the root.
    let bit = found[0] - 1;
    assert!(open.is_boolean(bit));
    open.set(bit, F::from(heights.1 > heights.0));
    open.repair(false);
    assert_caught(&open.broken(), Rule::L9, &[Rule::L9]);
}

/// Another tree row while CLOSE_NEW is due.
#[test]
fn a_close_while_another_is_due() {
    let b = key('b', 1);
    let (_, mut draft) = insert(&[('a', 0), ('c', 1)], b);
    let at = draft.at(&b) + 1;
    draft.actions[at] = close_both();
    let c = draft.at(&key('c', 1));
    draft.actions[c + 1] = close_new();
    // CLOSE_BOTH closes the insert's node in both trees, CLOSE_NEW that of c in the new tree. While
    // a close is due, the insert also waits for its right neighbour, so M6 is violated with M7.
    let native = draft.native().err();
    assert_eq!(native, Some(Rule::M6));
    let broken = draft.system().broken();
    let named: Vec<_> = broken.iter().map(|b| b.rules.last().copied()).collect();
    assert!(named.contains(&Some(Rule::M7)), "{broken:?}");
    assert_eq!(named[0], Some(Rule::M6));
}
