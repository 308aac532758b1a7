//! A draft of a step: both lanes as lists that a test edits, and the verdicts of the native twin
//! and of the circuit.

use std::collections::BTreeSet;

use rootfold_core::{
    height::{height, H},
    key::{key_digest, Key},
    step::{
        step, MergeRow, Profile, Registers, Row, RowClass, Rule, Segment, State, StepWitness,
        TreeOp, TreeRow,
    },
    tree::chain::iv,
    F,
};

use crate::{
    system::{Broken, System},
    world::{row, Run, World, SLOTS},
};

/// Tree rows per merge row, with the one that shares its hashes.
const TREE_ROWS: usize = 4;

/// One action of the merge lane.
#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "drafts are short")]
pub enum Action {
    Merge(MergeRow),
    Tree(TreeRow),
}

/// A step that can be edited.
#[derive(Clone)]
pub struct Draft {
    pub state: State,
    pub registers: Registers,
    pub segments: Vec<Segment>,
    pub actions: Vec<Action>,
    pub seal: bool,
}

pub fn opaque(digest: F) -> Action {
    Action::Tree(TreeRow { op: TreeOp::Opaque, digest })
}

pub fn close_both() -> Action {
    Action::Tree(TreeRow { op: TreeOp::CloseBoth, digest: F::from(0u64) })
}

pub fn close_new() -> Action {
    Action::Tree(TreeRow { op: TreeOp::CloseNew, digest: F::from(0u64) })
}

/// The height of the key of a merge row.
pub fn row_height(limbs: [F; 3]) -> usize {
    match limbs {
        l if l == Key::START.limbs() => 0,
        l if l == Key::END.limbs() => H,
        l => height(key_digest(l)),
    }
}

impl Draft {
    /// A whole epoch in one step, with every leaf of the old tree opened. It is honest if the runs
    /// are.
    pub fn new(world: &World, runs: &[Run]) -> Draft {
        let mut rows: Vec<MergeRow> = runs.iter().flat_map(|run| run.rows.clone()).collect();
        for entry in world.entries.values() {
            let limbs = entry.key.limbs();
            let writes = |row: &MergeRow| row.class == RowClass::Write && row.key == limbs;
            let read = runs
                .iter()
                .any(|run| Key::head(run.writer) == entry.key || run.rows.iter().any(writes));
            rows.push(row(if read { RowClass::OldRead } else { RowClass::Old }, entry));
        }
        Draft {
            state: world.state(),
            registers: Registers::idle(),
            segments: runs.iter().flat_map(|run| run.segments.clone()).collect(),
            actions: lane(rows),
            seal: true,
        }
    }

    /// Index of the first row of this key.
    pub fn at(&self, key: &Key) -> usize {
        let limbs = key.limbs();
        let is = |a: &Action| matches!(a, Action::Merge(row) if row.key == limbs);
        self.actions.iter().position(is).expect("the key has a row")
    }

    /// The first row of this key and class.
    pub fn row(&mut self, key: &Key, class: RowClass) -> &mut MergeRow {
        let limbs = key.limbs();
        let found = self.actions.iter_mut().find_map(|action| match action {
            Action::Merge(row) if row.key == limbs && row.class == class => Some(row),
            _ => None,
        });
        found.expect("the key has a row of this class")
    }

    /// Removes all rows of a key, with the tree rows after them, and returns them.
    pub fn cut(&mut self, key: &Key) -> Vec<Action> {
        let from = self.at(key);
        let limbs = key.limbs();
        let other = |a: &Action| matches!(a, Action::Merge(row) if row.key != limbs);
        let rest = &self.actions[from..];
        let count = rest.iter().position(other).unwrap_or(rest.len());
        self.actions.drain(from..from + count).collect()
    }

    /// Inserts actions at an index.
    pub fn insert(&mut self, at: usize, actions: impl IntoIterator<Item = Action>) {
        self.actions.splice(at..at, actions);
    }

