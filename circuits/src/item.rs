//! Items, the twin of `core::item`.

use rootfold_core::hash::Tag;

use crate::{hash::hash, Result, Var};

/// `item = H_3^ITEM(kappa, stamp, value)`.
pub fn item(kappa: &Var, stamp: &Var, value: &Var) -> Result<Var> {
    hash(Tag::Item, &[kappa.clone(), stamp.clone(), value.clone()])
}
