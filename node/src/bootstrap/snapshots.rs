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
    sync::{Mutex, OnceCell},
    task::JoinSet,
    time::{timeout_at, Instant},
};

use super::{blocking, fetch::Holder, joined, BootstrapError, Dial};
use crate::{
    client::{Peer, PeerCause, PeerError},
    progress::{Event, Progress},
};

/// The time for further peers to connect once one has: longer than it takes to send a lost packet again.
const CONNECT_GRACE: Duration = Duration::from_secs(3);
/// The time for further offers once one is verified.
const OFFER_GRACE: Duration = Duration::from_secs(1);
/// The same if only genesis is offered, which needs no proof: a peer that has nothing else is quick.
const GENESIS_GRACE: Duration = Duration::from_secs(3);

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

/// Connects to all peers side by side. Waits for all of them, but for [`CONNECT_GRACE`] only once one has
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
        (!peers.is_empty()).then_some(CONNECT_GRACE)
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

/// Takes results until all are there, or the shortest time that `take` has returned has passed since it
/// did. Those who have not answered by then are named.
async fn gather<T: 'static>(
    asked: &mut JoinSet<(usize, T)>,
    addresses: &[String],
    faults: &mut Vec<PeerError>,
    mut take: impl FnMut(usize, T) -> Option<Duration>,
) -> Result<(), BootstrapError> {
    let began = Instant::now();
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
        if let Some(grace) = take(index, result) {
            let until = Instant::now() + grace;
            deadline = Some(deadline.map_or(until, |deadline| deadline.min(until)));
        }
    }
    asked.abort_all();
    for (address, _) in addresses.iter().zip(&silent).filter(|(_, silent)| **silent) {
        let cause = Box::new(PeerCause::Silent { seconds: began.elapsed().as_secs().max(1) });
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
    key: Option<Arc<PreparedVerifyingKey>>,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<Scouted, BootstrapError> {
    let addresses: Vec<String> = peers.iter().map(|peer| peer.address().to_owned()).collect();
    // The key is fetched once, when the first proof is offered.
    let key = Arc::new(OnceCell::new_with(key.map(Some)));
    let key_faults = Arc::new(Mutex::new(Vec::new()));
    let mut asked = JoinSet::new();
    for (index, peer) in peers.iter().enumerate() {
        let (peer, peers, invite) = (peer.clone(), peers.clone(), *invite);
        let (key, key_faults) = (key.clone(), key_faults.clone());
        asked.spawn(async move {
            let offered = offer(index, &peer, &peers, &invite, &key, &key_faults).await;
            (index, offered)
        });
    }
    let (mut made, mut refused) = (Vec::new(), Vec::new());
    gather(&mut asked, &addresses, faults, |index, offered| match offered {
        Ok(offer) => {
            let micros = u64::try_from(offer.verify.as_micros()).unwrap_or(u64::MAX);
            progress.on(Event::Verified { micros });
            let genesis = offer.snapshot.header.is_genesis();
            made.push((index, offer));
            Some(if genesis { GENESIS_GRACE } else { OFFER_GRACE })
        }
        Err(e) => {
            refused.push(e);
            None
        }
    })
    .await?;
    refused.append(&mut *key_faults.lock().await);
    made.sort_by_key(|(index, _)| *index);
    let mut offers: Vec<Offer> = Vec::new();
    for (_, offer) in made {
        match offers.iter_mut().find(|other| other.snapshot == offer.snapshot) {
            Some(same) => same.holders.extend(offer.holders),
            None => offers.push(offer),
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

type SharedKey = OnceCell<Option<Arc<PreparedVerifyingKey>>>;

/// The snapshot of a peer, verified.
async fn offer(
    index: usize,
    peer: &Peer,
    peers: &[Peer],
    invite: &Invite,
    key: &SharedKey,
    key_faults: &Mutex<Vec<PeerError>>,
) -> Result<Offer, PeerError> {
    let snapshot = match peer.latest_snapshot(invite.space).await {
        Err(e) => return Err(peer.explain(e).await),
        Ok(snapshot) => snapshot,
    };
    let key = if snapshot.header.is_genesis() {
        None
    } else {
        let fetch = || async { fetch_key(peers, invite, &mut *key_faults.lock().await).await };
        key.get_or_init(fetch).await.clone()
    };
    match check(snapshot, invite, key).await {
        Ok(Ok(offer)) => Ok(Offer { holders: vec![index], ..offer }),
        Ok(Err(e)) => {
            let fault = peer.blame(e);
            tracing::warn!(event = "snapshot-refused", error = %fault, "refused a snapshot");
            Err(fault)
        }
        Err(e) => Err(peer.blame(PeerCause::Panicked { what: e.to_string() })),
    }
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
            Err(e) => tracing::warn!(event = "task-failed", error = %e, "a task failed"),
        }
    }
    refused.sort_by_key(|(index, _)| *index);
    faults.extend(refused.into_iter().map(|(_, e)| e));
    found
}
