//! Files that a peer sends in parts, with bounded lengths. What is in them is checked by the caller.

use std::time::Duration;

use rootfold_core::F;
use rootfold_light::messages;
use rootfold_proto::v1;
use rootfold_verifier::ParameterId;
use tokio::time::Instant;
use tonic::Streaming;

use super::{Peer, PeerCause, PeerError};

/// The time after which a transfer must be as fast as [`SLOWEST`].
const GRACE: Duration = Duration::from_secs(60);
/// The smallest throughput on average, in bytes per second: a peer that is slower holds up the caller.
const SLOWEST: u64 = 16 * 1024;

/// A message with a part of a file.
pub(crate) trait Part {
    /// The bytes of the whole file, and the next of them.
    fn into_parts(self) -> (u64, Vec<u8>);
}

impl Part for v1::FetchParametersResponse {
    fn into_parts(self) -> (u64, Vec<u8>) {
        (self.length, self.content)
    }
}

impl Part for v1::FetchRunningProofResponse {
    fn into_parts(self) -> (u64, Vec<u8>) {
        (self.length, self.content)
    }
}

/// A file that arrives.
pub(crate) struct Transfer<P> {
    peer: Peer,
    stream: Streaming<P>,
    length: Option<u64>,
    received: u64,
    began: Instant,
    began_at: u64,
}

impl<P: Part> Transfer<P> {
    /// A file of which `offset` bytes are here.
    fn begin(peer: &Peer, stream: Streaming<P>, offset: u64) -> Transfer<P> {
        let (peer, began) = (peer.clone(), Instant::now());
        Transfer { peer, stream, length: None, received: offset, began, began_at: offset }
    }

    /// The number of bytes of the whole file, by the peer's account; `None` before the first part.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next part, which is not empty; `None` at the end of the file.
    ///
    /// # Errors
    /// [`PeerError`], with [`PeerCause::File`] if the parts are not those of one file.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, PeerError> {
        let bad = |what: String| self.peer.blame(PeerCause::File { what });
        let Some(message) = self.peer.next(&mut self.stream).await? else {
            let length = self.length.unwrap_or(self.received);
            if self.received == length {
                return Ok(None);
            }
            return Err(bad(format!("it ends after {} of {length} bytes", self.received)));
        };
        let (length, content) = message.into_parts();
        if content.is_empty() || self.length.is_some_and(|before| before != length) {
            return Err(bad("an empty part, or another length than before".to_owned()));
        }
        self.length = Some(length);
        self.received = self.received.saturating_add(content.len() as u64);
        if self.received > length {
            return Err(bad(format!("more than its {length} bytes")));
        }
        let took = self.began.elapsed();
        if took > GRACE && (self.received - self.began_at) / took.as_secs() < SLOWEST {
            return Err(bad(format!("it comes at less than {} KiB/s", SLOWEST >> 10)));
        }
        Ok(Some(content))
    }
}

impl Peer {
    /// The file of the parameters with this id, after its first `offset` bytes.
    ///
    /// # Errors
    /// [`PeerError`].
    pub(crate) async fn fetch_parameters(
        &self,
        parameters: ParameterId,
        offset: u64,
    ) -> Result<Transfer<v1::FetchParametersResponse>, PeerError> {
        let parameters = parameters.0.to_vec();
        let request = v1::FetchParametersRequest { parameters, offset };
        let stream = self.response(self.proving.clone().fetch_parameters(request).await)?;
        Ok(Transfer::begin(self, stream, offset))
    }

    /// The running proof of the peer, if it has more than `steps` steps.
    ///
    /// # Errors
    /// [`PeerError`].
    pub(crate) async fn fetch_running_proof(
        &self,
        space: F,
        parameters: ParameterId,
        steps: u64,
    ) -> Result<Transfer<v1::FetchRunningProofResponse>, PeerError> {
        let (space, parameters) = (messages::bytes(&space), parameters.0.to_vec());
        let request = v1::FetchRunningProofRequest { space, parameters, steps };
        let stream = self.response(self.proving.clone().fetch_running_proof(request).await)?;
        Ok(Transfer::begin(self, stream, 0))
    }
}
