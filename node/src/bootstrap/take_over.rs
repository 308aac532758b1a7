//! A replica that was away: its peers began with a later snapshot and do not hold the ops that it
//! lacks. It takes their snapshot over.

use rootfold_light::invite::Invite;

use super::{blocking, heads, newer::newer_offers, pull, Begun, BootstrapError, Scouted};
use crate::{
    client::{Peer, PeerError},
    progress::Progress,
    space::{Adoption, Pinned, Space},
};

/// Takes over the newest snapshot of the peers that covers more ops than that of the replica. Ops of
/// the replica that the snapshot does not cover stay. `None` if no peer has a newer one.
pub(super) async fn newer(
    space: &Space,
    peers: &[Peer],
    invite: &Invite,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<Option<Begun>, BootstrapError> {
    let scouted = newer_offers(space, peers, invite, faults, progress).await?;
    if scouted.offers.is_empty() {
        return Ok(None);
    }
    take(space, &scouted, faults, progress).await
}

async fn take(
    space: &Space,
    scouted: &Scouted,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<Option<Begun>, BootstrapError> {
    let store = space.store_handle();
    // Pages that this node has dropped may be part of a snapshot.
    let roots = scouted.offers.iter().map(|offer| offer.snapshot.header.root);
    let _pinned: Vec<Pinned> = roots.map(|root| space.pin(root)).collect();
    let pulled = pull(scouted, &store, faults, progress).await?;
    let snapshot = pulled.snapshot;
    let (header, verify) = (snapshot.header, pulled.verify);
    let (pages, values, proof_bytes) = (pulled.pages, pulled.values, snapshot.proof.len() as u64);
    let key = pulled.key;
    let (tree, holes, into) = (pulled.tree, pulled.holes, space.clone());
    let taken = blocking(move || {
        let adoption = Adoption {
            snapshot: &snapshot,
            genesis: None,
            key: key.as_ref().map(|key| key.key()),
            tips: heads::open_all(&*store, &tree.heads)?,
            entries: tree.entries,
            repaired: &tree.repaired,
            holes: &holes,
        };
        into.take_over(adoption).map_err(BootstrapError::from)
    });
    if !taken.await?? {
        return Ok(None);
    }
    tracing::info!(event = "snapshot-taken-over", %header, "took over a newer snapshot");
    let space = space.clone();
    Ok(Some(Begun { space, header, verify, proof_bytes, pages, values, fresh: true }))
}
