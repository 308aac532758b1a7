//! The slow way, for comparison: all logs from their first op, folded natively.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rootfold_core::F;
use thiserror::Error;

use crate::{
    bootstrap::{sync_tail, BootstrapError},
    client::{Peer, PeerError},
    data_dir::{DataDir, DataDirError},
    progress::Progress,
    space::{Space, SpaceError},
    store::MemoryStore,
};

/// What to replay.
pub struct Replay {
    /// The address of a peer that holds all ops.
    pub peer: String,
    /// The space.
    pub space: F,
    /// Where the replica shall be; `None` for memory.
    pub folder: Option<DataDir>,
}

/// What a replay did.
#[derive(Debug)]
pub struct ReplayReport {
    /// The root of everything.
    pub root: F,
    /// The root that the peer says it has.
    pub source_root: Option<F>,
    /// Ops that were folded.
    pub ops: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// Bytes received, on the wire.
    pub bytes: u64,
}

/// Why a replay did not come to its end.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The peer is not there, or sent something bad.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// Its ops could not be taken in.
    #[error("replaying: {0}")]
    Ops(#[from] BootstrapError),
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] DataDirError),
    /// The space cannot be made.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// A part of this program panicked.
    #[error("a task panicked: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

impl ReplayError {
    /// Whether what the peer sent was bad.
    pub fn is_refusal(&self) -> bool {
        match self {
            ReplayError::Peer(e) => e.is_refusal(),
            ReplayError::Ops(e) => e.is_refusal(),
            _ => false,
        }
    }
}

/// Makes a replica out of all ops of a space.
///
/// # Errors
/// [`ReplayError`].
pub async fn run(replay: Replay, progress: &dyn Progress) -> Result<ReplayReport, ReplayError> {
    let began = Instant::now();
    let peer = Peer::connect(&replay.peer).await?;
    let genesis = peer.genesis(replay.space).await?;
    let made = tokio::task::spawn_blocking(move || match replay.folder {
        Some(folder) => folder.create(&genesis).map_err(ReplayError::from),
        None => Ok(Space::create(Arc::new(MemoryStore::new()), &genesis)?),
    });
    let space = made.await??;
    let tail = sync_tail(&space, std::slice::from_ref(&peer), progress).await?;
    Ok(ReplayReport {
        root: space.status().root,
        source_root: tail.source_root,
        ops: tail.ops,
        elapsed: began.elapsed(),
        bytes: peer.bytes_received(),
    })
}
