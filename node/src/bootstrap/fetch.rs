//! Fetching many items by name from many peers. The items are checked on arrival.

use std::{
    collections::{BTreeSet, VecDeque},
    future::Future,
    pin::Pin,
    sync::Arc,
};

use rootfold_proto::limits::MAX_NAMES;
use tokio::task::JoinSet;

use super::BootstrapError;
use crate::client::{Peer, PeerCause, PeerError};

/// The number of concurrent requests to one peer.
const REQUESTS_PER_PEER: usize = 2;

/// The result of a request: the good items, and the error after them if there is one.
pub(super) type Answer<T> = (Vec<T>, Result<(), PeerError>);

/// Requests items of a peer by name. Returns only requested items that passed their checks.
pub(super) type Ask<N, T> =
    Arc<dyn Fn(Peer, Vec<N>) -> Pin<Box<dyn Future<Output = Answer<T>> + Send>> + Send + Sync>;

/// An item with a name.
pub(super) trait Named<N> {
    /// The name.
    fn name(&self) -> N;
}

/// The names of one request.
struct Chunk<N> {
    names: Vec<N>,
    /// The peers that did not send all of them.
    tried: BTreeSet<usize>,
}

struct Source {
    peer: Peer,
    /// Whether the peer still answers.
    alive: bool,
    requests: usize,
}

/// Fetches items; what one peer does not send is requested of the others.
pub(super) struct Fetch<'a, N, T> {
    what: &'static str,
    sources: Vec<Source>,
    ask: Ask<N, T>,
    waiting: VecDeque<Chunk<N>>,
    /// Names that do not fill a request yet.
    loose: Vec<N>,
    flying: JoinSet<(usize, Chunk<N>, Answer<T>)>,
    faults: &'a mut Vec<PeerError>,
    /// The number of faults before this fetch.
    first_fault: usize,
}

impl<'a, N, T> Fetch<'a, N, T>
where
    N: Copy + Ord + Send + 'static,
    T: Named<N> + Send + 'static,
{
    pub(super) fn new(
        what: &'static str,
        peers: &[Peer],
        ask: Ask<N, T>,
        faults: &'a mut Vec<PeerError>,
    ) -> Fetch<'a, N, T> {
        let source = |peer: &Peer| Source { peer: peer.clone(), alive: true, requests: 0 };
        Fetch {
            what,
            sources: peers.iter().map(source).collect(),
            ask,
            waiting: VecDeque::new(),
            loose: Vec::new(),
            flying: JoinSet::new(),
            first_fault: faults.len(),
            faults,
        }
    }

    /// Adds a name to fetch.
    pub(super) fn want(&mut self, name: N) {
        self.loose.push(name);
        if self.loose.len() == MAX_NAMES {
            self.close_chunk();
        }
    }

    fn close_chunk(&mut self) {
        if !self.loose.is_empty() {
            let names = std::mem::take(&mut self.loose);
            self.waiting.push_back(Chunk { names, tried: BTreeSet::new() });
        }
    }

    /// The next items and the peer that sent them; `None` when all are fetched.
    ///
    /// # Errors
    /// [`BootstrapError::AllFailed`] if no peer sends one of the items.
    pub(super) async fn next(&mut self) -> Result<Option<(Peer, Vec<T>)>, BootstrapError> {
        loop {
            // A partial request is better than an idle peer.
            if self.waiting.is_empty() {
                self.close_chunk();
            }
            self.send()?;
            let Some(done) = self.flying.join_next().await else { return Ok(None) };
            let (index, chunk, answer) = done?;
            let items = self.settle(index, chunk, answer);
            if !items.is_empty() {
                return Ok(Some((self.sources[index].peer.clone(), items)));
            }
        }
    }

    /// Sends all requests that the limits allow.
    fn send(&mut self) -> Result<(), BootstrapError> {
        let mut held_back = VecDeque::new();
        while let Some(chunk) = self.waiting.pop_front() {
            let willing =
                |(index, source): &(usize, &Source)| source.alive && !chunk.tried.contains(index);
            let sources = self.sources.iter().enumerate().filter(willing);
            let Some((index, source)) = sources.min_by_key(|(_, source)| source.requests) else {
                return Err(self.all_failed(&chunk));
            };
            if source.requests >= REQUESTS_PER_PEER {
                held_back.push_back(chunk);
                continue;
            }
            let asked = (self.ask)(source.peer.clone(), chunk.names.clone());
            self.sources[index].requests += 1;
            self.flying.spawn(async move { (index, chunk, asked.await) });
        }
        self.waiting = held_back;
        Ok(())
    }

    /// Takes the good items of an answer, and returns the missing names to the queue.
    fn settle(&mut self, index: usize, mut chunk: Chunk<N>, answer: Answer<T>) -> Vec<T> {
        let (items, result) = answer;
        let came: BTreeSet<N> = items.iter().map(Named::name).collect();
        let of = chunk.names.len();
        chunk.names.retain(|name| !came.contains(name));
        let source = &mut self.sources[index];
        source.requests -= 1;
        let withheld = PeerCause::Withheld { what: self.what, count: chunk.names.len(), of };
        let fault = match result {
            Err(e) => Some(e),
            Ok(()) if chunk.names.is_empty() => None,
            Ok(()) => Some(source.peer.blame(withheld)),
        };
        if let Some(fault) = fault {
            tracing::warn!(error = %fault, "asking other peers");
            source.alive &= !fault.is_gone();
            self.faults.push(fault);
        }
        if !chunk.names.is_empty() {
            chunk.tried.insert(index);
            self.waiting.push_back(chunk);
        }
        items
    }

    fn all_failed(&mut self, chunk: &Chunk<N>) -> BootstrapError {
        let what = format!("{} {}", chunk.names.len(), self.what);
        let faults = self.faults.split_off(self.first_fault.min(self.faults.len()));
        BootstrapError::AllFailed { what, faults }
    }
}
