//! Steps that seem valid and must be refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use rootfold_core::{
    eddsa::SecretKey,
    head::{signed_message, Head},
    height::key_height,
    item::Entry,
    key::Key,
    log::Tip,
    stamp::Stamp,
    step::{
        step, MergeRow, Profile, Registers, RowClass, Rule, State, StepWitness, TreeOp, TreeRow,
    },
    tree, F,
};

fn merge_row(class: RowClass, entry: &Entry, last: bool) -> MergeRow {
    MergeRow { last, ..MergeRow::new(class, entry) }
}

/// The head entry of a granted writer has the owner's stamp `(ts, 0)`. A run without ops, signed over
/// that head, would write the stamp `(ts, w)`: the root would change without a folded op.
#[test]
fn a_run_without_ops() {
    let profile = Profile { name: "test", segments: 1, slots: 1, rows: 8, tree_rows: 13 };
    let zero = F::from(0u64);
    let salt = F::from(9u64);
    let (owner, writer) = (SecretKey::from_bytes([1; 32]), SecretKey::from_bytes([2; 32]));
    let head = Head::first(salt, writer.public_key(), true);
    let granted = Tip { head, stamp: Stamp { ts: 5, writer: 0 } };
    let entries = [
        Entry::start_sentinel(),
        Tip::genesis(salt, 0, owner.public_key(), true).entry(0),
        granted.entry(2),
        Entry::end_sentinel(),
    ];
    let root = tree::build(&entries).root;
    let state = State { root, ops: zero, cursor: Registers::idle_cursor() };

    let mut witness = StepWitness::idle(&profile, Registers::idle());
    let segment = &mut witness.segments[0];
    segment.start = true;
    segment.end = true;
    segment.writer = 2;
    segment.head = head;
    segment.stamp = granted.stamp;
    segment.signature = writer.sign(signed_message(head.head, head.seq));
    let mut rows = witness.rows.iter_mut();
    for entry in &entries {
        let read = entry.key == Key::head(2);
        let class = if read { RowClass::OldRead } else { RowClass::Old };
        let mut row = rows.next().unwrap();
        row.merge = merge_row(class, entry, !read);
        if read {
            let moved = Entry { stamp: Stamp { ts: 5, writer: 2 }, ..*entry };
            row = rows.next().unwrap();
            row.merge = merge_row(RowClass::Write, &moved, true);
        }
        for level in 0..key_height(&entry.key) {
            row.tree[1 + level] = TreeRow { op: TreeOp::CloseBoth, digest: zero };
        }
    }
    witness.seal = true;

    let refused = step(&profile, &state, &witness).unwrap_err();
    assert_eq!((refused.rule, refused.what), (Rule::L1, "a run without ops"));
}
