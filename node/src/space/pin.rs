//! Pins: trees that the garbage collection leaves alone although no state of the space has them.

use std::sync::{MutexGuard, PoisonError};

use rootfold_core::F;

use super::Space;

/// Keeps what is here of the tree of a root from being collected, until it is dropped.
pub struct Pinned {
    space: Space,
    pin: Pin,
}

/// A pinned tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pin {
    pub(super) root: F,
    /// Whether all of the tree is here, so that it can be read.
    pub(super) whole: bool,
}

impl Pinned {
    pub(crate) fn root(&self) -> F {
        self.pin.root
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let mut pinned = self.space.pinned();
        if let Some(at) = pinned.iter().position(|pin| *pin == self.pin) {
            pinned.swap_remove(at);
        }
    }
}

impl Space {
    /// Pins a tree that is being fetched. Pages that other states have dropped may be part of it.
    pub(crate) fn pin(&self, root: F) -> Pinned {
        self.pinned_as(Pin { root, whole: false })
    }

    /// Keeps the tree of a state that a view has at the moment, so that it can be read later.
    pub(crate) fn keep_readable(&self, root: F) -> Pinned {
        self.pinned_as(Pin { root, whole: true })
    }

    fn pinned_as(&self, pin: Pin) -> Pinned {
        self.pinned().push(pin);
        Pinned { space: self.clone(), pin }
    }

    pub(super) fn pinned(&self) -> MutexGuard<'_, Vec<Pin>> {
        self.inner.pinned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
