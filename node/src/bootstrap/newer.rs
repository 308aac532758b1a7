//! A newer snapshot for a replica that has the ops already: with it more is proven here, and others can
//! begin with this node.

use std::sync::Arc;

use rootfold_light::{invite::Invite, snapshot::SnapshotHeader, values::ValueKind};
use rootfold_verifier::PreparedVerifyingKey;

use super::{
    blocking,
    fetch::Holder,
    pages::{self, FetchedBeside},
    snapshots::{self, Scouted},
    values, BootstrapError,
};
use crate::{
    client::{Peer, PeerCause, PeerError},
    progress::Progress,
    space::{FetchedNames, Pages, Space},
    store::{Batch, Durability},
};

/// Keeps the newest snapshot of the peers, all of which say that they have one that covers more ops than
/// that of this replica. Returns its header; `None` if peers withhold pages of every such snapshot.
pub(super) async fn keep_newest(
    space: &Space,
    peers: &[Peer],
    invite: &Invite,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<Option<SnapshotHeader>, BootstrapError> {
    let scouted = newer_offers(space, peers, invite, faults, progress).await?;
    if scouted.offers.is_empty() {
        let boasted = PeerCause::Withheld { what: "snapshots", count: 1, of: 1 };
        faults.extend(peers.first().map(|peer| peer.blame(boasted)));
        return Ok(None);
    }
    for offer in &scouted.offers {
        let header = offer.snapshot.header;
        let _pinned = space.pin(header.root);
        let holders = scouted.holders(offer);
        let Some(fetched) = fetch(space, &holders, &header, faults, progress).await? else {
            tracing::warn!(event = "offer-withheld", %header, "pages or heads are withheld; taking the next best offer");
            continue;
        };
        let held = space.clone();
        let obsolete = blocking(move || held.contradicts(&held.tips_below(header.root)?));
        if obsolete.await?? {
            tracing::info!(event = "snapshot-cut-off", %header, "a peer's snapshot has ops that the owner has cut off");
            continue;
        }
        let (into, snapshot) = (space.clone(), offer.snapshot.clone());
        if blocking(move || into.keep_snapshot(&snapshot, &fetched)).await?? {
            tracing::info!(event = "snapshot-kept", %header, "kept a newer snapshot");
            return Ok(Some(header));
        }
    }
    Ok(None)
}

/// The peers' snapshots that cover more ops than that of this replica, verified.
pub(super) async fn newer_offers(
    space: &Space,
    peers: &[Peer],
    invite: &Invite,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<Scouted, BootstrapError> {
    let held = space.clone();
    let key = blocking(move || {
        let key = held.verifying_key()?;
        Ok::<_, BootstrapError>(key.and_then(|key| PreparedVerifyingKey::new(key).ok()))
    });
    let key = key.await??.map(Arc::new);
    let mut scouted = snapshots::scout(peers.to_vec(), invite, key, faults, progress).await?;
    let newest = space.status().snapshot;
    let covered = newest.map_or(0, |header| header.ops);
    // The owner's log counts more than the number of ops: without those that were cut off there are fewer.
    let past = space.is_past_a_replaced_head();
    scouted.offers.retain(|offer| {
        let header = offer.snapshot.header;
        header.ops > covered || (past && Some(header) != newest)
    });
    Ok(scouted)
}

/// Fetches what the states of this node lack of a proved one, whose root is pinned. `None` if no peer sends
/// some of its pages or heads. Other values that do not come are left out.
pub(super) async fn fetch(
    space: &Space,
    holders: &[Holder],
    header: &SnapshotHeader,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<Option<FetchedNames>, BootstrapError> {
    let beside = pages::fetch_beside(space, holders, header, faults, progress).await?;
    let Some(FetchedBeside { pages, values: names, repaired }) = beside else { return Ok(None) };
    let into = space.clone();
    let corrected = blocking(move || {
        let mut batch = Batch::new();
        for (name, page) in &repaired {
            into.pages().forget(name);
            Pages::stage(&mut batch, name, page);
        }
        into.store().write(batch, Durability::Buffered)
    });
    corrected.await??;
    let (store, values) = (space.store_handle(), names.iter().copied().collect());
    let fetched = values::fetch(holders, space.id(), store, names, faults, progress).await?;
    let lacks_head = fetched.holes.iter().any(|hole| hole.kind == ValueKind::Head);
    Ok((!lacks_head).then_some(FetchedNames { pages, values }))
}
