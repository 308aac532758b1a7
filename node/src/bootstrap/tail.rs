//! The tail: ops after the frontier of a replica.

use rootfold_core::F;
use rootfold_light::submission::Ingested;

use super::{blocking, BootstrapError};
use crate::{
    client::{Peer, PeerError},
    progress::{Event, Progress},
    space::{IngestError, Space},
};

/// The number of consecutive messages without a new op after which a stream is closed. An endless
/// stream would block a bootstrap.
const MAX_STALE_MESSAGES: u64 = 64;

/// The result of fetching the tail.
#[derive(Debug)]
pub struct Tail {
    /// The number of new ops.
    pub ops: u64,
    /// The root of the first peer that answered, by its own account.
    pub source_root: Option<F>,
    /// Failures of peers.
    pub faults: Vec<PeerError>,
}

/// Ingests the ops that peers hold after the frontier of this space. All peers are asked, since any of
/// them may withhold ops; one answer is enough.
///
/// # Errors
/// [`BootstrapError::AllFailed`] if all peers failed, or an error of the store.
pub async fn sync_tail(
    space: &Space,
    peers: &[Peer],
    progress: &dyn Progress,
) -> Result<Tail, BootstrapError> {
    let mut tail = Tail { ops: 0, source_root: None, faults: Vec::new() };
    let mut served = false;
    for peer in peers {
        match take_from(space, peer, &mut tail, progress).await {
            Ok(()) => served = true,
            Err(Failed::Peer(fault)) => {
                tracing::warn!(error = %fault, "a peer did not send its tail");
                tail.faults.push(fault);
            }
            Err(Failed::Here(e)) => return Err(e),
        }
    }
    if served {
        return Ok(tail);
    }
    let what = "the ops after the snapshot".into();
    Err(BootstrapError::AllFailed { what, faults: tail.faults })
}

/// A failure of the peer or of this node.
enum Failed {
    Peer(PeerError),
    Here(BootstrapError),
}

impl From<PeerError> for Failed {
    fn from(e: PeerError) -> Failed {
        Failed::Peer(e)
    }
}

async fn take_from(
    space: &Space,
    peer: &Peer,
    tail: &mut Tail,
    progress: &dyn Progress,
) -> Result<(), Failed> {
    let before = tail.ops;
    let frontier = peer.frontier(space.id()).await?;
    let tips = space.writers();
    let missing = frontier.writers.iter().map(|(writer, seq)| {
        let ours = tips.get(writer).and_then(|tip| tip.seq(*writer).ok()).unwrap_or(0);
        seq.saturating_sub(ours)
    });
    // By the peer's account; only for the progress bar.
    let known = Some(missing.fold(0u64, u64::saturating_add));
    let mut entries = peer.log_entries(space.id(), &tips).await?;
    let mut stale = 0;
    while let Some(submission) = entries.next().await? {
        let into = space.clone();
        let done = blocking(move || into.ingest(&submission)).await.map_err(Failed::Here)?;
        match done {
            Ok(Ingested { ops: 0, .. }) => stale += 1,
            Ok(Ingested { ops, .. }) => (tail.ops, stale) = (tail.ops + ops, 0),
            Err(IngestError::Store(e)) => return Err(Failed::Here(e.into())),
            Err(e) => return Err(peer.blame(e).into()),
        }
        progress.on(Event::Ops { done: tail.ops - before, known });
        if stale > MAX_STALE_MESSAGES {
            tracing::warn!(peer = peer.address(), "a peer keeps sending known ops");
            break;
        }
    }
    tail.source_root.get_or_insert(frontier.root);
    Ok(())
}
