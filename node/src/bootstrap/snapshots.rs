//! The choice of the snapshot.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rootfold_light::{
    invite::Invite,
    snapshot::Snapshot,
    verify::{verify, VerifyError},
};
use rootfold_verifier::PreparedVerifyingKey;

use super::{blocking, BootstrapError};
use crate::{
    client::{Peer, PeerError},
    progress::{Event, Progress},
};

/// A verified snapshot.
pub(super) struct Offer {
    pub(super) snapshot: Snapshot,
    /// The key that verified it; `None` for genesis.
    pub(super) key: Option<Arc<PreparedVerifyingKey>>,
    pub(super) verify: Duration,
}

/// Requests the snapshots of all peers, verifies them, and returns the one with the most ops. There may
/// be a newer one; the tail has the ops that are missing.
pub(super) async fn newest(
    peers: &[Peer],
    invite: &Invite,
    mut key: Option<Arc<PreparedVerifyingKey>>,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<Offer, BootstrapError> {
    let first_fault = faults.len();
    let mut best: Option<Offer> = None;
    for peer in peers {
        let snapshot = match peer.latest_snapshot(invite.space).await {
            Ok(snapshot) => snapshot,
            Err(e) => {
                faults.push(e);
                continue;
            }
        };
        if key.is_none() && !snapshot.header.is_genesis() {
            key = fetch_key(peers, invite, faults).await;
        }
        let (invite, with) = (*invite, key.clone());
        let checked = blocking(move || {
            let began = Instant::now();
            verify(&snapshot, &invite, with.as_deref())?;
            Ok::<_, VerifyError>(Offer { snapshot, key: with, verify: began.elapsed() })
        });
        match checked.await? {
            Ok(offer) => {
                let micros = u64::try_from(offer.verify.as_micros()).unwrap_or(u64::MAX);
                progress.on(Event::Verified { micros });
                let ops = |offer: &Offer| offer.snapshot.header.ops;
                if best.as_ref().is_none_or(|best| ops(best) < ops(&offer)) {
                    best = Some(offer);
                }
            }
            Err(e) => {
                let fault = peer.blame(e);
                tracing::warn!(error = %fault, "refused a snapshot");
                faults.push(fault);
            }
        }
    }
    best.ok_or_else(|| {
        let faults = faults.split_off(first_fault);
        BootstrapError::AllFailed { what: "a snapshot".into(), faults }
    })
}

/// The verifying key of the invite, from the first peer that has it.
async fn fetch_key(
    peers: &[Peer],
    invite: &Invite,
    faults: &mut Vec<PeerError>,
) -> Option<Arc<PreparedVerifyingKey>> {
    for peer in peers {
        match peer.verifying_key(invite.parameters).await {
            Ok(key) => return Some(Arc::new(key)),
            Err(e) => faults.push(e),
        }
    }
    None
}
