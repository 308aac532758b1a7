//! Forgeries in the tree: SKIP, OPAQUE, CLOSE_BOTH, CLOSE_NEW.
//!
//! A row acts on the lowest open node, and an open node is never dropped. A forger who wants
//! another node has to lie about the level.

use rootfold_core::{
    height::H,
    step::{RowClass, Rule},
    tree::chain::{absorb, iv},
    F,
};

use crate::{
    draft::{assert_caught, close_both, close_new, opaque, skip, Action, Draft},
    system::Open,
    world::{key, put, value, World, MALLORY},
};

/// A draft of one op on a key of the tree.
fn edits(world: &World) -> Draft {
    let run = world.run(MALLORY, &[put(200, key('a', 0), "lost")]);
    Draft::new(world, &[run])
}

/// An insert of b, whose key has this height.
fn insert(world: &World, height: usize) -> Draft {
    let draft = Draft::new(world, &[world.run(MALLORY, &[put(200, key('b', height), "new")])]);
    draft.accepted();
    draft
}

/// Moves the 1 of a one-hot level, at the given column, up by one level.
fn lie_about_level(open: &mut Open, column: usize) {
    assert!(open.is_boolean(column) && open.values[column] == F::from(1u64));
    assert!(open.is_boolean(column + 1));
    open.set(column, F::from(0u64));
    open.set(column + 1, F::from(1u64));
    open.repair(false);
}

/// The op is folded and its writer's head moves past it. Then the edited beginning of the node is
/// replaced by the old one: the row claims to descend from a level above the open node.
#[test]
fn a_skip_over_an_edited_part() {
    let world = World::small();
    let mut draft = edits(&world);
    let c = key('c', 0);
    // The chain of a's node up to a.
    let levels = world.levels();
    let index = world.entries.keys().position(|k| *k == key('a', 0)).unwrap();
    let start = levels[0][..index].iter().rposition(|(_, h)| *h > 0).map_or(0, |i| i + 1);
    let chain = levels[0][start..=index].iter().fold(iv(0), |c, (digest, _)| absorb(c, *digest));
    skip(&mut draft, &c, chain);
    // A node that is open cannot be skipped into.
    let honest = draft.accepted();

    let mut open = draft.system().open();
    // The descent of c's row: the last one-hot level with its 1 at level 0.
    let ones = open.find(Rule::Skip, F::from(1u64));
    let from = ones.into_iter().rfind(|column| way_down(&open, *column)).unwrap();
    lie_about_level(&mut open, from);
    let broken = open.broken();
    assert!(!broken.is_empty() && broken[0].rules.last() == Some(&Rule::Skip), "{broken:?}");
    assert_ne!(open.next_state()[0], honest.root, "the edit is lost");
}

/// Whether the H + 1 bits from this column are one-hot with the first one set.
fn way_down(open: &Open, column: usize) -> bool {
    let zero = F::from(0u64);
    (column..=column + H).all(|c| open.is_boolean(c))
        && (column + 1..=column + H).all(|c| open.values[c] == zero)
        && !open.is_boolean(column + H + 1)
}

/// The skipped beginning is not that of the old tree: an entry is removed, or one is made up.
#[test]
fn another_beginning_is_skipped() {
    let world = World::new(&[MALLORY], &[key('a', 1), key('c', 0), key('e', 0)]);
    let run = world.run(MALLORY, &[put(200, key('e', 0), "new")]);
    let mut draft = Draft::new(&world, &[run]);
    draft.cut(&key('c', 0));
    skip(&mut draft, &key('e', 0), absorb(iv(0), world.entry(key('c', 0)).item()));
    draft.accepted();
    skip(&mut draft, &key('e', 0), absorb(iv(0), value("made up")));
    draft.caught_by(Rule::Seal);
}

/// A PAD row that skips. Its only effect would be that the last leaf is unknown.
#[test]
fn a_pad_row_that_skips() {
    let world = World::small();
    let draft = edits(&world);
    let (profile, mut witness) = draft.witness();
    let pad = witness.rows.iter().position(|row| row.merge.class == RowClass::Pad).unwrap();
    witness.rows[pad].merge.skips = true;
    let native = rootfold_core::step::step(&profile, &draft.state, &witness);
    assert_eq!(native.unwrap_err().rule, Rule::Skip);
    let system = crate::system::System::new(&profile, &draft.state, &witness);
    assert_caught(&system.broken(), Rule::Skip, &[Rule::Skip]);
}

