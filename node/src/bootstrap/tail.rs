//! The tail: ops after the frontier of a replica.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::PoisonError,
    time::Duration,
};

use futures_util::stream::{FuturesUnordered, StreamExt};

use rootfold_core::F;
use rootfold_light::{
    fork::CheckedFork, response::Frontier, signing::OWNER, submission::Submission,
};
use rootfold_proto::limits::MAX_FRONTIER;
use tokio::{
    sync::Mutex,
    time::{timeout, timeout_at, Instant},
};

use super::{blocking, branch, failed::Failed, BootstrapError};
use crate::{
    client::{Peer, PeerCause, PeerError},
    progress::{Event, Progress},
    space::{ForkRefused, IngestError, IngestedEach, Space},
};

/// The number of consecutive messages without a new op after which a stream is closed. An endless
/// stream would block a bootstrap.
const MAX_STALE_MESSAGES: u64 = 64;
/// The time for the other peers once one has sent everything, from their last new op.
const GRACE: Duration = Duration::from_secs(1);
/// The longest time for the other peers, however many new ops they send: the next sync takes the rest.
const MAX_GRACE: Duration = Duration::from_secs(30);
/// The time for which a peer waits while another one sends.
const TURN: Duration = Duration::from_millis(500);
/// The time for the next message of a stream of ops.
const STALL_LIMIT: Duration = Duration::from_secs(5);

/// The result of fetching the tail.
#[derive(Debug, Default)]
pub struct Tail {
    /// The number of new ops.
    pub ops: u64,
    /// The root of the first peer that answered, by its own account.
    pub source_root: Option<F>,
    /// Failures of peers.
    pub faults: Vec<PeerError>,
    /// Forked logs: those that are not accepted, by writer. Evidence of each is in the space.
    pub forks: BTreeMap<u32, CheckedFork>,
    /// Logs that this node holds back, since their clocks are ahead.
    pub held_back: Vec<IngestError>,
    /// The writers of whom a peer has ops, but not the next ones for this node.
    pub not_held: BTreeSet<u32>,
    /// Whether a peer has a snapshot that brings this node further than its ops, which were not fetched.
    pub far_behind: bool,
    /// Addresses of nodes that hold all ops, by the account of peers.
    pub holders: BTreeSet<String>,
    /// What the peers that have answered say of themselves, by address.
    pub answered: BTreeMap<String, Account>,
}

/// What a peer says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// The number of ops that its newest snapshot covers; 0 without one.
    pub snapshot_ops: u64,
    /// Whether it holds all ops since genesis.
    pub full_history: bool,
}

impl Tail {
    /// Adds what another peer has sent.
    fn add(&mut self, part: Tail) {
        self.ops += part.ops;
        self.source_root = self.source_root.or(part.source_root);
        self.faults.extend(part.faults);
        self.held_back.extend(part.held_back);
        self.not_held.extend(part.not_held);
        self.far_behind |= part.far_behind;
        self.holders.extend(part.holders);
        self.answered.extend(part.answered);
    }

    /// Adds the result of a later sync.
    pub(super) fn and_then(&mut self, later: Tail) {
        self.ops += later.ops;
        self.source_root = later.source_root;
        self.faults.extend(later.faults);
        (self.forks, self.held_back) = (later.forks, later.held_back);
        self.not_held = later.not_held;
        self.far_behind = later.far_behind;
        self.holders = later.holders;
        self.answered = later.answered;
    }
}

/// Ingests the ops that peers hold after the frontier of this space. All peers are asked, since any of
/// them may withhold ops; one answer is enough. Each log is independent: one that is refused
/// does not stop the others.
///
/// The peers are asked side by side, but one after the other sends its ops as long as it is quick, so
/// that each op comes once. When one peer has sent everything, the others have a second from their last
/// new op.
///
/// # Errors
/// [`BootstrapError::AllFailed`] if all peers failed, or an error of the store.
pub async fn sync_tail(
    space: &Space,
    peers: &[Peer],
    progress: &dyn Progress,
) -> Result<Tail, BootstrapError> {
    take_turns(space, peers, Turn::default(), progress).await
}

/// [`sync_tail`], but from peers with a snapshot that brings this node further nothing is fetched.
pub(super) async fn sync_short_tail(
    space: &Space,
    peers: &[Peer],
    progress: &dyn Progress,
) -> Result<Tail, BootstrapError> {
    take_turns(space, peers, Turn { short: true, ..Turn::default() }, progress).await
}

