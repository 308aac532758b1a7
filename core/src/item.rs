//! Items: an op in a log and the entry it leaves in the tree are the same item (design 2).

use crate::{
    hash::{hash, Tag},
    key::Key,
    stamp::Stamp,
    F,
};

/// `item = H_3^ITEM(kappa, stamp, value)`.
pub fn item(kappa: F, stamp: F, value: F) -> F {
    hash(Tag::Item, [kappa, stamp, value])
}

/// What the state holds under one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The stamp of the op that wrote it last.
    pub stamp: Stamp,
    /// The value digest (see [`crate::value`]); for a head entry, [`crate::head::Head::digest`].
    pub value: F,
}

impl Entry {
    /// The first entry of every tree.
    pub fn start_sentinel() -> Entry {
        Entry { key: Key::START, stamp: Stamp::ZERO, value: F::from(0u64) }
    }

    /// The last entry of every tree.
    pub fn end_sentinel() -> Entry {
        Entry { key: Key::END, stamp: Stamp::ZERO, value: F::from(0u64) }
    }

    /// The entry's item.
    pub fn item(&self) -> F {
        item(self.key.digest(), self.stamp.to_field(), self.value)
    }
}
