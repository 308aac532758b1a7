//! The pages and values of a state that is proved in another way than by a snapshot.

use rootfold_light::snapshot::SnapshotHeader;
use rootfold_verifier::ParameterId;

use super::{
    blocking,
    fetch::Holder,
    pages::{self, Fetched, Pulled},
    values, BootstrapError,
};
use crate::{
    client::Peer,
    progress::Progress,
    space::{Pages, Proved, Space},
    store::{Batch, Durability},
};

/// Fetches what the store lacks of a state that `peer` proves. The caller has pinned its root. Values that
/// the peer does not send are left out: no later step needs them, but for the heads of logs.
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
    let (store, mut faults) = (space.store_handle(), Vec::new());
    let pulled = pages::fetch(&holders, &header, store.clone(), &mut faults, progress).await?;
    let Pulled::Tree(Fetched { tree, .. }) = pulled else {
        let what = "the pages of the proved state".to_owned();
        return Err(BootstrapError::AllFailed { what, faults });
    };
    let into = space.clone();
    let corrected = blocking(move || {
        let mut batch = Batch::new();
        for (name, page) in &tree.repaired {
            into.pages().forget(name);
            Pages::stage(&mut batch, name, page);
        }
        into.store().write(batch, Durability::Buffered).map(|()| tree.values)
    });
    let names = corrected.await??;
    values::fetch(&holders, space.id(), store, names, &mut faults, progress).await?;
    Ok(())
}
