//! Fetching many items by name from many peers. The items are checked on arrival.
//!
//! A chunk of names goes to the peer that answers fastest, by its measured throughput. A chunk that
//! is not answered soon is asked of further peers too, of twice as many each time; the first answer
//! wins. So silent peers cost little, however many there are.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::Future,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use rootfold_proto::limits::MAX_NAMES;
use tokio::{
    task::JoinSet,
    time::{timeout, Instant},
};

use super::{joined, BootstrapError};
use crate::client::{Peer, PeerCause, PeerError};

/// The number of concurrent requests to one peer.
const REQUESTS_PER_PEER: usize = 2;
/// The time for an answer to a chunk as a whole.
const CHUNK_LIMIT: Duration = Duration::from_secs(30);
/// The time after which a chunk is asked of further peers too.
const HEDGE_AFTER: Duration = Duration::from_millis(500);
/// The number of faults after which a peer is not asked any more.
const MAX_FAULTS: usize = 3;

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

/// A peer that may have the items.
#[derive(Clone)]
pub(super) struct Holder {
    pub(super) peer: Peer,
    /// Whether the peer has offered the state that the items belong to. Others may have them too, and
    /// it is no fault if they do not.
    pub(super) offered: bool,
}

/// The names of one request.
struct Chunk<N> {
    names: Vec<N>,
    /// The peers that were asked.
    tried: BTreeSet<usize>,
    /// The number of requests in progress.
    flying: usize,
    /// When it was asked of further peers last, and of how many.
    asked: Instant,
    wave: usize,
}

struct Source {
    holder: Holder,
    /// Whether the peer still answers.
    alive: bool,
    requests: usize,
    faults: usize,
    items: u64,
    busy: Duration,
}

impl Source {
    /// Items per second; 0 before the first answer.
    fn throughput(&self) -> u64 {
        self.items * 1000 / u64::try_from(self.busy.as_millis()).unwrap_or(u64::MAX).max(1)
    }
}

/// What became of the names that are left.
pub(super) enum Next<N, T> {
    /// The next items and the address of the peer that sent them.
    Items(Arc<str>, Vec<T>),
    /// All items are fetched.
    Done,
    /// No peer sends these items. The others are still fetched.
    Nobody(Vec<N>),
}

/// Fetches items; what one peer does not send is requested of the others.
pub(super) struct Fetch<'a, N, T> {
    what: &'static str,
    sources: Vec<Source>,
    ask: Ask<N, T>,
    /// Names that do not fill a request yet.
    loose: Vec<N>,
    /// Chunks in progress and waiting, by the order of their making.
    chunks: BTreeMap<u64, Chunk<N>>,
    waiting: VecDeque<u64>,
    made: u64,
    flying: JoinSet<(usize, u64, Duration, Answer<T>)>,
    faults: &'a mut Vec<PeerError>,
}

