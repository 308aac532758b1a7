//! The epoch's ops by key: the OP rows of the merge lane (rules M1 to M4).

use std::collections::BTreeMap;

use rootfold_core::{
    fold::Epoch,
    item::Entry,
    key::{Key, KeyKind},
    stamp::Stamp,
    step::{MergeRow, RowClass},
    F,
};

/// The OP rows of one key.
#[derive(Default)]
pub(super) struct KeyOps {
    /// Whether a run reads the key's old entry as its head.
    read: bool,
    /// The ops by stamp, which is unique.
    ops: BTreeMap<Stamp, (RowClass, F)>,
}

/// The epoch's OP rows by key.
pub(super) fn key_ops(epoch: &Epoch) -> BTreeMap<Key, KeyOps> {
    let mut keys: BTreeMap<Key, KeyOps> = BTreeMap::new();
    for run in &epoch.runs {
        for (writer, tip) in run.replaced_tips().chain([(run.writer(), run.after())]) {
            let after = tip.entry(writer);
            let head = keys.entry(after.key).or_default();
            head.read = true;
            head.ops.insert(after.stamp, (RowClass::Write, after.value));
        }
        for op in run.ops() {
            let class = match op.key.kind() {
                KeyKind::Replacement(_) => continue,
                KeyKind::Head(_) => RowClass::Grant,
                _ => RowClass::User,
            };
            keys.entry(op.key).or_default().ops.insert(op.stamp(run.writer()), (class, op.value));
        }
    }
    keys
}

impl KeyOps {
    /// The key's rows in the order of their stamps, with its old entry if there is one.
    pub(super) fn rows(&self, key: &Key, old: Option<&Entry>) -> Vec<MergeRow> {
        let mut ops = self.ops.clone();
        if let Some(old) = old {
            let class = if self.read { RowClass::OldRead } else { RowClass::Old };
            ops.insert(old.stamp, (class, old.value));
        }
        let row =
            |(stamp, (class, value))| MergeRow::new(class, &Entry { key: *key, stamp, value });
        let mut rows: Vec<MergeRow> = ops.into_iter().map(row).collect();
        if let Some(last) = rows.last_mut() {
            last.last = true;
        }
        rows
    }
}
