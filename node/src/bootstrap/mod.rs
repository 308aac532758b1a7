//! Replicas from an invite and addresses of peers.
//!
//! No peer is trusted. The snapshot is verified against the invite, every page against its name,
//! every value against its digest, and all later ops against the heads in the tree. A peer that fails
//! a check is reported and not asked for these items again; other peers are.
//!
//! Pages and values are stored under their own names when they arrive. One batch at the end turns
//! them into a space. An interrupted bootstrap resumes with the stored pages and values.

mod fetch;
mod heads;
mod pages;
mod snapshots;
mod tail;
mod values;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rootfold_core::{field, tree::TreeError, F};
use rootfold_light::{invite::Invite, snapshot::SnapshotHeader};
use rootfold_verifier::PreparedVerifyingKey;
use thiserror::Error;

use crate::{
    client::{Peer, PeerError},
    data_dir::{DataDir, DataDirError},
    progress::Progress,
    space::{Adoption, Space, SpaceError},
    store::{Store, StoreError},
};

pub use tail::{sync_tail, Tail};

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
    /// The length of the proof in bytes.
    pub proof_bytes: u64,
    /// The number of fetched pages.
    pub pages: u64,
    /// The number of fetched values, without those inline in pages.
    pub values: u64,
    /// The number of ingested ops after the snapshot.
    pub tail_ops: u64,
    /// Failures of peers that did not stop the bootstrap.
    pub faults: Vec<PeerError>,
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
    /// A task of this node panicked.
    #[error("a task panicked: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

impl BootstrapError {
    /// Whether peers sent bad data or the invite does not fit, rather than that peers or this machine
    /// failed.
    pub fn is_refusal(&self) -> bool {
        match self {
            BootstrapError::AllFailed { faults, .. } => faults.iter().any(PeerError::is_refusal),
            BootstrapError::NotATree { .. } | BootstrapError::OtherSpace { .. } => true,
            _ => false,
        }
    }
}

fn list(faults: &[PeerError]) -> String {
    let faults: Vec<String> = faults.iter().map(PeerError::to_string).collect();
    faults.join("; ")
}

/// Creates a replica, or resumes an interrupted bootstrap.
///
/// # Errors
/// [`BootstrapError`].
pub async fn run(
    bootstrap: Bootstrap,
    progress: &dyn Progress,
) -> Result<BootstrapReport, BootstrapError> {
    let began = Instant::now();
    let Bootstrap { peers, invite, data_dir, key } = bootstrap;
    let mut faults = Vec::new();
    let peers = connect(&peers, &mut faults).await?;
    let store = blocking(move || data_dir.store()).await??;
    let begun = match open(store.clone(), &invite).await? {
        Some(space) => Begun::already(space)?,
        None => begin(&peers, &invite, key, store, &mut faults, progress).await?,
    };
    let space = begun.space;
    let tail = sync_tail(&space, &peers, progress).await?;
    faults.extend(tail.faults);
    Ok(BootstrapReport {
        header: begun.header,
        root: space.status().root,
        source_root: tail.source_root,
        verify: begun.verify,
        elapsed: began.elapsed(),
        bytes: peers.iter().map(Peer::bytes_received).sum(),
        proof_bytes: begun.proof_bytes,
        pages: begun.pages,
        values: begun.values,
        tail_ops: tail.ops,
        faults,
    })
}

/// A replica that has its snapshot, before the tail is fetched.
struct Begun {
    space: Space,
    header: SnapshotHeader,
    verify: Duration,
    proof_bytes: u64,
    pages: u64,
    values: u64,
}

impl Begun {
    /// A replica from an earlier bootstrap.
    fn already(space: Space) -> Result<Begun, SpaceError> {
        let header = space.snapshot_header()?;
        let proof_bytes = space.latest_snapshot()?.map_or(0, |s| s.proof.len() as u64);
        Ok(Begun { space, header, verify: Duration::ZERO, proof_bytes, pages: 0, values: 0 })
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
    let offer = snapshots::newest(peers, invite, key, faults, progress).await?;
    let header = offer.snapshot.header;
    let fetched = pages::fetch(peers, &header, store.clone(), faults, progress).await?;
    let tree = fetched.tree;
    let values =
        values::fetch(peers, header.space, store.clone(), tree.values, faults, progress).await?;
    let genesis = genesis(peers, invite.space).await;
    let adopted = blocking(move || {
        let tips = heads::open_all(&*store, &tree.heads)?;
        let key = offer.key.as_ref().map(|key| key.key());
        let adoption = Adoption {
            snapshot: &offer.snapshot,
            genesis: genesis.as_ref(),
            key,
            tips,
            entries: tree.entries,
            repaired: &tree.repaired,
        };
        let space = Space::adopt(store, adoption)?;
        Ok::<_, BootstrapError>((space, offer.snapshot.proof.len() as u64))
    });
    let (space, proof_bytes) = adopted.await??;
    tracing::info!(%header, "adopted a snapshot");
    let pages = fetched.pages;
    Ok(Begun { space, header, verify: offer.verify, proof_bytes, pages, values })
}

async fn connect(
    addresses: &[String],
    faults: &mut Vec<PeerError>,
) -> Result<Vec<Peer>, BootstrapError> {
    if addresses.is_empty() {
        return Err(BootstrapError::NoPeers);
    }
    let mut peers = Vec::new();
    for address in addresses {
        match Peer::connect(address).await {
            Ok(peer) => peers.push(peer),
            Err(e) => faults.push(e),
        }
    }
    if peers.is_empty() {
        let faults = std::mem::take(faults);
        return Err(BootstrapError::AllFailed { what: "a connection".into(), faults });
    }
    Ok(peers)
}

/// Opens the space in the store, if there is one.
async fn open(store: Arc<dyn Store>, invite: &Invite) -> Result<Option<Space>, BootstrapError> {
    let space = match blocking(move || Space::open(store)).await? {
        Ok(space) => space,
        Err(SpaceError::NoSpace) => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    let (held, wanted) = (space.id(), invite.space);
    if held != wanted {
        return Err(BootstrapError::OtherSpace { held, wanted });
    }
    Ok(Some(space))
}

/// The genesis config, from the first peer that has it. Only the owner needs it: grants use its salt.
async fn genesis(peers: &[Peer], space: F) -> Option<rootfold_core::space::Genesis> {
    for peer in peers {
        match peer.genesis(space).await {
            Ok(genesis) => return Some(genesis),
            Err(e) => tracing::debug!(error = %e, "no genesis config"),
        }
    }
    None
}

/// Runs blocking work on a blocking thread.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BootstrapError> {
    Ok(tokio::task::spawn_blocking(work).await?)
}
