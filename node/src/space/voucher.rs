//! What vouches for an entry.

use rootfold_core::{item::Entry, tree};
use rootfold_light::query::At;

use super::{Space, SpaceError};

/// What vouches for an entry of the latest state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voucher {
    /// The newest snapshot has the same entry, and its proof was checked or made here. Genesis, whose root
    /// is the space's id, needs no proof.
    Proven,
    /// The entry comes from an op after the newest snapshot, whose signature was checked here.
    Signed,
}

impl Voucher {
    /// The word for users.
    pub fn name(self) -> &'static str {
        match self {
            Voucher::Proven => "proven",
            Voucher::Signed => "signed",
        }
    }
}

impl Space {
    /// What vouches for an entry that was read from the latest state. Nothing gets into that state that was
    /// not checked.
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
}
