//! Replicas from an invite and addresses of peers.
//!
//! No peer is trusted. The snapshot is verified against the invite, every page against its name,
//! every value against its digest, and all later ops against the heads in the tree. A peer that fails
//! a check is reported and not asked for these items again; other peers are.
//!
//! All peers are asked side by side, and none is waited for that others can replace. All verified
//! offers are kept: if the pages of the best one are withheld, the next best is taken.
//!
//! Pages and values are stored under their own names when they arrive. One batch at the end turns
//! them into a space. An interrupted bootstrap resumes with the stored pages and values.

mod branch;
mod compare;
mod damaged;
mod failed;
mod fetch;
mod heads;
mod newer;
mod pages;
mod push;
mod reputation;
mod snapshots;
mod state;
mod tail;
mod take_over;
mod values;

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc, time::Duration};

use rootfold_core::{field, space::Genesis, tree::TreeError, F};
use rootfold_light::{
    fork::CheckedFork,
    invite::Invite,
    snapshot::{Snapshot, SnapshotHeader},
    values::{ValueKind, ValueName},
};
use rootfold_verifier::{ParameterId, PreparedVerifyingKey};
use thiserror::Error;
use tokio::time::Instant;

use crate::{
    blocking::{blocking, Panicked},
    client::{list, Credentials, Peer, PeerError},
    data_dir::{DataDir, DataDirError},
    files,
    progress::Progress,
    space::{Adoption, IngestError, Policy, Space, SpaceError},
    store::{Store, StoreError},
};

pub use compare::Elsewhere;
use pages::{Pulled, Tree};
pub(crate) use push::is_busy;
pub use push::{push, Pushed};
pub use reputation::Reputation;
use snapshots::{Offer, Scouted};
pub(crate) use state::fetch_state;
use tail::sync_short_tail;
pub use tail::{sync_tail, Account, Tail};

/// The sources and the destination of a bootstrap.
pub struct Bootstrap {
    /// The addresses of peers.
    pub peers: Vec<String>,
    /// The invite to the space.
    pub invite: Invite,
    /// The data directory of the replica.
    pub data_dir: DataDir,
    /// The verifying key; `None` fetches it from a peer. The invite has its id.
    pub key: Option<Arc<PreparedVerifyingKey>>,
}

/// The result of a bootstrap.
#[derive(Debug)]
pub struct BootstrapReport {
    /// The header of the snapshot from which the replica began.
    pub header: SnapshotHeader,
    /// The root of the replica.
    pub root: F,
    /// The root of a peer, by its own account.
    pub source_root: Option<F>,
    /// The duration of the verification of the snapshot.
    pub verify: Duration,
    /// The total duration.
    pub elapsed: Duration,
    /// Bytes received from all peers, with framing.
    pub bytes: u64,
    /// The length of the received proof in bytes; 0 if the replica had its snapshot before.
    pub proof_bytes: u64,
    /// The number of fetched pages.
    pub pages: u64,
    /// The number of fetched values, without those inline in pages.
    pub values: u64,
    /// The number of ingested ops after the snapshot.
    pub tail_ops: u64,
    /// Failures of peers that did not stop the bootstrap.
    pub faults: Vec<PeerError>,
    /// Forked logs that are not accepted, by writer, with the evidence.
    pub forks: BTreeMap<u32, CheckedFork>,
    /// Logs of which ops are held back, since their clocks are ahead.
    pub held_back: Vec<IngestError>,
    /// The number of values that no peer sent.
    pub holes: u64,
    /// The peers whose state differs although both have the same ops.
    pub elsewhere: Vec<Elsewhere>,
    /// What the peers that have answered say of themselves, by address.
    pub answered: BTreeMap<String, Account>,
}

