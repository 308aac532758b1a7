//! Holes: values that the state refers to and that this node does not hold, because no peer sent
//! them. Every later sync asks for them again.

use rootfold_light::values::{Value, ValueName};

use super::{garbage, stage_value, Space};
use crate::store::{
    records::{damaged, parse_value_key, value_key},
    Batch, Column, Durability, StoreError,
};

const HOLE: &[u8] = b"hole/";

fn key(name: &ValueName) -> Vec<u8> {
    [HOLE, &value_key(name)].concat()
}

/// Records that a value is missing.
pub(crate) fn stage(batch: &mut Batch, name: &ValueName) {
    batch.put(Column::Meta, key(name), []);
}

impl Space {
    /// The values that the latest state refers to and that this node does not hold. Forgets those that
    /// no entry refers to any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn holes(&self) -> Result<Vec<ValueName>, StoreError> {
        let (mut holes, mut bad) = (Vec::new(), None);
        self.store().scan(Column::Meta, HOLE, &mut |key, _| {
            let Some(name) = key.strip_prefix(HOLE) else { return false };
            match parse_value_key(name) {
                Some(name) => holes.push(name),
                None => bad = Some(damaged(Column::Meta, key, "not the name of a value")),
            }
            bad.is_none()
        })?;
        if let Some(bad) = bad {
            return Err(bad);
        }
        let _change = self.begin_change();
        let (mut open, mut batch) = (Vec::new(), Batch::new());
        for name in holes {
            if self.has_value(&name)? || !garbage::is_needed(self, &name)? {
                batch.delete(Column::Meta, key(&name));
            } else {
                open.push(name);
            }
        }
        if !batch.is_empty() {
            self.store().write(batch, Durability::Buffered)?;
        }
        Ok(open)
    }

    /// Stores values that were missing. They have been checked against their names.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub(crate) fn fill_holes(&self, values: &[Value]) -> Result<(), StoreError> {
        let _change = self.begin_change();
        let mut batch = Batch::new();
        for value in values {
            stage_value(&mut batch, value);
            batch.delete(Column::Meta, key(&value.name));
        }
        self.store().write(batch, Durability::Synced)
    }
}
