//! Where the logs stand, out of the head entries of a tree.

use std::collections::BTreeMap;

use rootfold_core::{field, item::Entry, key::KeyKind, log::Tip};
use rootfold_light::values::{open_head, ValueName};

use crate::store::{
    records::{damaged, value_key},
    Column, Store, StoreError,
};

/// The tips that head entries stand for; their openings are in the store.
pub(super) fn open_all(
    store: &dyn Store,
    heads: &[Entry],
) -> Result<BTreeMap<u32, Tip>, StoreError> {
    let mut tips = BTreeMap::new();
    for entry in heads {
        let (KeyKind::Head(writer), Some(name)) = (entry.key.kind(), ValueName::of_entry(entry))
        else {
            // A granted digest of 0 opens to nothing, and its writer can never write.
            let zero = field::to_hex(&entry.value);
            tracing::warn!(?entry, %zero, "a head without an opening");
            continue;
        };
        let key = value_key(&name);
        let opening = store.get(Column::Values, &key)?;
        let head = opening
            .and_then(|content| open_head(&content).ok())
            .ok_or_else(|| damaged(Column::Values, &key, "not the opening of a head"))?;
        tips.insert(writer, Tip { head, stamp: entry.stamp });
    }
    Ok(tips)
}
