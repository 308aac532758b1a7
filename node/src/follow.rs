//! A node that keeps in step with its peers: pulls what is newer there, and pushes what is newer here.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rand::Rng;
use rootfold_core::field;

use crate::{
    bootstrap::{self, is_busy, Dial, DialTcp, Reputation, SyncContext},
    client::{Peer, PeerError},
    space::Space,
};

/// The time between two syncs, plus at most as much again at random, so that nodes do not fall into
/// step.
const EVERY: Duration = Duration::from_millis(300);
/// The longest time between two syncs while no peer answers.
const MAX_BACK_OFF: Duration = Duration::from_secs(30);

/// Connections that are kept: a connection that breaks is made again by the next call.
#[derive(Default)]
pub struct KeptConnections {
    peers: Mutex<BTreeMap<String, Peer>>,
}

impl Dial for KeptConnections {
    fn connect<'a>(
        &'a self,
        address: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Peer, PeerError>> + Send + 'a>> {
        Box::pin(async move {
            let held =
                self.peers.lock().unwrap_or_else(PoisonError::into_inner).get(address).cloned();
            if let Some(peer) = held {
                return Ok(peer);
            }
            let peer = DialTcp.connect(address).await?;
            let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
            peers.insert(address.to_owned(), peer.clone());
            Ok(peer)
        })
    }
}

/// Keeps a space in step with peers, until it is dropped. Equal roots cost one small message. Errors are
/// logged; the next round tries again, later and later while no peer answers.
pub async fn follow(space: Space, addresses: Vec<String>, context: SyncContext) {
    let mut reputation = Reputation::default();
    let mut wait = EVERY;
    loop {
        let allowed: Vec<String> =
            addresses.iter().filter(|address| reputation.allows(address)).cloned().collect();
        let answered = round(&space, &allowed, &context, &mut reputation).await;
        wait = if answered { EVERY } else { (2 * wait).min(MAX_BACK_OFF) };
        let jitter = rand::thread_rng().gen_range(0.0..1.0);
        tokio::time::sleep(wait + wait.mul_f64(jitter)).await;
    }
}

/// Pulls from all peers and pushes to each. Returns whether one has answered.
async fn round(
    space: &Space,
    addresses: &[String],
    context: &SyncContext,
    reputation: &mut Reputation,
) -> bool {
    match bootstrap::sync(space, addresses, context, &()).await {
        Ok(report) => {
            reputation.note(&report.faults);
            for fault in &report.faults {
                tracing::info!(%fault, "a peer failed");
            }
            if report.tail_ops > 0 {
                let root = field::to_hex(&report.root);
                tracing::info!(ops = report.tail_ops, %root, "took ops from peers");
            }
        }
        Err(e) => {
            tracing::info!(error = %e, "no peer could be synced with");
            return false;
        }
    }
    for address in addresses {
        let Ok(peer) = context.dial.connect(address).await else { continue };
        match bootstrap::push(space, &peer).await {
            Ok(0) => {}
            Ok(ops) => tracing::info!(ops, peer = address, "handed ops to a peer"),
            Err(e) if is_busy(&e) => tracing::debug!(error = %e, "a peer is busy"),
            Err(e) => tracing::info!(error = %e, "a peer did not take ops"),
        }
    }
    true
}

/// The context of a node that follows peers over TCP.
pub fn context(space: &Space, invite: rootfold_light::invite::Invite) -> SyncContext {
    let policy = (*space.policy()).clone();
    SyncContext { invite, dial: Arc::new(KeptConnections::default()), policy }
}