/// Why a bootstrap failed. Another run resumes it.
#[derive(Debug, Error)]
pub enum BootstrapError {
    /// No addresses were given.
    #[error("no peer given: a bootstrap needs at least one address")]
    NoPeers,
    /// All peers failed.
    #[error("all peers failed to provide {what}: {}", list(.faults))]
    AllFailed {
        /// What was requested.
        what: String,
        /// The failure of each peer.
        faults: Vec<PeerError>,
    },
    /// The data directory holds another space.
    #[error(
        "the data directory holds space {}, the invite is to {}: choose another directory",
        field::to_hex(.held), field::to_hex(.wanted)
    )]
    OtherSpace {
        /// The space in the directory.
        held: F,
        /// The space of the invite.
        wanted: F,
    },
    /// The data directory belongs to a bootstrap of another space, which was cut off.
    #[error(
        "the data directory belongs to a bootstrap of space {}, which was cut off; the invite is to space {}: \
         choose another directory, or finish that bootstrap with its own invite",
        field::to_hex(.begun), field::to_hex(.wanted)
    )]
    OtherBootstrap {
        /// The space of the bootstrap that was cut off.
        begun: F,
        /// The space of the invite.
        wanted: F,
    },
    /// The data directory holds the space with other parameters.
    #[error(
        "the data directory has parameters {held}, the invite has {wanted}: the invite is to another \
         proof of this space"
    )]
    OtherParameters {
        /// The parameters in the directory.
        held: ParameterId,
        /// The parameters of the invite.
        wanted: ParameterId,
    },
    /// The pages below the proved root are not a tree, so the proof is false.
    #[error("the pages below the proved root {} are not a tree: {source}", field::to_hex(.root))]
    NotATree {
        /// The root.
        root: F,
        /// What is wrong.
        source: Box<TreeError>,
    },
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(Box<TreeError>),
    /// The data directory cannot be used.
    #[error(transparent)]
    Folder(#[from] DataDirError),
    /// The space cannot be created.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Ops cannot be ingested, whoever sent them.
    #[error("ingesting ops: {0}")]
    Ingest(Box<IngestError>),
    /// A task of this node panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

impl BootstrapError {
    /// Whether peers sent bad data or the invite does not fit, rather than that peers or this machine
    /// failed.
    pub fn is_refusal(&self) -> bool {
        match self {
            BootstrapError::AllFailed { faults, .. } => faults.iter().any(PeerError::is_refusal),
            BootstrapError::NotATree { .. }
            | BootstrapError::OtherParameters { .. }
            | BootstrapError::OtherSpace { .. }
            | BootstrapError::OtherBootstrap { .. } => true,
            _ => false,
        }
    }
}

/// Connects to the peer at an address.
pub trait Dial: Send + Sync + 'static {
    /// A connection to the peer.
    fn connect<'a>(
        &'a self,
        address: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Peer, PeerError>> + Send + 'a>>;
}

/// Connects over TCP.
#[derive(Debug, Clone, Copy, Default)]
pub struct DialTcp;

impl Dial for DialTcp {
    fn connect<'a>(
        &'a self,
        address: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Peer, PeerError>> + Send + 'a>> {
        Box::pin(Peer::connect(address))
    }
}

/// Connects over TCP with credentials.
#[derive(Clone, Default)]
pub struct DialAs(pub Credentials);

impl Dial for DialAs {
    fn connect<'a>(
        &'a self,
        address: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Peer, PeerError>> + Send + 'a>> {
        Box::pin(files::connect(address, &self.0))
    }
}

/// Creates a replica, or resumes an interrupted bootstrap, or fetches into a replica what is newer.
///
/// # Errors
/// [`BootstrapError`].
pub async fn run(
    bootstrap: Bootstrap,
    progress: &dyn Progress,
) -> Result<BootstrapReport, BootstrapError> {
    run_with(bootstrap, Arc::new(DialTcp), progress).await
}

/// [`run`] with connections from `dial`.
///
/// # Errors
/// [`BootstrapError`].
pub async fn run_with(
    bootstrap: Bootstrap,
    dial: Arc<dyn Dial>,
    progress: &dyn Progress,
) -> Result<BootstrapReport, BootstrapError> {
    let Bootstrap { peers, invite, data_dir, key } = bootstrap;
    let store = blocking(move || data_dir.store()).await??;
    let context = SyncContext { invite, dial, policy: Policy::default() };
    run_on(store, peers, key, &context, progress).await
}

