//! Pins: trees that are being fetched, which the garbage collection leaves alone.

use std::sync::{MutexGuard, PoisonError};

use rootfold_core::F;

use super::Space;

/// Keeps what is here of the tree of a root from being collected, until it is dropped. Pages that other
/// states have dropped may be part of it.
pub(crate) struct Pinned {
    space: Space,
    root: F,
}

impl Pinned {
    pub(crate) fn root(&self) -> F {
        self.root
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let mut pinned = self.space.pinned();
        if let Some(at) = pinned.iter().position(|root| *root == self.root) {
            pinned.swap_remove(at);
        }
    }
}

impl Space {
    /// Pins the tree of `root`.
    pub(crate) fn pin(&self, root: F) -> Pinned {
        self.pinned().push(root);
        Pinned { space: self.clone(), root }
    }

    pub(super) fn pinned(&self) -> MutexGuard<'_, Vec<F>> {
        self.inner.pinned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
