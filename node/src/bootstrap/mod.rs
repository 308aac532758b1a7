//! A replica out of nothing but an invite and some addresses.
//!
//! No peer is trusted. The snapshot is verified against the invite, every page against its name,
//! every value against its digest, and the ops that follow against the logs' heads in the tree. A
//! peer whose answer does not hold is named, and asked for that no more; the others go on.
//!
//! Pages and values are written as they come, under their own names. They become a space only at
//! the end, in one batch; a bootstrap that was cut off goes on with what it has.

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

/// What to bootstrap from.
pub struct Bootstrap {
    /// Addresses of peers.
    pub peers: Vec<String>,
    /// The space and the parameters.
    pub invite: Invite,
    /// Where the replica shall be.
    pub folder: DataDir,
    /// The verifying key, if it is at hand. Otherwise the peers are asked; its id is in the
    /// invite.
    pub key: Option<Arc<PreparedVerifyingKey>>,
}

/// What a bootstrap did.
#[derive(Debug)]
pub struct BootstrapReport {
    /// The snapshot from which the replica began.
    pub header: SnapshotHeader,
    /// The root of everything that the replica holds now.
    pub root: F,
    /// The root that a peer says it has now.
    pub source_root: Option<F>,
    /// How long checking the snapshot's proof took.
    pub verify: Duration,
    /// How long everything took.
    pub elapsed: Duration,
    /// Bytes received from all peers, on the wire.
    pub bytes: u64,
    /// Bytes of the proof.
    pub proof_bytes: u64,
    /// Pages fetched.
    pub pages: u64,
    /// Values fetched beside those in pages.
    pub values: u64,
    /// Ops taken in after the snapshot.
    pub tail_ops: u64,
    /// What peers did wrong without stopping it.
    pub faults: Vec<PeerError>,
}

/// Why a bootstrap did not come to its end. It can be run again, and goes on where it was.
#[derive(Debug, Error)]
pub enum BootstrapError {
    /// There are no addresses.
    #[error("a bootstrap needs the address of a peer")]
    NoPeers,
    /// No peer has it, or gives it: the last one's failure says why.
    #[error("no peer is left to ask for {what}: {}", in_words(.faults))]
    NobodyLeft {
        /// What.
        what: String,
        /// What each one did.
        faults: Vec<PeerError>,
    },
    /// The data folder holds another space.
    #[error("the data folder holds space {}, not {}", field::to_hex(.held), field::to_hex(.wanted))]
    OtherSpace {
        /// The space in the folder.
        held: F,
        /// The space of the invite.
        wanted: F,
    },
    /// The proved tree is none. A proof that says so is false.
    #[error("the proved root {} does not lead to a tree: {source}", field::to_hex(.root))]
    NotATree {
        /// The root.
        root: F,
        /// What is wrong.
        source: Box<TreeError>,
    },
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(Box<TreeError>),
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] DataDirError),
    /// The space cannot be made.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A part of this program panicked.
    #[error("a task panicked: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

impl BootstrapError {
    /// Whether what peers sent was bad, rather than that there was nobody to send it.
    pub fn is_refusal(&self) -> bool {
        match self {
            BootstrapError::NobodyLeft { faults, .. } => faults.iter().any(PeerError::is_refusal),
            BootstrapError::NotATree { .. } | BootstrapError::OtherSpace { .. } => true,
            _ => false,
        }
    }
}

fn in_words(faults: &[PeerError]) -> String {
    let words: Vec<String> = faults.iter().map(PeerError::to_string).collect();
    words.join("; ")
}

/// Makes a replica, or goes on making one.
///
/// # Errors
/// [`BootstrapError`].
pub async fn run(
    bootstrap: Bootstrap,
    progress: &dyn Progress,
) -> Result<BootstrapReport, BootstrapError> {
    let began = Instant::now();
    let Bootstrap { peers, invite, folder, key } = bootstrap;
    let mut faults = Vec::new();
    let peers = connect(&peers, &mut faults).await?;
    let store = blocking(move || folder.store()).await??;
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

/// A replica that has its snapshot.
struct Begun {
    space: Space,
    header: SnapshotHeader,
    verify: Duration,
    proof_bytes: u64,
    pages: u64,
    values: u64,
}

impl Begun {
    /// One whose bootstrap was cut off in the tail, or that was there before.
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
    tracing::info!(%header, "began with a snapshot");
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
        return Err(BootstrapError::NobodyLeft { what: "anything".into(), faults });
    }
    Ok(peers)
}

/// The space that is in the store already, if there is one.
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

/// The genesis config, from whichever peer has it. The replica works without it; only an owner
/// needs its salt, to grant.
async fn genesis(peers: &[Peer], space: F) -> Option<rootfold_core::space::Genesis> {
    for peer in peers {
        match peer.genesis(space).await {
            Ok(genesis) => return Some(genesis),
            Err(e) => tracing::debug!(error = %e, "no genesis config"),
        }
    }
    None
}

/// Runs what blocks on a thread that may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BootstrapError> {
    Ok(tokio::task::spawn_blocking(work).await?)
}
