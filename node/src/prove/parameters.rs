//! Fetching parameters from peers, for a node that is to prove a space whose parameters another node
//! has made.

use std::path::{Path, PathBuf};

use rootfold_prover::{IncomingParameters, ParametersError};
use rootfold_verifier::ParameterId;
use thiserror::Error;

use crate::{
    blocking::{blocking, Panicked},
    bootstrap::Dial,
    client::{list, Peer, PeerCause, PeerError},
    progress::{Event, Progress},
};

/// Why parameters could not be fetched. What has come stays and is used by the next attempt.
#[derive(Debug, Error)]
pub enum FetchParametersError {
    /// No peer sends them.
    #[error("no peer sends the parameters: {}", list(.faults))]
    AllFailed {
        /// The failure of each peer.
        faults: Vec<PeerError>,
    },
    /// They cannot be stored here.
    #[error(transparent)]
    Here(#[from] ParametersError),
    /// A task of this node panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

impl FetchParametersError {
    /// Whether a peer sent bad data, rather than none.
    pub fn is_refusal(&self) -> bool {
        match self {
            FetchParametersError::AllFailed { faults } => faults.iter().any(PeerError::is_refusal),
            _ => false,
        }
    }
}

/// Parameters that were fetched.
#[derive(Debug)]
pub struct FetchedParameters {
    /// Their file.
    pub path: PathBuf,
    /// Bytes received from all peers, with framing.
    pub bytes: u64,
}

/// Fetches the file of the parameters with this id into `dir`, from the first of the addresses that has it.
/// A transfer that is cut off goes on with the next peer. The file is checked against the id; whoever
/// made the parameters knows their trapdoor, so they are fit only for the space that names them.
///
/// # Errors
/// [`FetchParametersError`].
pub async fn fetch_parameters(
    addresses: &[String],
    dial: &dyn Dial,
    dir: &Path,
    id: ParameterId,
    progress: &dyn Progress,
) -> Result<FetchedParameters, FetchParametersError> {
    let dir = dir.to_owned();
    let mut incoming = blocking(move || IncomingParameters::open(&dir, id)).await??;
    let (mut faults, mut bytes) = (Vec::new(), 0);
    for address in addresses {
        let peer = match dial.connect(address).await {
            Ok(peer) => peer,
            Err(e) => {
                faults.push(e);
                continue;
            }
        };
        let before = peer.bytes_received();
        let (kept, done) = receive(&peer, incoming, id, progress).await?;
        (incoming, bytes) = (kept, bytes + peer.bytes_received() - before);
        match done {
            Ok(path) => return Ok(FetchedParameters { path, bytes }),
            Err(Failed::Peer(e)) => faults.push(e),
            Err(Failed::Content(e)) => {
                faults.push(peer.blame(PeerCause::File { what: e.to_string() }));
                incoming = blocking(move || incoming.discard().map(|()| incoming)).await??;
            }
        }
    }
    Err(FetchParametersError::AllFailed { faults })
}

/// Why one peer failed.
enum Failed {
    Peer(PeerError),
    /// What it sent is not the wanted file.
    Content(ParametersError),
}

impl Failed {
    /// What the bytes of a peer led to.
    ///
    /// # Errors
    /// An error of this machine.
    fn of(e: ParametersError) -> Result<Failed, ParametersError> {
        match e {
            ParametersError::Damaged(_)
            | ParametersError::Decode { .. }
            | ParametersError::OtherId { .. } => Ok(Failed::Content(e)),
            e => Err(e),
        }
    }
}

type Received = (IncomingParameters, Result<PathBuf, Failed>);

/// Receives from one peer what is missing.
async fn receive(
    peer: &Peer,
    mut incoming: IncomingParameters,
    id: ParameterId,
    progress: &dyn Progress,
) -> Result<Received, FetchParametersError> {
    let mut transfer = match peer.fetch_parameters(id, incoming.received()).await {
        Ok(transfer) => transfer,
        Err(e) => return Ok((incoming, Err(Failed::Peer(e)))),
    };
    loop {
        let part = match transfer.next().await {
            Ok(Some(part)) => part,
            Ok(None) => break,
            Err(e) => return Ok((incoming, Err(Failed::Peer(e)))),
        };
        let added = blocking(move || {
            let added = incoming.add(&part);
            (incoming, added)
        });
        let (kept, added) = added.await?;
        incoming = kept;
        if let Err(e) = added {
            return Ok((incoming, Err(Failed::of(e)?)));
        }
        if let Some(known) = incoming.total() {
            progress.on(Event::Bytes { done: incoming.received(), known });
        }
    }
    let finished = blocking(move || {
        let finished = incoming.finish();
        (incoming, finished)
    });
    let (incoming, finished) = finished.await?;
    let finished = match finished {
        Ok(path) => Ok(path),
        Err(e) => Err(Failed::of(e)?),
    };
    Ok((incoming, finished))
}
