//! Going on with the running proof of a peer.

use std::sync::Arc;

use rootfold_core::F;
use rootfold_prover::{Checkpoint, Parameters};
use rootfold_verifier::ParameterId;

use super::{
    take_over::{adopt, checked},
    ProveError, Prover,
};
use crate::{
    blocking::blocking,
    bootstrap::{self, SyncContext},
    client::{Part, Peer, PeerCause, PeerError, Transfer},
    data_dir::DataDir,
    progress::{Event, Progress},
    space::{Proved, Space},
};

impl Prover {
    /// Goes on with the running proof of the peer at `address`. The peer is not trusted: everything is
    /// checked that [`Prover::import`] checks. Fetches the ops that are newer at the peer, and the pages
    /// of the covered state if this node does not hold them. Holds the running proof in memory: tens of
    /// MB. Nothing changes if the peer's running proof is the one of this node.
    ///
    /// # Errors
    /// [`ProveError`]; then the node keeps its own running proof, if it has one.
    pub async fn continue_from(
        space: Space,
        data_dir: &DataDir,
        parameters: Arc<Parameters>,
        address: &str,
        context: &SyncContext,
        progress: &dyn Progress,
    ) -> Result<Prover, ProveError> {
        let peer = context.dial.connect(address).await?;
        take(&space, data_dir, &parameters, &peer, 0, context, progress).await?;
        let data_dir = data_dir.clone();
        blocking(move || Prover::open(space, &data_dir, parameters)).await?
    }
}

/// Whether the peer has a running proof with more than `steps` steps, by its own account.
pub(super) async fn is_ahead(
    peer: &Peer,
    space: F,
    parameters: ParameterId,
    steps: u64,
) -> Result<bool, PeerError> {
    match peer.fetch_running_proof(space, parameters, steps).await {
        Ok(_) => Ok(true),
        Err(e) if e.is_not_found() => Ok(false),
        Err(e) => Err(e),
    }
}

/// Makes the running proof of a peer, which has more than `steps` steps, the one of this node.
pub(super) async fn take(
    space: &Space,
    data_dir: &DataDir,
    parameters: &Arc<Parameters>,
    peer: &Peer,
    steps: u64,
    context: &SyncContext,
    progress: &dyn Progress,
) -> Result<Proved, ProveError> {
    let mut transfer = peer.fetch_running_proof(space.id(), parameters.id(), steps).await?;
    let length = Checkpoint::encoded_len(parameters);
    let bytes = receive(peer, &mut transfer, length, progress).await?;
    let (into, with) = (space.clone(), parameters.clone());
    let decoded = blocking(move || {
        let checkpoint = Checkpoint::from_bytes(&bytes, &with)
            .map_err(|e| ProveError::FalseProof { what: e.to_string() })?;
        let proved = checked(&into, &with, &checkpoint)?;
        Ok::<_, ProveError>((checkpoint, proved))
    });
    let (checkpoint, proved) = decoded.await??;
    if space.status().proved == Some(proved) && data_dir.running_proof(&proved).is_file() {
        return Ok(proved);
    }
    // The proof may cover ops that have not come yet.
    let addresses = [peer.address().to_owned()];
    bootstrap::sync(space, &addresses, context, progress).await.map_err(Box::new)?;
    let pinned = space.pin(proved.root);
    let fetched = if space.holds(&proved) {
        None
    } else {
        let fetched = bootstrap::fetch_state(space, peer, parameters.id(), &proved, progress).await;
        fetched.map_err(Box::new)?;
        Some(pinned)
    };
    let (into, data_dir) = (space.clone(), data_dir.clone());
    blocking(move || adopt(&into, &data_dir, &checkpoint, proved, fetched.as_ref())).await??;
    Ok(proved)
}

/// Receives a file of `length` bytes.
async fn receive<P: Part>(
    peer: &Peer,
    transfer: &mut Transfer<P>,
    length: u64,
    progress: &dyn Progress,
) -> Result<Vec<u8>, PeerError> {
    let mut bytes = Vec::new();
    while let Some(part) = transfer.next().await? {
        if transfer.length() != Some(length) {
            let what = format!("a running proof of these parameters has {length} bytes");
            return Err(peer.blame(PeerCause::File { what }));
        }
        bytes.extend(part);
        progress.on(Event::Bytes { done: bytes.len() as u64, known: length });
    }
    Ok(bytes)
}
