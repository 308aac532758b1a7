//! The pages and values of a state that is proved in another way than by a snapshot.

use rootfold_light::snapshot::SnapshotHeader;
use rootfold_verifier::ParameterId;

use super::{fetch::Holder, newer, BootstrapError};
use crate::{
    client::Peer,
    progress::Progress,
    space::{Proved, Space},
};

/// Fetches what this node lacks of a state that `peer` proves. The caller has pinned its root.
///
/// # Errors
/// [`BootstrapError`]; what has come stays in the store.
pub(crate) async fn fetch_state(
    space: &Space,
    peer: &Peer,
    parameters: ParameterId,
    proved: &Proved,
    progress: &dyn Progress,
) -> Result<(), BootstrapError> {
    let Proved { root, ops, steps } = *proved;
    let header = SnapshotHeader { space: space.id(), parameters, root, ops, steps };
    let holders = [Holder { peer: peer.clone(), offered: true }];
    let mut faults = Vec::new();
    match newer::fetch(space, &holders, &header, &mut faults, progress).await? {
        Some(_) => Ok(()),
        None => {
            let what = "the pages of the proved state".to_owned();
            Err(BootstrapError::AllFailed { what, faults })
        }
    }
}