async fn take_turns(
    space: &Space,
    peers: &[Peer],
    turn: Turn,
    progress: &dyn Progress,
) -> Result<Tail, BootstrapError> {
    let mut asked: FuturesUnordered<_> = peers
        .iter()
        .enumerate()
        .map(|(index, peer)| {
            let turn = &turn;
            async move { (index, from_peer(space, peer, turn, progress).await) }
        })
        .collect();
    let mut silent: BTreeMap<usize, &Peer> = peers.iter().enumerate().collect();
    let mut parts: BTreeMap<usize, Tail> = BTreeMap::new();
    let mut failed = Vec::new();
    let mut served_at: Option<Instant> = None;
    loop {
        let next = match served_at {
            None => asked.next().await,
            Some(served_at) => {
                let last = turn.last_new().max(served_at);
                let until = (last + GRACE).min(served_at + MAX_GRACE);
                if until <= Instant::now() {
                    break;
                }
                match timeout_at(until, asked.next()).await {
                    Ok(next) => next,
                    // Unless a new op has come meanwhile, the next round ends.
                    Err(_) => continue,
                }
            }
        };
        let Some((index, (part, taken))) = next else { break };
        silent.remove(&index);
        parts.insert(index, part);
        match taken {
            Ok(()) => served_at = served_at.or_else(|| Some(Instant::now())),
            Err(Failed::Peer(fault)) => {
                tracing::info!(event = "tail-missing", error = %fault, "a peer did not send its tail");
                failed.push((index, fault));
            }
            Err(Failed::Here(e)) => return Err(e),
        }
    }
    drop(asked);
    let mut tail = Tail::default();
    for (_, part) in parts {
        tail.add(part);
    }
    failed.sort_by_key(|(index, _)| *index);
    tail.faults.extend(failed.into_iter().map(|(_, fault)| fault));
    if served_at.is_none() {
        let what = "the ops after the snapshot".into();
        return Err(BootstrapError::AllFailed { what, faults: tail.faults });
    }
    let seconds = GRACE.as_secs();
    tail.faults.extend(silent.values().map(|peer| peer.blame(PeerCause::Silent { seconds })));
    for (writer, mark) in space.forks() {
        if let (false, Some(fork)) = (mark.accepted, space.fork(writer)?) {
            tail.forks.insert(writer, fork);
        }
    }
    Ok(tail)
}

/// Who sends ops now, and when the last new op came.
#[derive(Default)]
struct Turn {
    /// Whether peers with a snapshot that brings this node further are left alone.
    short: bool,
    sending: Mutex<()>,
    last_new: std::sync::Mutex<Option<Instant>>,
}

impl Turn {
    fn note_new(&self) {
        *self.last_new.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// The time of the last new op; now if there was none.
    fn last_new(&self) -> Instant {
        let last = *self.last_new.lock().unwrap_or_else(PoisonError::into_inner);
        last.unwrap_or_else(|| Instant::now() - GRACE)
    }
}

/// What one peer has sent, and how that ended.
async fn from_peer(
    space: &Space,
    peer: &Peer,
    turn: &Turn,
    progress: &dyn Progress,
) -> (Tail, Result<(), Failed>) {
    let mut part = Tail::default();
    let ours = space.status().root;
    let frontier = match peer.frontier(space.id(), Some(ours), 0).await {
        Err(e) => return (part, Err(Failed::Peer(peer.explain(e).await))),
        Ok(frontier) => frontier,
    };
    match space.prefers_snapshot(frontier.snapshot_ops) {
        Ok(true) if turn.short => {
            let Frontier { snapshot_ops, full_history, .. } = frontier;
            let account = Account { snapshot_ops, full_history };
            part.answered.insert(peer.address().to_owned(), account);
            part.far_behind = true;
            return (part, Ok(()));
        }
        Ok(_) => {}
        Err(e) => return (part, Err(Failed::Here(e.into()))),
    }
    // A peer that is slow does not keep the others waiting for long.
    let _sending = timeout(TURN, turn.sending.lock()).await;
    let taken = take_from(space, peer, frontier, &mut part, turn, progress).await;
    (part, taken)
}

async fn take_from(
    space: &Space,
    peer: &Peer,
    first: Frontier,
    tail: &mut Tail,
    turn: &Turn,
    progress: &dyn Progress,
) -> Result<(), Failed> {
    let root = first.root;
    let Frontier { snapshot_ops, full_history, .. } = first;
    tail.answered.insert(peer.address().to_owned(), Account { snapshot_ops, full_history });
    let (suspects, refused) = (BTreeSet::new(), BTreeSet::new());
    let mut sync =
        Sync { space, peer, tail, turn, progress, ops: 0, suspects, refused, waits: false };
    sync.take_evidence(&first.forked).await?;
    let mut page = first;
    loop {
        sync.take_logs(&page.writers).await?;
        let Some(next) = page.next else { break };
        page = peer.frontier(space.id(), None, next).await?;
    }
    sync.look_for_forks().await?;
    tail.source_root.get_or_insert(root);
    Ok(())
}

/// A sync with one peer.
struct Sync<'a> {
    space: &'a Space,
    peer: &'a Peer,
    tail: &'a mut Tail,
    turn: &'a Turn,
    progress: &'a dyn Progress,
    /// The number of new ops from this peer.
    ops: u64,
    /// Writers whose logs differ here and there.
    suspects: BTreeSet<(u32, u64)>,
    /// Writers of whom ops were refused.
    refused: BTreeSet<u32>,
    /// Whether the owner's log waits for another one: a head is replaced that was not here yet.
    waits: bool,
}