/// What a sync needs besides peers.
#[derive(Clone)]
pub struct SyncContext {
    /// The invite to the space.
    pub invite: Invite,
    /// How peers are reached.
    pub dial: Arc<dyn Dial>,
    /// What the node takes into its logs.
    pub policy: Policy,
}

/// [`run`] on a store, with connections from `dial`.
///
/// # Errors
/// [`BootstrapError`].
pub async fn run_on(
    store: Arc<dyn Store>,
    addresses: Vec<String>,
    key: Option<Arc<PreparedVerifyingKey>>,
    context: &SyncContext,
    progress: &dyn Progress,
) -> Result<BootstrapReport, BootstrapError> {
    let began = Instant::now();
    let mut faults = Vec::new();
    let SyncContext { invite, dial, policy } = context;
    let held = open(store.clone(), invite).await?;
    let peers = snapshots::connect(&addresses, dial, &mut faults).await?;
    let begun = match held {
        Some(space) => Begun::already(space)?,
        None => begin(&peers, invite, key, store, &mut faults, progress).await?,
    };
    begun.space.set_policy(policy.clone());
    follow(begun, peers, invite, faults, began, progress).await
}

/// Fetches into the space of a running node what is newer at its peers. The policy of the space stays.
///
/// # Errors
/// [`BootstrapError`].
pub async fn sync(
    space: &Space,
    addresses: &[String],
    context: &SyncContext,
    progress: &dyn Progress,
) -> Result<BootstrapReport, BootstrapError> {
    let began = Instant::now();
    let mut faults = Vec::new();
    let peers = snapshots::connect(addresses, &context.dial, &mut faults).await?;
    let begun = Begun::already(space.clone())?;
    follow(begun, peers, &context.invite, faults, began, progress).await
}

/// Brings a replica to where its peers are.
async fn follow(
    mut begun: Begun,
    mut peers: Vec<Peer>,
    invite: &Invite,
    mut faults: Vec<PeerError>,
    began: Instant,
    progress: &dyn Progress,
) -> Result<BootstrapReport, BootstrapError> {
    let space = begun.space.clone();
    let bytes = |peers: &[Peer]| peers.iter().map(Peer::bytes_received).sum::<u64>();
    let all = peers.clone();
    retain_answering(&mut peers, &faults);
    let mut tail = sync_short_tail(&space, &peers, progress).await?;
    retain_answering(&mut peers, &tail.faults);
    if !tail.not_held.is_empty() || tail.far_behind {
        // The peers began with a later snapshot than this replica has, or it was away for many ops.
        let newer = take_over::newer(&space, &peers, invite, &mut faults, progress).await;
        let newer = match newer {
            Err(BootstrapError::AllFailed { faults: failed, .. }) if tail.far_behind => {
                faults.extend(failed);
                None
            }
            newer => newer?,
        };
        let (taken, far_behind) = (newer.is_some(), tail.far_behind);
        begun = newer.unwrap_or(begun);
        if taken || far_behind {
            tail.and_then(sync_tail(&space, &peers, progress).await?);
        }
    }
    // A replica that has just begun did so with the best snapshot that it could get.
    if !begun.fresh {
        let newest = newest(&space, &peers, invite, &tail, &mut faults, progress).await?;
        begun.header = newest.unwrap_or(begun.header);
    }
    damaged::replace_pages(&space, &peers, &mut faults).await?;
    values::fill_holes(&space, &peers, &mut faults, progress).await?;
    faults.append(&mut tail.faults);
    let elsewhere = compare::with_peers(&space, &peers, &tail).await;
    let into = space.clone();
    let holes = blocking(move || into.holes()).await??.len() as u64;
    Ok(BootstrapReport {
        header: begun.header,
        root: space.status().root,
        source_root: tail.source_root,
        verify: begun.verify,
        elapsed: began.elapsed(),
        bytes: bytes(&all),
        proof_bytes: begun.proof_bytes,
        pages: begun.pages,
        values: begun.values,
        tail_ops: tail.ops,
        faults,
        forks: tail.forks,
        held_back: tail.held_back,
        holes,
        elsewhere,
        answered: tail.answered,
    })
}