impl<'a, N, T> Fetch<'a, N, T>
where
    N: Copy + Ord + Send + 'static,
    T: Named<N> + Send + 'static,
{
    pub(super) fn new(
        what: &'static str,
        holders: &[Holder],
        ask: Ask<N, T>,
        faults: &'a mut Vec<PeerError>,
    ) -> Fetch<'a, N, T> {
        let source = |holder: &Holder| Source {
            holder: holder.clone(),
            alive: true,
            requests: 0,
            faults: 0,
            items: 0,
            busy: Duration::ZERO,
        };
        Fetch {
            what,
            sources: holders.iter().map(source).collect(),
            ask,
            loose: Vec::new(),
            chunks: BTreeMap::new(),
            waiting: VecDeque::new(),
            made: 0,
            flying: JoinSet::new(),
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
        if self.loose.is_empty() {
            return;
        }
        let names = std::mem::take(&mut self.loose);
        let (tried, asked) = (BTreeSet::new(), Instant::now());
        self.chunks.insert(self.made, Chunk { names, tried, flying: 0, asked, wave: 1 });
        self.waiting.push_back(self.made);
        self.made += 1;
    }

    /// The next result.
    ///
    /// # Errors
    /// [`BootstrapError::Panicked`].
    pub(super) async fn next(&mut self) -> Result<Next<N, T>, BootstrapError> {
        loop {
            // A partial request is better than an idle peer.
            if self.waiting.is_empty() {
                self.close_chunk();
            }
            if let Some(nobody) = self.send() {
                return Ok(Next::Nobody(nobody));
            }
            if self.chunks.is_empty() {
                // Requests that another peer has answered in the meantime are not awaited.
                self.flying.abort_all();
                return Ok(Next::Done);
            }
            match timeout(HEDGE_AFTER / 4, self.flying.join_next()).await {
                Err(_) => self.hedge(),
                Ok(None) => {}
                Ok(Some(done)) => {
                    let (index, id, busy, answer) = done.map_err(joined)?;
                    let items = self.settle(index, id, busy, answer);
                    if !items.is_empty() {
                        let address = self.sources[index].holder.peer.address().into();
                        return Ok(Next::Items(address, items));
                    }
                }
            }
        }
    }

    /// Sends all requests that the limits allow. Returns the names that nobody sends.
    fn send(&mut self) -> Option<Vec<N>> {
        let mut held_back = VecDeque::new();
        let mut nobody = None;
        while let Some(id) = self.waiting.pop_front() {
            match self.best_source(id) {
                _ if nobody.is_some() => held_back.push_back(id),
                None if self.chunks.get(&id).is_some_and(|chunk| chunk.flying == 0) => {
                    nobody = self.chunks.remove(&id).map(|chunk| chunk.names);
                }
                None => {}
                Some(index) if self.sources[index].requests >= REQUESTS_PER_PEER => {
                    held_back.push_back(id);
                }
                Some(index) => self.request(index, id),
            }
        }
        self.waiting = held_back;
        nobody
    }

    /// The peer to ask for a chunk: one that is not fully occupied, that has offered the state, and of
    /// those the fastest.
    fn best_source(&self, id: u64) -> Option<usize> {
        let chunk = self.chunks.get(&id)?;
        let willing =
            |(index, source): &(usize, &Source)| source.alive && !chunk.tried.contains(index);
        let rank = |(_, source): &(usize, &Source)| {
            let busy = source.requests >= REQUESTS_PER_PEER;
            let per_request = source.throughput() / (source.requests as u64 + 1);
            (busy, !source.holder.offered, u64::MAX - per_request, source.requests)
        };
        self.sources.iter().enumerate().filter(willing).min_by_key(rank).map(|(index, _)| index)
    }

    fn request(&mut self, index: usize, id: u64) {
        let Some(chunk) = self.chunks.get_mut(&id) else { return };
        chunk.tried.insert(index);
        chunk.flying += 1;
        chunk.asked = Instant::now();
        let source = &mut self.sources[index];
        source.requests += 1;
        let peer = source.holder.peer.clone();
        let asked = (self.ask)(peer.clone(), chunk.names.clone());
        self.flying.spawn(async move {
            let began = Instant::now();
            let late = PeerCause::Silent { seconds: CHUNK_LIMIT.as_secs() };
            let answer = timeout(CHUNK_LIMIT, asked).await;
            let answer = answer.unwrap_or_else(|_| (Vec::new(), Err(peer.blame(late))));
            (index, id, began.elapsed(), answer)
        });
    }

    /// Asks further peers for chunks that are late.
    fn hedge(&mut self) {
        let now = Instant::now();
        let late = |chunk: &Chunk<N>| chunk.flying > 0 && now - chunk.asked >= HEDGE_AFTER;
        let late: Vec<u64> =
            self.chunks.iter().filter(|(_, chunk)| late(chunk)).map(|(id, _)| *id).collect();
        for id in late {
            let wave = self.chunks.get(&id).map_or(0, |chunk| chunk.wave);
            for _ in 0..wave {
                let Some(index) = self.best_source(id) else { break };
                self.request(index, id);
            }
            if let Some(chunk) = self.chunks.get_mut(&id) {
                chunk.wave = wave.saturating_mul(2);
            }
        }
    }

    /// Takes the good items of an answer that are still wanted, and returns the missing names to the
    /// queue.
    fn settle(&mut self, index: usize, id: u64, busy: Duration, answer: Answer<T>) -> Vec<T> {
        let (mut items, result) = answer;
        let source = &mut self.sources[index];
        source.requests -= 1;
        source.items += items.len() as u64;
        source.busy += busy;
        let withheld = |count, of| PeerCause::Withheld { what: self.what, count, of };
        let mut left = 0;
        if let Some(chunk) = self.chunks.get_mut(&id) {
            let of = chunk.names.len();
            chunk.flying -= 1;
            items.retain(|item| chunk.names.contains(&item.name()));
            let came: BTreeSet<N> = items.iter().map(Named::name).collect();
            chunk.names.retain(|name| !came.contains(name));
            left = chunk.names.len();
            let fault = match result {
                Err(e) => Some(e),
                Ok(()) if left == 0 || !source.holder.offered => None,
                Ok(()) => Some(source.holder.peer.blame(withheld(left, of))),
            };
            if let Some(fault) = fault {
                tracing::warn!(event = "peer-fault", error = %fault, "asking other peers");
                source.faults += 1;
                source.alive &= !fault.is_gone() && source.faults < MAX_FAULTS;
                self.faults.push(fault);
            }
        } else {
            // Another peer was faster.
            items.clear();
        }
        if left > 0 {
            self.waiting.push_back(id);
        } else {
            self.chunks.remove(&id);
        }
        items
    }
}
