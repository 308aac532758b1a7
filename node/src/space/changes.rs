//! What has changed in a space.

use rootfold_core::{item::Entry, key::ApplicationKey, tree};
use tokio::sync::watch;

use super::{Found, Space, SpaceError, View};

impl Space {
    /// Marked as changed by every change of the space: ops, snapshots, proved epochs, forks.
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.inner.changed.subscribe()
    }

    /// The entries of `after` that differ from those of `before`, by key, with their values and including
    /// tombstones; those whose application keys begin with `prefix`, or all with an application key. It
    /// reads only pages that the two states do not share.
    pub fn changes<'a>(
        &'a self,
        before: &'a View,
        after: &'a View,
        prefix: Option<ApplicationKey<'a>>,
    ) -> impl Iterator<Item = Result<Found, SpaceError>> + use<'a> {
        let changed = self.changed_entries(before, after, prefix);
        changed.map(|entry| entry.and_then(|entry| self.found(entry, true)))
    }

    /// The entries of [`Self::changes`] without values.
    pub(crate) fn changed_entries<'a>(
        &'a self,
        before: &'a View,
        after: &'a View,
        prefix: Option<ApplicationKey<'a>>,
    ) -> impl Iterator<Item = Result<Entry, SpaceError>> + use<'a> {
        let wanted = move |entry: &Entry| {
            let key = entry.key.application_key();
            key.is_some_and(|key| prefix.is_none_or(|prefix| key.begins_with(&prefix)))
        };
        tree::diff(self.pages(), before.root, after.root).filter_map(move |difference| {
            match difference {
                // A key is never removed from the tree: a deletion leaves a tombstone.
                Ok(difference) => difference.after.filter(wanted).map(Ok),
                Err(e) => Some(Err(e.into())),
            }
        })
    }
}
