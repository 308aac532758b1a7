//! A node that keeps in step with its peers: pulls what is newer there, and pushes what is newer here.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rand::Rng;
use rootfold_core::field;

use tokio::time::Instant;

use crate::{
    bootstrap::{self, is_busy, Account, BootstrapError, Dial, Pushed, Reputation, SyncContext},
    client::{Credentials, Peer, PeerError},
    files,
    peers::Peers,
    space::Space,
};

/// The time between two syncs, plus at most as much again at random, so that nodes do not fall into
/// step.
const EVERY: Duration = Duration::from_millis(300);
/// The shortest time between two syncs, whatever changes here.
const SHORTEST: Duration = Duration::from_millis(50);
/// The longest time between two syncs while no peer answers.
const MAX_BACK_OFF: Duration = Duration::from_secs(30);

/// Connections that are kept: a connection that breaks is made again by the next call.
#[derive(Default)]
pub struct KeptConnections {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    credentials: Credentials,
    /// Counts the replacements of the credentials.
    version: u64,
    peers: BTreeMap<String, Peer>,
}

impl KeptConnections {
    /// Connections with credentials.
    pub fn with(credentials: Credentials) -> KeptConnections {
        KeptConnections { kept: Mutex::new(Kept { credentials, ..Kept::default() }) }
    }

    /// Makes all connections again, with other credentials.
    pub fn replace(&self, credentials: Credentials) {
        let mut kept = self.lock();
        *kept = Kept { credentials, version: kept.version + 1, peers: BTreeMap::new() };
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dial for KeptConnections {
    fn connect<'a>(
        &'a self,
        address: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Peer, PeerError>> + Send + 'a>> {
        Box::pin(async move {
            let (credentials, version) = {
                let kept = self.lock();
                if let Some(peer) = kept.peers.get(address) {
                    return Ok(peer.clone());
                }
                (kept.credentials.clone(), kept.version)
            };
            let peer = files::connect(address, &credentials).await?;
            let mut kept = self.lock();
            if kept.version == version {
                kept.peers.insert(address.to_owned(), peer.clone());
            }
            Ok(peer)
        })
    }
}

/// Keeps a space in step with its peers, until it is dropped. Equal roots cost one small message. A change
/// of this node is handed over at once. Errors are logged and noted in `peers`; the next round tries again,
/// later and later while no peer answers.
pub async fn follow(space: Space, peers: Peers, context: SyncContext) {
    let mut reputation = Reputation::default();
    let mut changed = space.subscribe();
    let mut wait = EVERY;
    loop {
        let addresses = peers.addresses();
        let allowed: Vec<String> =
            addresses.iter().filter(|address| reputation.allows(address)).cloned().collect();
        changed.mark_unchanged();
        let answered = round(&space, &allowed, &context, &mut reputation, &peers).await;
        for address in &addresses {
            let (faults, banned_until) = reputation.of(address);
            peers.update(address, |state| {
                (state.faults, state.banned_until) = (faults, banned_until);
            });
        }
        wait = if answered || addresses.is_empty() { EVERY } else { (2 * wait).min(MAX_BACK_OFF) };
        let jitter = rand::thread_rng().gen_range(0.0..1.0);
        tokio::time::sleep(SHORTEST).await;
        let rest = tokio::time::sleep(wait + wait.mul_f64(jitter));
        tokio::select! {
            () = rest => {}
            // While no peer answers, a change is no reason to ask sooner.
            Ok(()) = changed.changed(), if answered => {}
        }
    }
}

/// Pulls from all peers and pushes to each. Returns whether one has answered.
async fn round(
    space: &Space,
    addresses: &[String],
    context: &SyncContext,
    reputation: &mut Reputation,
    peers: &Peers,
) -> bool {
    if addresses.is_empty() {
        return false;
    }
    let failed = |address: &str, gone: bool, what: String| {
        peers.update(address, |state| {
            if gone {
                state.reachable = Some(false);
            }
            state.last_failure = Some(what);
        });
    };
    match bootstrap::sync(space, addresses, context, &()).await {
        Ok(report) => {
            reputation.note(&report.faults);
            for (address, account) in &report.answered {
                peers.update(address, |state| {
                    let Account { snapshot_ops, full_history } = *account;
                    (state.snapshot_ops, state.full_history) = (snapshot_ops, full_history);
                });
            }
            for fault in &report.faults {
                tracing::info!(event = "peer-fault", %fault, "a peer failed");
                failed(&fault.peer, fault.is_gone(), fault.cause.to_string());
            }
            if report.tail_ops > 0 {
                let root = field::to_hex(&report.root);
                tracing::info!(event = "ops-taken", ops = report.tail_ops, %root, "took ops from peers");
            }
        }
        Err(e) => {
            tracing::info!(event = "peers-unreachable", error = %e, "no peer could be synced with");
            if let BootstrapError::AllFailed { faults, .. } = &e {
                for fault in faults {
                    failed(&fault.peer, fault.is_gone(), fault.cause.to_string());
                }
            }
            return false;
        }
    }
    let found = peers.found();
    for address in addresses {
        let Ok(peer) = context.dial.connect(address).await else { continue };
        // The token is not for strangers.
        let peer = if found.contains(address) { peer.without_token() } else { peer };
        let asked = Instant::now();
        match bootstrap::push(space, &peer).await {
            Ok(pushed) => note(peers, &peer, pushed, asked.elapsed()),
            Err(e) if is_busy(&e) => tracing::debug!(error = %e, "a peer is busy"),
            Err(e) => {
                tracing::info!(event = "push-refused", error = %e, "a peer did not take ops");
                failed(address, e.is_gone(), e.cause.to_string());
            }
        }
    }
    true
}

/// Notes the answer of a peer.
fn note(peers: &Peers, peer: &Peer, pushed: Option<Pushed>, took: Duration) {
    peers.update(peer.address(), |state| {
        state.reachable = Some(true);
        state.bytes_received = peer.bytes_received();
        let Some(pushed) = pushed else { return };
        if pushed.ops > 0 {
            tracing::info!(
                event = "ops-pushed",
                ops = pushed.ops,
                peer = peer.address(),
                "handed ops to a peer"
            );
        } else {
            state.answer_time = Some(took);
        }
        state.root = Some(pushed.root);
        state.ops_handed += pushed.ops;
        state.ops_missing_here = pushed.missing_here;
        state.ops_missing_there = pushed.missing_there.saturating_sub(pushed.ops);
    });
}

/// The context of a node that follows peers, with connections from `dial`.
pub fn context(
    space: &Space,
    invite: rootfold_light::invite::Invite,
    dial: Arc<dyn Dial>,
) -> SyncContext {
    let policy = (*space.policy()).clone();
    SyncContext { invite, dial, policy }
}
