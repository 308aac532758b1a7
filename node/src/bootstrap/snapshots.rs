//! Peers and their offers: connecting to all of them side by side, and verifying the snapshots that
//! they offer.

use std::{sync::Arc, time::Duration};

use rootfold_light::{
    invite::Invite,
    snapshot::Snapshot,
    verify::{verify, VerifyError},
};
use rootfold_verifier::PreparedVerifyingKey;
use tokio::{
    task::JoinSet,
    time::{timeout_at, Instant},
};

use super::{blocking, fetch::Holder, joined, BootstrapError, Dial};
use crate::{
    client::{Peer, PeerCause, PeerError},
    progress::{Event, Progress},
};

/// The time for further peers to answer once one has.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// A verified snapshot and the peers that offer it.
pub(super) struct Offer {
    pub(super) snapshot: Snapshot,
    /// The key that verified it; `None` for genesis.
    pub(super) key: Option<Arc<PreparedVerifyingKey>>,
    pub(super) verify: Duration,
    holders: Vec<usize>,
}

/// The peers that have answered, and what they offer.
pub(super) struct Scouted {
    pub(super) peers: Vec<Peer>,
    /// Verified offers, the one with the most ops first.
    pub(super) offers: Vec<Offer>,
}

impl Scouted {
    /// All peers, as holders of an offer.
    pub(super) fn holders(&self, offer: &Offer) -> Vec<Holder> {
        let holder = |(index, peer): (usize, &Peer)| Holder {
            peer: peer.clone(),
            offered: offer.holders.contains(&index),
        };
        self.peers.iter().enumerate().map(holder).collect()
    }
}

/// Connects to all peers side by side. Waits for all of them, but for [`GRACE`] only once one has
/// answered.
///
/// # Errors
/// [`BootstrapError::NoPeers`], [`BootstrapError::AllFailed`].
pub(super) async fn connect(
    addresses: &[String],
    dial: &Arc<dyn Dial>,
    faults: &mut Vec<PeerError>,
) -> Result<Vec<Peer>, BootstrapError> {
    if addresses.is_empty() {
        return Err(BootstrapError::NoPeers);
    }
    let mut asked = JoinSet::new();
    for (index, address) in addresses.iter().enumerate() {
        let (dial, address) = (dial.clone(), address.clone());
        asked.spawn(async move { (index, dial.connect(&address).await) });
    }
    let mut peers = Vec::new();
    let mut first_fault = Vec::new();
    gather(&mut asked, addresses, faults, |index, connected| {
        match connected {
            Ok(peer) => peers.push((index, peer)),
            Err(e) => first_fault.push(e),
        }
        !peers.is_empty()
    })
    .await?;
    faults.extend(first_fault);
    peers.sort_by_key(|(index, _)| *index);
    if peers.is_empty() {
        let what = "a connection".into();
        return Err(BootstrapError::AllFailed { what, faults: std::mem::take(faults) });
    }
    Ok(peers.into_iter().map(|(_, peer)| peer).collect())
}

/// Takes results until all are there, or [`GRACE`] has passed since `take` first returned `true`. Those
/// who have not answered by then are named.
async fn gather<T: 'static>(
    asked: &mut JoinSet<(usize, T)>,
    addresses: &[String],
    faults: &mut Vec<PeerError>,
    mut take: impl FnMut(usize, T) -> bool,
) -> Result<(), BootstrapError> {
    let mut silent: Vec<bool> = vec![true; addresses.len()];
    let mut deadline: Option<Instant> = None;
    loop {
        let next = match deadline {
            None => asked.join_next().await,
            Some(deadline) => match timeout_at(deadline, asked.join_next()).await {
                Ok(next) => next,
                Err(_) => break,
            },
        };
        let Some((index, result)) = next.transpose().map_err(joined)? else { return Ok(()) };
        silent[index] = false;
        if take(index, result) {
            deadline = deadline.or_else(|| Some(Instant::now() + GRACE));
        }
    }
    asked.abort_all();
    for (address, _) in addresses.iter().zip(&silent).filter(|(_, silent)| **silent) {
        let cause = Box::new(PeerCause::Silent { seconds: GRACE.as_secs() });
        faults.push(PeerError { peer: address.clone(), cause });
    }
    Ok(())
}

