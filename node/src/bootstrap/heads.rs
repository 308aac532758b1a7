//! The tips of all writers, from the head entries of a tree.

use rootfold_core::{item::Entry, key::KeyKind, log::Tip, value::tombstone};

use crate::{
    space::{self, Tips},
    store::{Store, StoreError},
};

/// The tips of head entries, whose heads are in the store. A writer whose entry is a tombstone has
/// no tip and can never write.
pub(super) fn open_all(store: &dyn Store, entries: &[Entry]) -> Result<Tips, StoreError> {
    let mut tips = Tips::new();
    for entry in entries {
        match entry.key.kind() {
            KeyKind::Head(writer) if entry.value == tombstone() => {
                tracing::warn!(
                    event = "head-tombstone",
                    writer,
                    "the head of this writer is a tombstone"
                );
            }
            KeyKind::Head(writer) => {
                let head = space::read_head(store, entry.value)?;
                tips.insert(writer, Tip { head, stamp: entry.stamp });
            }
            _ => {}
        }
    }
    Ok(tips)
}
