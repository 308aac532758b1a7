//! Replicas from complete logs, without a proof: the baseline for comparison.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rootfold_core::F;
use thiserror::Error;

use crate::{
    blocking::{blocking, Panicked},
    bootstrap::{sync_tail, BootstrapError},
    client::{Credentials, Peer, PeerError},
    data_dir::{DataDir, DataDirError},
    progress::Progress,
    space::{Space, SpaceError},
    store::MemoryStore,
};

/// The source and the destination of a replay.
pub struct Replay {
    /// The address of a peer that holds all ops.
    pub peer: String,
    /// The space.
    pub space: F,
    /// The data directory of the replica; `None` for memory.
    pub data_dir: Option<DataDir>,
}

/// The result of a replay.
#[derive(Debug)]
pub struct ReplayReport {
    /// The root of the replica.
    pub root: F,
    /// The root of the peer, by its own account.
    pub source_root: Option<F>,
    /// The number of ingested ops.
    pub ops: u64,
    /// The duration.
    pub elapsed: Duration,
    /// Bytes received from the peer, with framing.
    pub bytes: u64,
}

/// Why a replay failed.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The peer is unreachable or sent bad data.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// Its ops cannot be fetched or ingested.
    #[error("replaying the logs: {0}")]
    Ops(#[from] BootstrapError),
    /// The peer does not hold all ops.
    #[error(
        "peer {peer} began with a snapshot or keeps no full history: of {writers} writers it does not hold all \
         ops; {}", elsewhere(.holders)
    )]
    NotHeld {
        /// The peer's address.
        peer: String,
        /// The number of writers.
        writers: usize,
        /// Nodes that hold all ops, by its account.
        holders: Vec<String>,
    },
    /// The peer sent bad ops.
    #[error("replaying the logs: {0}")]
    BadOps(PeerError),
    /// The data directory cannot be used.
    #[error(transparent)]
    Folder(#[from] DataDirError),
    /// The space cannot be created.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// A task of this node panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

fn elsewhere(holders: &[String]) -> String {
    match holders {
        [] => "replay from another node".to_owned(),
        holders => format!("it says that these nodes do: {}", holders.join(", ")),
    }
}

impl ReplayError {
    /// Whether the peer sent bad data.
    pub fn is_refusal(&self) -> bool {
        match self {
            ReplayError::Peer(e) => e.is_refusal(),
            ReplayError::Ops(e) => e.is_refusal(),
            ReplayError::BadOps(e) => e.is_refusal(),
            _ => false,
        }
    }
}

/// Creates a replica from all ops of a space. A time linear in the number of ops.
///
/// # Errors
/// [`ReplayError`].
pub async fn run(replay: Replay, progress: &dyn Progress) -> Result<ReplayReport, ReplayError> {
    run_as(replay, &Credentials::default(), progress).await
}

/// [`run`] with credentials for the peer.
///
/// # Errors
/// [`ReplayError`].
pub async fn run_as(
    replay: Replay,
    credentials: &Credentials,
    progress: &dyn Progress,
) -> Result<ReplayReport, ReplayError> {
    let began = Instant::now();
    let peer = Peer::connect_as(&replay.peer, credentials).await?;
    let genesis = peer.genesis(replay.space).await?;
    let made = blocking(move || match replay.data_dir {
        Some(data_dir) => data_dir.create(&genesis).map_err(ReplayError::from),
        None => Ok(Space::create(Arc::new(MemoryStore::new()), &genesis)?),
    });
    let space = made.await??;
    let tail = sync_tail(&space, std::slice::from_ref(&peer), progress).await?;
    if !tail.not_held.is_empty() {
        let (writers, holders) = (tail.not_held.len(), tail.holders.into_iter().collect());
        return Err(ReplayError::NotHeld { peer: replay.peer, writers, holders });
    }
    if let Some(fault) = tail.faults.into_iter().next() {
        return Err(ReplayError::BadOps(fault));
    }
    Ok(ReplayReport {
        root: space.status().root,
        source_root: tail.source_root,
        ops: tail.ops,
        elapsed: began.elapsed(),
        bytes: peer.bytes_received(),
    })
}