/// Asks all peers for their newest snapshots and verifies these. There may be newer ones; the tail has
/// the ops that are missing.
///
/// # Errors
/// [`BootstrapError::AllFailed`] if no peer offers a valid snapshot.
pub(super) async fn scout(
    peers: Vec<Peer>,
    invite: &Invite,
    mut key: Option<Arc<PreparedVerifyingKey>>,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<Scouted, BootstrapError> {
    let space = invite.space;
    let mut asked = JoinSet::new();
    for (index, peer) in peers.iter().enumerate() {
        let peer = peer.clone();
        asked.spawn(async move {
            let offered = match peer.latest_snapshot(space).await {
                Err(e) => Err(peer.explain(e).await),
                offered => offered,
            };
            (index, offered)
        });
    }
    let addresses: Vec<String> = peers.iter().map(|peer| peer.address().to_owned()).collect();
    let (mut snapshots, mut refused) = (Vec::new(), Vec::new());
    gather(&mut asked, &addresses, faults, |index, offered| {
        match offered {
            Ok(snapshot) => snapshots.push((index, snapshot)),
            Err(e) => refused.push(e),
        }
        !snapshots.is_empty()
    })
    .await?;
    snapshots.sort_by_key(|(index, _)| *index);
    let mut offers: Vec<Offer> = Vec::new();
    for (index, snapshot) in snapshots {
        if let Some(same) = offers.iter_mut().find(|offer| offer.snapshot == snapshot) {
            same.holders.push(index);
            continue;
        }
        if key.is_none() && !snapshot.header.is_genesis() {
            key = fetch_key(&peers, invite, &mut refused).await;
        }
        match check(snapshot, invite, key.clone()).await? {
            Ok(mut offer) => {
                let micros = u64::try_from(offer.verify.as_micros()).unwrap_or(u64::MAX);
                progress.on(Event::Verified { micros });
                offer.holders.push(index);
                offers.push(offer);
            }
            Err(e) => {
                let fault = peers[index].blame(e);
                tracing::warn!(error = %fault, "refused a snapshot");
                refused.push(fault);
            }
        }
    }
    if offers.is_empty() {
        refused.append(faults);
        return Err(BootstrapError::AllFailed { what: "a snapshot".into(), faults: refused });
    }
    faults.extend(refused);
    // A stable sort: of equal offers the first peer's.
    offers.sort_by_key(|offer| u64::MAX - offer.snapshot.header.ops);
    Ok(Scouted { peers, offers })
}

async fn check(
    snapshot: Snapshot,
    invite: &Invite,
    key: Option<Arc<PreparedVerifyingKey>>,
) -> Result<Result<Offer, VerifyError>, BootstrapError> {
    let invite = *invite;
    let checked = blocking(move || {
        let began = std::time::Instant::now();
        verify(&snapshot, &invite, key.as_deref())?;
        let key = key.filter(|_| !snapshot.header.is_genesis());
        Ok(Offer { snapshot, key, verify: began.elapsed(), holders: Vec::new() })
    });
    Ok(checked.await?)
}

/// The verifying key of the invite, from the first peer that sends it. All are asked side by side.
pub(super) async fn fetch_key(
    peers: &[Peer],
    invite: &Invite,
    faults: &mut Vec<PeerError>,
) -> Option<Arc<PreparedVerifyingKey>> {
    let parameters = invite.parameters;
    let ask = move |peer: Peer| async move { peer.verifying_key(parameters).await };
    first_of(peers, ask, faults).await.map(Arc::new)
}

/// The first good answer of the peers, who are asked side by side. Those who were not faster are not
/// faulty.
pub(super) async fn first_of<T, Asked>(
    peers: &[Peer],
    ask: impl Fn(Peer) -> Asked,
    faults: &mut Vec<PeerError>,
) -> Option<T>
where
    T: Send + 'static,
    Asked: std::future::Future<Output = Result<T, PeerError>> + Send + 'static,
{
    let mut asked = JoinSet::new();
    for (index, peer) in peers.iter().enumerate() {
        let answer = ask(peer.clone());
        asked.spawn(async move { (index, answer.await) });
    }
    let mut refused = Vec::new();
    let mut found = None;
    while let Some(done) = asked.join_next().await {
        match done {
            Ok((_, Ok(answer))) => {
                found = Some(answer);
                break;
            }
            Ok((index, Err(e))) => refused.push((index, e)),
            Err(e) => tracing::warn!(error = %e, "a task failed"),
        }
    }
    refused.sort_by_key(|(index, _)| *index);
    faults.extend(refused.into_iter().map(|(_, e)| e));
    found
}
