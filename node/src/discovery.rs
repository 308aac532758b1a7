//! Finding further nodes of a space through peers.
//!
//! Peers name addresses; this node tries them and keeps a few that answer for the space. Nobody is
//! trusted for it: a liar can waste a few connections, and peers that a user has named are always kept.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use rand::Rng;

use crate::{
    bootstrap::SyncContext,
    data_dir::DataDir,
    peers::{self, is_local, Peers},
    space::Space,
};

/// The time between two rounds, plus at most half as much at random.
const EVERY: Duration = Duration::from_secs(60);
/// The time before a round, whoever names addresses.
const SHORTEST: Duration = Duration::from_secs(2);
/// A found peer that has not answered for so long is given up.
const PATIENCE: Duration = Duration::from_secs(600);

/// Finds further peers, and gives up found ones that do not answer, until it is dropped. The data directory
/// remembers them.
pub async fn discover(space: Space, data_dir: DataDir, peers: Peers, context: SyncContext) {
    match peers::found_before(&data_dir) {
        Ok(found) => found.into_iter().for_each(|address| peers.offer(&address, true)),
        Err(e) => {
            tracing::warn!(event = "found-peers-unreadable", error = %e, "the file of found peers cannot be read")
        }
    }
    let mut silent = BTreeMap::new();
    let mut remembered = Vec::new();
    loop {
        // The first peers answer meanwhile; and nobody can make this node try addresses all the time.
        tokio::time::sleep(SHORTEST).await;
        ask(&space, &peers, &context).await;
        try_candidates(&space, &peers, &context).await;
        give_up(&peers, &mut silent, Instant::now());
        let found = peers.found();
        if found != remembered {
            match peers::remember_found(&data_dir, &found) {
                Ok(()) => remembered = found,
                Err(e) => {
                    tracing::warn!(event = "found-peers-unwritable", error = %e, "found peers are not remembered")
                }
            }
        }
        let jitter = rand::thread_rng().gen_range(0.0..0.5);
        tokio::select! {
            () = tokio::time::sleep(EVERY.mul_f64(1.0 + jitter)) => {}
            () = peers.offered() => {}
        }
    }
}

/// Asks all peers that answer.
async fn ask(space: &Space, peers: &Peers, context: &SyncContext) {
    for address in peers.reachable() {
        let Ok(peer) = context.dial.connect(&address).await else { continue };
        match peer.list_peers(space.id(), peers.own_address()).await {
            Ok(listed) => {
                peers.update(&address, |state| state.node = listed.node);
                let is_near = is_local(&address);
                listed.addresses.iter().for_each(|named| peers.offer(named, is_near));
            }
            Err(e) => tracing::debug!(error = %e, "a peer names no others"),
        }
    }
}

/// Tries the addresses that others have named.
async fn try_candidates(space: &Space, peers: &Peers, context: &SyncContext) {
    for address in peers.candidates() {
        if !peers.has_room() {
            return;
        }
        let Ok(peer) = context.dial.connect(&address).await else { continue };
        // One that answers serves the space.
        let Ok(listed) = peer.list_peers(space.id(), peers.own_address()).await else { continue };
        if !listed.node.is_some_and(|node| peers.is_known(&node)) {
            tracing::info!(event = "peer-found", peer = address, "found a peer");
            peers.add_found(address, listed.node);
        }
    }
}

/// Removes found peers that have not answered for [`PATIENCE`].
fn give_up(peers: &Peers, silent: &mut BTreeMap<String, Instant>, now: Instant) {
    let states = peers.all();
    silent.retain(|address, _| {
        states.get(address).is_some_and(|state| state.reachable == Some(false))
    });
    for (address, state) in &states {
        if !state.found || state.reachable != Some(false) {
            continue;
        }
        let since = *silent.entry(address.clone()).or_insert(now);
        if now.duration_since(since) >= PATIENCE {
            tracing::info!(event = "peer-lost", peer = address, "gave up a found peer");
            peers.remove(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_peers_that_are_silent_are_given_up() {
        let peers = Peers::new(["named:1".to_owned()]);
        peers.add_found("found:1".to_owned(), None);
        let (mut silent, begin) = (BTreeMap::new(), Instant::now());
        for address in peers.addresses() {
            peers.update(&address, |state| state.reachable = Some(false));
        }
        give_up(&peers, &mut silent, begin);
        give_up(&peers, &mut silent, begin + PATIENCE / 2);
        assert_eq!(peers.addresses(), ["found:1", "named:1"]);
        // An answer in between starts anew.
        peers.update("found:1", |state| state.reachable = Some(true));
        give_up(&peers, &mut silent, begin + PATIENCE);
        peers.update("found:1", |state| state.reachable = Some(false));
        give_up(&peers, &mut silent, begin + PATIENCE);
        assert_eq!(peers.addresses(), ["found:1", "named:1"]);
        give_up(&peers, &mut silent, begin + 2 * PATIENCE);
        assert_eq!(peers.addresses(), ["named:1"]);
    }
}