/// An insert after an opaque item that leaves the last leaf known.
#[test]
fn an_opaque_item_that_leaves_the_leaf_known() {
    let world = World::new(&[MALLORY], &['a', 'c', 'e'].map(|letter| key(letter, 0)));
    let mut draft = insert(&world, 0);
    let c = key('c', 0);
    draft.cut(&c);
    let at = draft.at(&key('b', 0));
    draft.insert(at, [opaque(world.entry(c).item())]);
    let mut open = draft.system().open();
    // Each tree row has a bit `not opaque`, and one row is opaque.
    let not_opaque: Vec<usize> = open
        .find(Rule::Opaque, F::from(0u64))
        .into_iter()
        .filter(|column| open.is_boolean(*column))
        .collect();
    assert_eq!(not_opaque.len(), 1);
    open.set(not_opaque[0], F::from(1u64));
    open.repair(false);
    assert_caught(&open.broken(), Rule::Opaque, &[Rule::Opaque]);
}

/// A node is closed into another level than the one above it: the open node there is lost.
#[test]
fn a_close_into_another_level() {
    let world = World::small();
    let draft = edits(&world);
    let mut open = draft.system().open();
    let ones = open.find(Rule::CloseBoth, F::from(1u64));
    let into = ones.into_iter().find(|column| open.is_boolean(*column)).unwrap();
    lie_about_level(&mut open, into);
    let broken = open.broken();
    assert!(!broken.is_empty() && broken[0].rules.last() == Some(&Rule::CloseBoth), "{broken:?}");
}

/// The root node is closed.
#[test]
fn a_close_above_the_root() {
    let world = World::small();
    let mut draft = edits(&world);
    draft.actions.push(close_both());
    draft.caught_by_all(Rule::CloseBoth, &[Rule::CloseBoth, Rule::Seal]);
}

/// A node is closed one item early or late. The old root determines where it ends in both trees.
#[test]
fn a_node_closed_early_or_late() {
    let world = World::new(&[MALLORY], &[key('a', 0), key('b', 1), key('c', 0)]);
    let run = world.run(MALLORY, &[put(200, key('a', 0), "new")]);
    let honest = Draft::new(&world, &[run]);
    honest.accepted();
    let close = honest.at(&key('b', 1)) + 1;

    let mut early = honest.clone();
    let action = early.actions.remove(close);
    let b = early.at(&key('b', 1));
    early.insert(b, [action]);
    early.caught_by(Rule::Seal);

    let mut late = honest;
    let action = late.actions.remove(close);
    let c = late.at(&key('c', 0)) + 1;
    late.insert(c, [action]);
    late.caught_by(Rule::Seal);
}

/// The edits stay in a node that is never closed, and the whole old tree is one opaque item.
#[test]
fn edits_that_are_never_closed() {
    let world = World::small();
    let mut draft = edits(&world);
    draft.actions.retain(|a| !matches!(a, Action::Tree(_)));
    let end = draft.actions.len();
    draft.insert(end, [opaque(world.levels()[H][0].0)]);
    let next = draft.caught_by(Rule::Seal);
    assert_eq!(next[1], F::from(1u64), "an op is counted that is not there");
}

/// The new tree gets a node boundary that its keys do not have: after an insert of height 0, and
/// one more after an insert of height 1.
#[test]
fn a_close_new_that_is_not_due() {
    for height in [0, 1] {
        let mut draft = insert(&World::small(), height);
        let at = draft.at(&key('b', height)) + 1 + height;
        draft.insert(at, [close_new()]);
        // `due` is 0 - 1 afterwards.
        draft.caught_by_all(Rule::CloseNew, &[Rule::CloseNew, Rule::M7, Rule::Seal]);
    }
}

/// In the new tree alone, a node ends one item early, after an old key of height 0.
#[test]
fn a_close_new_behind_an_old_key() {
    let world = World::small();
    let mut draft = edits(&world);
    let at = draft.at(&key('c', 0));
    draft.insert(at, [close_new()]);
    draft.caught_by_all(Rule::CloseNew, &[Rule::CloseNew, Rule::M7, Rule::Seal]);
}

/// The first of two closes claims to be the last, so the second closes an empty node.
#[test]
fn a_close_new_that_says_it_is_the_last() {
    let draft = insert(&World::small(), 2);
    let honest = draft.accepted();
    let mut open = draft.system().open();
    // After the products of the negated bits of `due`, all of which are 0 if `due` is not.
    let product = |column: usize| !open.is_boolean(column);
    let zero = |column: usize| open.values[column] == F::from(0u64);
    let ones = open.find(Rule::CloseNew, F::from(1u64)).into_iter();
    let more: Vec<usize> =
        ones.filter(|c| product(*c) && product(*c - 1) && zero(*c - 1)).collect();
    let more = more[0];
    open.set(more, F::from(0u64));
    open.repair(false);
    let broken = open.broken();
    assert!(!broken.is_empty() && broken[0].rules.last() == Some(&Rule::CloseNew), "{broken:?}");
    assert_ne!(open.next_state()[0], honest.root);
}
