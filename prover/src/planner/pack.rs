//! Packing of rows and segments into steps with the profile's numbers of slots.

use rootfold_core::step::{MergeRow, Profile, Registers, Row, Segment, StepWitness, TreeRow};

/// One action of the merge lane.
pub(super) enum Action {
    /// A merge row.
    Merge(Box<MergeRow>),
    /// A tree row.
    Tree(TreeRow),
}

/// Packs the actions, in order, into rows of one merge row and `profile.tree_rows` tree rows, with
/// as few empty slots as the order allows.
pub(super) fn rows(actions: Vec<Action>, profile: &Profile) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut free = 0;
    for action in actions {
        match action {
            Action::Merge(merge) => {
                // The first tree row shares its hashes with the merge row and stays empty.
                rows.push(Row { merge: *merge, tree: vec![TreeRow::pad()] });
                free = profile.tree_rows - 1;
            }
            Action::Tree(tree) => {
                if free == 0 {
                    rows.push(Row { merge: MergeRow::pad(), tree: Vec::new() });
                    free = profile.tree_rows;
                }
                if let Some(row) = rows.last_mut() {
                    row.tree.push(tree);
                    free -= 1;
                }
            }
        }
    }
    for row in &mut rows {
        row.tree.resize(profile.tree_rows, TreeRow::pad());
    }
    rows
}

/// Splits both lanes into as many steps as the longer one needs. The last step seals. The registers
/// of every step are idle; the caller fills them in.
pub(super) fn steps(segments: Vec<Segment>, rows: Vec<Row>, profile: &Profile) -> Vec<StepWitness> {
    let count =
        segments.len().div_ceil(profile.segments).max(rows.len().div_ceil(profile.rows)).max(1);
    let mut segments = segments.into_iter();
    let mut rows = rows.into_iter();
    (0..count)
        .map(|i| {
            let mut step = StepWitness::idle(profile, Registers::idle());
            for (slot, segment) in
                step.segments.iter_mut().zip(segments.by_ref().take(profile.segments))
            {
                *slot = segment;
            }
            for (slot, row) in step.rows.iter_mut().zip(rows.by_ref().take(profile.rows)) {
                *slot = row;
            }
            step.seal = i + 1 == count;
            step
        })
        .collect()
}