impl Sync<'_> {
    /// Fetches the evidence of forks that this node does not have.
    async fn take_evidence(&mut self, forked: &[(u32, u64)]) -> Result<(), Failed> {
        let known = self.space.forks();
        let is_new = |(writer, shared): &&(u32, u64)| {
            known.get(writer).is_none_or(|known| known.shared > *shared)
        };
        for (writer, _) in forked.iter().filter(is_new) {
            let fork = self.peer.fork(self.space.id(), *writer).await?;
            self.keep(fork).await?;
        }
        Ok(())
    }

    async fn keep(&mut self, fork: CheckedFork) -> Result<(), Failed> {
        let space = self.space.clone();
        match blocking(move || space.keep_fork(&fork)).await? {
            Ok(_) => {}
            // The grant of this writer may not have come yet.
            Err(ForkRefused::UnknownWriter { writer }) => {
                tracing::debug!(writer, "evidence of an unknown writer");
            }
            Err(ForkRefused::Store(e)) => return Err(Failed::Here(e.into())),
            Err(ForkRefused::Space(e)) => return Err(Failed::Here(e.into())),
            Err(e) => self.tail.faults.push(self.peer.blame(e)),
        }
        Ok(())
    }

    /// Fetches what is new in a page of the frontier, the owner's ops first: they admit the others.
    async fn take_logs(&mut self, theirs: &BTreeMap<u32, (u64, F)>) -> Result<(), Failed> {
        loop {
            self.waits = false;
            let before = self.ops;
            let owner = theirs.get(&OWNER).map(|theirs| (OWNER, *theirs));
            let owner = self.wanted(owner.into_iter())?;
            self.fetch(owner).await?;
            let others = theirs.iter().filter(|(writer, _)| **writer != OWNER);
            let others = self.wanted(others.map(|(writer, theirs)| (*writer, *theirs)))?;
            self.fetch(others).await?;
            // The owner's log goes on behind a replaced head when the log of its writer is there.
            if !self.waits || self.ops == before {
                return Ok(());
            }
        }
    }

    /// The logs of which the peer has more, with the numbers of ops that this node has. Notes those
    /// that differ.
    fn wanted(
        &mut self,
        theirs: impl Iterator<Item = (u32, (u64, F))>,
    ) -> Result<Vec<(u32, u64, u64)>, Failed> {
        let (tips, forks) = (self.space.writers(), self.space.forks());
        let mut wanted = Vec::new();
        for (writer, (seq, head)) in theirs {
            let Some(Ok(ours)) = tips.get(&writer).map(|tip| tip.seq(writer)) else { continue };
            let rests = forks.get(&writer).and_then(|fork| fork.rests_after());
            let rests = rests.filter(|_| self.space.awaited(writer).is_none());
            if rests.is_some_and(|shared| ours >= shared) {
                continue;
            }
            if seq > ours {
                wanted.push((writer, ours, seq));
                continue;
            }
            let held = self.space.head_at(writer, seq).map_err(BootstrapError::from)?;
            if held.is_some_and(|held| held.head != head) {
                self.suspects.insert((writer, seq));
            }
        }
        Ok(wanted)
    }

    async fn fetch(&mut self, wanted: Vec<(u32, u64, u64)>) -> Result<(), Failed> {
        let ends: BTreeMap<u32, u64> =
            wanted.iter().map(|(writer, _, end)| (*writer, *end)).collect();
        // By the peer's account; only for the progress bar.
        let known = wanted
            .iter()
            .fold(self.ops, |sum, (_, ours, end)| sum.saturating_add(end.saturating_sub(*ours)));
        let logs: Vec<(u32, u64)> =
            wanted.iter().map(|(writer, ours, _)| (*writer, *ours)).collect();
        for logs in logs.chunks(MAX_FRONTIER) {
            let mut entries = self.peer.log_entries(self.space.id(), logs).await?;
            let (mut stale, mut last_new) = (0, Instant::now());
            let silent = || self.peer.blame(PeerCause::Silent { seconds: STALL_LIMIT.as_secs() });
            while let Some(message) =
                timeout(STALL_LIMIT, entries.next()).await.map_err(|_| silent())??
            {
                self.tail.not_held.extend(message.not_held.iter().map(|(writer, _)| *writer));
                self.tail.holders.extend(message.holders);
                let new = self.ingest(message.submission, &ends).await?;
                if new > 0 {
                    (stale, last_new) = (0, Instant::now());
                    self.turn.note_new();
                } else {
                    stale += 1;
                }
                if last_new.elapsed() > STALL_LIMIT {
                    return Err(silent().into());
                }
                self.progress.on(Event::Ops { done: self.ops, known: Some(known) });
                if stale > MAX_STALE_MESSAGES {
                    tracing::warn!(
                        event = "ops-repeated",
                        peer = self.peer.address(),
                        "a peer keeps sending known ops"
                    );
                    break;
                }
            }
        }
        self.note_withheld(&ends);
        Ok(())
    }

    /// Names the peer if it claims more ops of a log than it sent, without a reason.
    fn note_withheld(&mut self, ends: &BTreeMap<u32, u64>) {
        let tips = self.space.writers();
        let short = |(writer, end): &(&u32, &u64)| {
            let ours = tips.get(*writer).and_then(|tip| tip.seq(**writer).ok());
            ours.is_some_and(|ours| ours < **end)
                && !self.refused.contains(writer)
                && !self.tail.not_held.contains(writer)
        };
        let count = ends.iter().filter(short).count();
        if count > 0 {
            let cause = PeerCause::Withheld { what: "logs", count, of: ends.len() };
            self.tail.faults.push(self.peer.blame(cause));
        }
    }

    /// Ingests ops; returns the number of new ones.
    async fn ingest(
        &mut self,
        submission: Submission,
        ends: &BTreeMap<u32, u64>,
    ) -> Result<u64, Failed> {
        let space = self.space.clone();
        let done = blocking(move || space.ingest_each(&submission)).await?;
        let IngestedEach { ingested, refused } = done.map_err(|e| Failed::Here(here(e)))?;
        self.ops += ingested.ops;
        self.tail.ops += ingested.ops;
        for e in refused {
            self.refused.extend(e.writer());
            match e {
                IngestError::Ahead { .. } => self.tail.held_back.push(e),
                IngestError::Rests { .. }
                | IngestError::Denied { .. }
                | IngestError::HeadReplaced { .. }
                | IngestError::Closed { .. } => {}
                IngestError::OtherHead { .. } => self.waits = true,
                e => match e.other_branch() {
                    Some(writer) => {
                        let end = ends.get(&writer).copied().unwrap_or(u64::MAX);
                        self.suspects.insert((writer, end));
                    }
                    None => self.tail.faults.push(self.peer.blame(e)),
                },
            }
        }
        Ok(ingested.ops)
    }

    /// Finds where logs differ. Ops that the writer did not sign are the peer's fault; two signed
    /// continuations are the writer's.
    async fn look_for_forks(&mut self) -> Result<(), Failed> {
        for (writer, theirs) in std::mem::take(&mut self.suspects) {
            match branch::find(self.space, self.peer, writer, theirs).await? {
                Ok(fork) => self.keep(fork).await?,
                Err(cause) => self.tail.faults.push(self.peer.blame(cause)),
            }
        }
        Ok(())
    }
}

/// An error of an ingest that is not the peer's fault.
fn here(e: IngestError) -> BootstrapError {
    match e {
        IngestError::Store(e) => e.into(),
        e => BootstrapError::Ingest(Box::new(e)),
    }
}
