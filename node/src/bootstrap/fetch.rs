//! Asking many peers for many things that are checked on arrival.

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

/// Requests that one peer has at a time.
const REQUESTS_PER_PEER: usize = 2;

/// What came of a request: the good things, and what went wrong after them.
pub(super) type Answer<T> = (Vec<T>, Result<(), PeerError>);

/// How to ask a peer for things by name. It returns only what was asked for, and checked.
pub(super) type Ask<N, T> =
    Arc<dyn Fn(Peer, Vec<N>) -> Pin<Box<dyn Future<Output = Answer<T>> + Send>> + Send + Sync>;

/// A thing with a name.
pub(super) trait Named<N> {
    /// Its name.
    fn name(&self) -> N;
}

/// Names that go into one request together.
struct Chunk<N> {
    names: Vec<N>,
    /// Peers that did not give them.
    tried: BTreeSet<usize>,
}

struct Source {
    peer: Peer,
    /// Whether it still answers.
    alive: bool,
    requests: usize,
}

/// Fetches things from whichever peers give them.
pub(super) struct Fetch<'a, N, T> {
    what: &'static str,
    sources: Vec<Source>,
    ask: Ask<N, T>,
    waiting: VecDeque<Chunk<N>>,
    /// Names that are not enough for a request yet.
    loose: Vec<N>,
    flying: JoinSet<(usize, Chunk<N>, Answer<T>)>,
    faults: &'a mut Vec<PeerError>,
    /// Where the faults of this fetch begin.
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

    /// Adds a name to what is to be fetched.
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

    /// Waits for the next things and says which peer sent them; `None` when there is nothing left
    /// to wait for.
    ///
    /// # Errors
    /// [`BootstrapError::NobodyLeft`] if something is wanted that no peer gives.
    pub(super) async fn next(&mut self) -> Result<Option<(Peer, Vec<T>)>, BootstrapError> {
        loop {
            // What just became known is asked for at once if a peer has nothing else to do.
            if self.waiting.is_empty() {
                self.close_chunk();
            }
            self.send()?;
            let Some(done) = self.flying.join_next().await else { return Ok(None) };
            let (index, chunk, answer) = done?;
            let things = self.settle(index, chunk, answer);
            if !things.is_empty() {
                return Ok(Some((self.sources[index].peer.clone(), things)));
            }
        }
    }

    /// Sends what can be sent.
    fn send(&mut self) -> Result<(), BootstrapError> {
        let mut held_back = VecDeque::new();
        while let Some(chunk) = self.waiting.pop_front() {
            let willing =
                |(index, source): &(usize, &Source)| source.alive && !chunk.tried.contains(index);
            let sources = self.sources.iter().enumerate().filter(willing);
            let Some((index, source)) = sources.min_by_key(|(_, source)| source.requests) else {
                return Err(self.nobody_left(&chunk));
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

    /// Takes what is good, and puts the rest back for others.
    fn settle(&mut self, index: usize, mut chunk: Chunk<N>, answer: Answer<T>) -> Vec<T> {
        let (things, result) = answer;
        let came: BTreeSet<N> = things.iter().map(Named::name).collect();
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
            tracing::warn!(error = %fault, "asking another peer");
            source.alive &= !fault.is_gone();
            self.faults.push(fault);
        }
        if !chunk.names.is_empty() {
            chunk.tried.insert(index);
            self.waiting.push_back(chunk);
        }
        things
    }

    fn nobody_left(&mut self, chunk: &Chunk<N>) -> BootstrapError {
        let what = format!("{} {}", chunk.names.len(), self.what);
        let faults = self.faults.split_off(self.first_fault.min(self.faults.len()));
        BootstrapError::NobodyLeft { what, faults }
    }
}
