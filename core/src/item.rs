//! Items: an op and the entry that it writes have the same digest, their item.

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

/// An entry of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The stamp of the op that wrote the entry.
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

    /// The entries of [`Key::FENCES`] in a genesis tree.
    pub fn fences() -> [Entry; 3] {
        Key::FENCES.map(|key| Entry { key, stamp: Stamp::ZERO, value: F::from(0u64) })
    }

    /// The digest of the entry.
    pub fn item(&self) -> F {
        item(self.key.digest(), self.stamp.to_field(), self.value)
    }
}