    /// The actions as rows, and the smallest profile for them.
    pub fn witness(&self) -> (Profile, StepWitness) {
        let mut rows: Vec<Row> = Vec::new();
        for action in &self.actions {
            match action {
                Action::Merge(merge) => {
                    rows.push(Row { merge: *merge, tree: vec![TreeRow::pad()] });
                }
                Action::Tree(tree) => {
                    if rows.last().is_none_or(|row| row.tree.len() == TREE_ROWS) {
                        rows.push(Row { merge: MergeRow::pad(), tree: Vec::new() });
                    }
                    rows.last_mut().expect("there is one").tree.push(*tree);
                }
            }
        }
        rows.iter_mut().for_each(|row| row.tree.resize(TREE_ROWS, TreeRow::pad()));
        let profile = Profile {
            name: "draft",
            segments: self.segments.len(),
            slots: SLOTS,
            rows: rows.len(),
            tree_rows: TREE_ROWS,
        };
        let segments = self.segments.clone();
        let witness = StepWitness { registers: self.registers, segments, rows, seal: self.seal };
        (profile, witness)
    }

    /// Sets the registers, and the cursor of the state to their digest.
    pub fn trust_registers(&mut self) {
        self.state.cursor = self.registers.digest();
    }

    /// The draft, synthesized honestly.
    pub fn system(&self) -> System {
        let (profile, witness) = self.witness();
        System::new(&profile, &self.state, &witness)
    }

    /// The verdict of the native twin.
    pub fn native(&self) -> Result<State, Rule> {
        let (profile, witness) = self.witness();
        step(&profile, &self.state, &witness).map(|done| done.0).map_err(|v| v.rule)
    }

    /// Asserts that both twins accept and agree. Returns the state after the step.
    pub fn accepted(&self) -> State {
        let state = self.native().expect("the native twin accepts");
        let system = self.system();
        assert_eq!(system.broken(), [], "the circuit accepts");
        assert_eq!(system.next_state(), state.to_fields());
        state
    }

    /// Asserts that both twins refuse the draft for this rule, and that all violated constraints
    /// belong to the rule. Returns the state that the forger wanted.
    pub fn caught_by(&self, rule: Rule) -> [F; 3] {
        self.caught_by_all(rule, &[rule])
    }

    /// As [`Draft::caught_by`], for a forgery that necessarily violates other rules too. `first` is
    /// the rule of the first violated constraint, and `all` are the rules of all.
    pub fn caught_by_all(&self, first: Rule, all: &[Rule]) -> [F; 3] {
        assert_eq!(self.native().err(), Some(first), "what the native twin says");
        let system = self.system();
        assert_caught(&system.broken(), first, all);
        system.next_state()
    }
}

/// Asserts that the first violated constraint belongs to `first`, and that `all` are the rules of
/// all violated constraints.
pub fn assert_caught(broken: &[Broken], first: Rule, all: &[Rule]) {
    let named: BTreeSet<Option<Rule>> = broken.iter().map(|b| b.rules.last().copied()).collect();
    let expected = all.iter().map(|rule| Some(*rule)).collect();
    assert!(!broken.is_empty(), "ACCEPTED: no constraint of {first:?} refuses this");
    assert_eq!(named, expected, "broken: {broken:?}");
    assert_eq!(broken[0].rules.last(), Some(&first), "broken: {broken:?}");
}

/// The rows in order, with the last row of each key marked and the closes after each key.
pub fn lane(mut rows: Vec<MergeRow>) -> Vec<Action> {
    rows.sort_by_key(|row| (row.key, row.stamp, !row.class.is_old()));
    let mut actions = Vec::new();
    for rows in rows.chunk_by(|a, b| a.key == b.key) {
        let has_old = rows.iter().any(|row| row.class.is_old());
        let count = rows.len();
        let marked =
            rows.iter().enumerate().map(|(i, row)| MergeRow { last: i + 1 == count, ..*row });
        actions.extend(marked.map(Action::Merge));
        let close = if has_old { close_both } else { close_new };
        actions.extend((0..row_height(rows[0].key)).map(|_| close()));
    }
    actions
}

/// A USER row of an op by any writer.
pub fn user_row(key: &Key, stamp: F, value: F, last: bool) -> Action {
    let height = row_height(key.limbs()) as u8;
    let class = RowClass::User;
    let row = MergeRow { class, key: key.limbs(), stamp, value, height, last, ..MergeRow::pad() };
    Action::Merge(row)
}

/// Makes the first row of a key skip the beginning of a node of level 0.
pub fn skip(draft: &mut Draft, key: &Key, chain: F) {
    let at = draft.at(key);
    if let Action::Merge(row) = &mut draft.actions[at] {
        row.skips = true;
        row.beginnings = std::array::from_fn(iv);
        row.beginnings[0] = chain;
    }
}
