//! What vouches for an entry.

use rootfold_core::{item::Entry, tree, F};
use rootfold_light::query::{At, Voucher};

use super::{Space, SpaceError};

impl Space {
    /// What vouches for an entry that was read from the latest state. Nothing gets into that state that was
    /// not checked: it is proven if the newest snapshot has the same entry.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub fn voucher(&self, entry: &Entry) -> Result<Voucher, SpaceError> {
        let view = match self.view(At::Snapshot) {
            Ok(view) => view,
            // A replica from a replay has checked all signatures, and no proof.
            Err(SpaceError::NoSnapshot { .. }) => return Ok(Voucher::Signed),
            Err(e) => return Err(e),
        };
        let proven = tree::lookup(self.pages(), view.root, &entry.key)?;
        Ok(if proven.as_ref() == Some(entry) { Voucher::Proven } else { Voucher::Signed })
    }

    /// What vouches for the whole state with this root, which this node keeps.
    pub fn voucher_of_root(&self, root: F) -> Voucher {
        let state = self.state();
        let is_proven = root == self.id() || state.kept.iter().any(|header| header.root == root);
        if is_proven {
            Voucher::Proven
        } else {
            Voucher::Signed
        }
    }
}
