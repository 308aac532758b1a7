//! Packing of rows and segments into steps of the profile's shape.

use rootfold_core::step::{MergeRow, Profile, Registers, Row, Segment, StepWitness, TreeRow};

/// One action of the merge lane.
pub(super) enum Action {
    /// A merge row.
    Merge(Box<MergeRow>),
    /// A tree row.
    Tree(TreeRow),
}

/// Puts the actions in order into rows of one merge row and c tree rows, leaving as few slots
/// empty as their order allows.
pub(super) fn rows(actions: Vec<Action>, profile: &Profile) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut free = 0;
    for action in actions {
        match action {
            Action::Merge(merge) => {
                // The first tree row's hashes are the merge row's.
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

/// Cuts both lanes into as many steps as the longer one needs. The registers of every step are
/// idle still; the last step seals.
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
