//! Forgeries in the tree rows: PRESET, OPAQUE, CLOSE_BOTH, CLOSE_NEW.

use rootfold_core::{
    height::H,
    key::Key,
    step::{RowClass, Rule, TreeOp},
    tree::chain::{absorb, iv},
    F,
};

use crate::{
    draft::{close_both, close_new, lane, tree, Action, Draft},
    world::{key, put, row, secret, World, MALLORY},
};

/// A draft whose edits are all made below an open node, and the actions that follow them.
fn edits(world: &World) -> Draft {
    let run = world.run(MALLORY, &[put(200, key('a', 0), "lost")]);
    Draft::new(world, &[run])
}

/// The op is folded, its writer's head passes over it, and then the edited beginning of the node is
/// replaced by the old one.
#[test]
fn a_preset_over_an_edited_part() {
    let world = World::small();
    let mut draft = edits(&world);
    let at = draft.at(&key('c', 0));
    let a = &world.entry(key('a', 0));
    let levels = world.levels();
    // The chain of a's node up to a.
    let index = world.entries.keys().position(|k| *k == a.key).unwrap();
    let start = levels[0][..index].iter().rposition(|(_, h)| *h > 0).map_or(0, |i| i + 1);
    let chain = levels[0][start..=index].iter().fold(iv(0), |c, (digest, _)| absorb(c, *digest));
    draft.insert(at, [tree(TreeOp::Preset, 0, chain)]);
    draft.caught_by(Rule::Preset);
}

/// The same at the top: all edits are thrown away at once, the ops still count.
#[test]
fn a_preset_over_the_whole_tree() {
    let world = World::small();
    let mut draft = edits(&world);
    let end = draft.actions.len();
    draft.insert(end, [tree(TreeOp::Preset, H, world.root())]);
    let next = draft.caught_by(Rule::Preset);
    assert_eq!(next[..2], [world.root(), F::from(1u64)], "an op is counted that is not there");
}

/// An item of level 12, given whole, while the edits below it are still open: they are lost.
#[test]
fn an_opaque_item_above_an_open_node() {
    let world = World::small();
    let mut draft = edits(&world);
    // No node is closed: the open one would be level 0's.
    draft.actions.retain(|a| !matches!(a, Action::Tree(_)));
    let end = draft.actions.len();
    draft.insert(end, [tree(TreeOp::Opaque, H, world.levels()[H][0].0)]);
    let next = draft.caught_by(Rule::Opaque);
    assert_eq!(next[..2], [world.root(), F::from(1u64)]);
}

/// A node is closed above the one that is open: what was edited in the open one is lost.
#[test]
fn a_close_above_an_open_node() {
    let world = World::small();
    let mut draft = edits(&world);
    draft.actions.retain(|a| !matches!(a, Action::Tree(_)));
    let levels = world.levels();
    let beginning = |level: usize| {
        let above = &levels[level];
        above.iter().fold(iv(level), |chain, (digest, _)| absorb(chain, *digest))
    };
    // All of level 11's only node, the edits below it, then the close of level 11.
    draft.insert(0, [tree(TreeOp::Preset, H - 1, beginning(H - 1))]);
    let end = draft.actions.len();
    draft.insert(end, [close_both(H - 1)]);
    let next = draft.caught_by(Rule::CloseBoth);
    assert_eq!(next[..2], [world.root(), F::from(1u64)]);
}

/// The root's own node is closed: its chains are fresh, whatever tree was opened before.
#[test]
fn a_close_above_the_root() {
    let world = World::small();
    // A tree of the forger's own, without c.
    let mut own = World::small();
    own.entries.remove(&key('c', 0));
    let mut draft = edits(&own);
    draft.state = world.state();
    let end = draft.actions.len();
    draft.insert(end, [close_both(H), tree(TreeOp::Preset, H, world.root())]);
    draft.caught_by(Rule::CloseBoth);
}

/// A node is closed one item early, or late. The old root says where it ends, the new tree follows.
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

/// The new tree is given a node that its keys do not bound: behind an insert of height 0, and one
/// more behind an insert of height 1.
#[test]
fn a_close_new_that_is_not_due() {
    for height in [0, 1] {
        let world = World::small();
        let b = key('b', height);
        let mut draft = Draft::new(&world, &[world.run(MALLORY, &[put(200, b, "new")])]);
        draft.accepted();
        let at = draft.at(&b) + 1 + height;
        draft.insert(at, [close_new(height)]);
        // One less than nothing stays due.
        draft.caught_by_all(Rule::CloseNew, &[Rule::CloseNew, Rule::M7, Rule::Seal]);
    }
}

/// In the new tree alone a node ends behind an old key that bounds none, one item early.
#[test]
fn a_close_new_behind_an_old_key() {
    let world = World::small();
    let mut draft = edits(&world);
    let at = draft.at(&key('c', 0));
    draft.insert(at, [close_new(0)]);
    draft.caught_by_all(Rule::CloseNew, &[Rule::CloseNew, Rule::M7, Rule::Seal]);
}

/// The right number of closes at the wrong levels.
#[test]
fn a_close_new_at_another_level() {
    let world = World::small();
    let b = key('b', 1);
    let mut draft = Draft::new(&world, &[world.run(MALLORY, &[put(200, b, "new")])]);
    let at = draft.at(&b) + 1;
    draft.actions[at] = close_new(1);
    draft.caught_by(Rule::CloseNew);
}

/// An entry of the forger's own making is opened, used, and thrown away by a PRESET.
#[test]
fn a_made_up_entry_thrown_away() {
    let world = World::small();
    let mut draft = edits(&world);
    // Mallory's head is another there.
    let mut own = World::small();
    let mut head = own.authors[&MALLORY].tip.head;
    head.seq = F::from(9u64);
    let stamp = own.authors[&MALLORY].tip.stamp;
    own.admit(MALLORY, secret(MALLORY), head, stamp);
    let run = own.run(MALLORY, &[put(200, key('a', 0), "from nowhere")]);
    let mut rows = run.rows.clone();
    rows.push(row(RowClass::OldRead, &own.entry(Key::head(MALLORY))));
    rows.push(row(RowClass::Old, &own.entry(key('a', 0))));
    draft.segments = run.segments;
    draft.actions = lane(rows).into_iter().filter(|a| matches!(a, Action::Merge(_))).collect();
    let end = draft.actions.len();
    draft.insert(end, [tree(TreeOp::Preset, H, world.root())]);
    let next = draft.caught_by(Rule::Preset);
    assert_eq!(next[..2], [world.root(), F::from(1u64)]);
}