/// Keeps the newest snapshot of the peers that say they have a newer one than this replica.
async fn newest(
    space: &Space,
    peers: &[Peer],
    invite: &Invite,
    tail: &Tail,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<Option<SnapshotHeader>, BootstrapError> {
    let covered = space.status().snapshot.map_or(0, |header| header.ops);
    let is_newer = |peer: &&Peer| {
        tail.answered.get(peer.address()).is_some_and(|account| account.snapshot_ops > covered)
    };
    let newer: Vec<Peer> = peers.iter().filter(is_newer).cloned().collect();
    if newer.is_empty() {
        return Ok(None);
    }
    match newer::keep_newest(space, &newer, invite, faults, progress).await {
        // The replica goes on with the snapshot that it has.
        Err(BootstrapError::AllFailed { faults: failed, .. }) => {
            faults.extend(failed);
            Ok(None)
        }
        kept => kept,
    }
}

/// Drops the peers that have not answered, so that no further step waits for them. If none is left, all
/// stay: the next step says what is wrong.
fn retain_answering(peers: &mut Vec<Peer>, faults: &[PeerError]) {
    let gone =
        |peer: &Peer| faults.iter().any(|fault| fault.is_gone() && fault.peer == peer.address());
    if peers.iter().any(|peer| !gone(peer)) {
        peers.retain(|peer| !gone(peer));
    }
}

/// A replica that has its snapshot, before the tail is fetched.
struct Begun {
    space: Space,
    header: SnapshotHeader,
    verify: Duration,
    proof_bytes: u64,
    pages: u64,
    values: u64,
    /// Whether the snapshot has come just now.
    fresh: bool,
}

impl Begun {
    /// A replica from an earlier bootstrap.
    fn already(space: Space) -> Result<Begun, SpaceError> {
        let (header, verify) = (space.snapshot_header()?, Duration::ZERO);
        Ok(Begun { space, header, verify, proof_bytes: 0, pages: 0, values: 0, fresh: false })
    }
}

async fn begin(
    peers: &[Peer],
    invite: &Invite,
    key: Option<Arc<PreparedVerifyingKey>>,
    store: Arc<dyn Store>,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<Begun, BootstrapError> {
    let scouted = snapshots::scout(peers.to_vec(), invite, key, faults, progress).await?;
    let (begun, id) = (store.clone(), invite.space);
    blocking(move || Space::begin_bootstrap(&*begun, &id)).await??;
    let genesis = genesis(&scouted.peers, invite.space, faults).await?;
    let pulled = pull(&scouted, &store, faults, progress).await?;
    let header = pulled.snapshot.header;
    let key = match pulled.key.clone() {
        Some(key) => Some(key),
        // At genesis no proof needs the key, but other peers ask this replica for it.
        None => snapshots::fetch_key(peers, invite, &mut Vec::new()).await,
    };
    let (verify, pages, values) = (pulled.verify, pulled.pages, pulled.values);
    let proof_bytes = pulled.snapshot.proof.len() as u64;
    let adopted = blocking(move || {
        let tips = heads::open_all(&*store, &pulled.tree.heads)?;
        let adoption = Adoption {
            snapshot: &pulled.snapshot,
            genesis: Some(&genesis),
            key: key.as_ref().map(|key| key.key()),
            tips,
            entries: pulled.tree.entries,
            repaired: &pulled.tree.repaired,
            holes: &pulled.holes,
        };
        Space::adopt(store.clone(), adoption)
    });
    let space = adopted.await??;
    tracing::info!(event = "snapshot-adopted", %header, "adopted a snapshot");
    Ok(Begun { space, header, verify, proof_bytes, pages, values, fresh: true })
}

/// A snapshot whose pages are in the store.
struct Pull {
    snapshot: Snapshot,
    /// The key that verified it; `None` for genesis.
    key: Option<Arc<PreparedVerifyingKey>>,
    verify: Duration,
    tree: Tree,
    pages: u64,
    values: u64,
    /// Values that no peer sent.
    holes: Vec<ValueName>,
}

/// Fetches the best offer of which the peers send all pages.
async fn pull(
    scouted: &Scouted,
    store: &Arc<dyn Store>,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<Pull, BootstrapError> {
    let (first_fault, mut what) = (faults.len(), String::new());
    for offer in &scouted.offers {
        let header = &offer.snapshot.header;
        let holders = scouted.holders(offer);
        let fetched = match pages::fetch(&holders, header, store.clone(), faults, progress).await? {
            Pulled::Tree(fetched) => fetched,
            Pulled::Withheld(pages) => {
                what = format!("{pages} pages");
                tracing::warn!(event = "offer-withheld", %header, pages, "pages are withheld; taking the next best offer");
                continue;
            }
        };
        let pages::Fetched { mut tree, pages } = fetched;
        let names = std::mem::take(&mut tree.values);
        let fetched =
            values::fetch(&holders, header.space, store.clone(), names, faults, progress).await?;
        let values::FetchedValues { values, holes } = fetched;
        if holes.iter().any(|hole| hole.kind == ValueKind::Head) {
            // Without the heads no log can go on.
            what = format!("{} heads of logs", holes.len());
            tracing::warn!(event = "offer-withheld", %header, "heads are withheld; taking the next best offer");
            continue;
        }
        let Offer { snapshot, key, verify, .. } = offer;
        let (snapshot, key, verify) = (snapshot.clone(), key.clone(), *verify);
        return Ok(Pull { snapshot, key, verify, tree, pages, values, holes });
    }
    Err(BootstrapError::AllFailed { what, faults: faults.split_off(first_fault) })
}

/// Opens the space in the store, if there is one.
async fn open(store: Arc<dyn Store>, invite: &Invite) -> Result<Option<Space>, BootstrapError> {
    let space = match blocking(move || Space::open(store)).await? {
        Ok(space) => space,
        Err(SpaceError::NoSpace) => return Ok(None),
        Err(SpaceError::CutOff { id }) if id == invite.space => return Ok(None),
        Err(SpaceError::CutOff { id }) => {
            return Err(BootstrapError::OtherBootstrap { begun: id, wanted: invite.space });
        }
        Err(e) => return Err(e.into()),
    };
    let (held, wanted) = (space.id(), invite.space);
    if held != wanted {
        return Err(BootstrapError::OtherSpace { held, wanted });
    }
    if let Some(held) = space.verifying_key()?.map(|key| key.id()) {
        if held != invite.parameters {
            return Err(BootstrapError::OtherParameters { held, wanted: invite.parameters });
        }
    }
    Ok(Some(space))
}

/// The genesis config, from the first peer that sends it. It shows that the space's id is the root of a
/// tree of the canonical shape: the proof says only what follows from that root.
async fn genesis(
    peers: &[Peer],
    space: F,
    faults: &mut Vec<PeerError>,
) -> Result<Genesis, BootstrapError> {
    let ask = move |peer: Peer| async move { peer.genesis(space).await };
    let mut refused = Vec::new();
    let found = snapshots::first_of(peers, ask, &mut refused).await;
    match found {
        Some(genesis) => {
            // A peer without the config is not faulty; one with a false config is.
            faults.extend(refused.into_iter().filter(PeerError::is_refusal));
            Ok(genesis)
        }
        None => {
            let what = "the genesis config".into();
            Err(BootstrapError::AllFailed { what, faults: refused })
        }
    }
}

/// The error of a task that did not end.
fn joined(e: tokio::task::JoinError) -> BootstrapError {
    Panicked { what: e.to_string() }.into()
}
