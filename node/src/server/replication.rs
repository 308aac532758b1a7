//! The replication service.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use rootfold_core::{log::Tip, F};
use rootfold_light::{
    messages::{self, MessageError},
    response::MAX_HOLDERS,
    snapshot::Snapshot,
    values::Value,
};
use rootfold_proto::{
    limits::{MAX_FRONTIER, MAX_NAMES},
    reason::Reason,
    v1::{self, replication_service_server::ReplicationService as Replication},
};
use rootfold_verifier::PreparedVerifyingKey;
use tonic::{Request, Response, Status};

use super::{
    calls::Caller,
    limits::Limits,
    live::Live,
    log_messages::LogMessages,
    peering::for_caller,
    quota::SubmitQuota,
    refusal::{check_space, invalid, refuse},
    work::{ResponseStream, Work},
};
use crate::{peers::Peers, space::Space};

/// A message of pages or values is closed at this number of bytes, before the next value.
const CLOSE_AT: usize = 384 * 1024;
/// The longest part of a page in a message, in bytes.
const PAGE_PART: usize = 256 * 1024;

/// Serves a space to everyone, and ingests ops of its writers.
pub struct ReplicationService {
    space: Space,
    key: Option<Arc<PreparedVerifyingKey>>,
    work: Work,
    writes: Work,
    quota: SubmitQuota,
    peers: Option<Peers>,
    live: Live,
}

impl ReplicationService {
    /// A replication service of `space` and of its verifying key, if it has one.
    pub fn new(space: Space, key: Option<Arc<PreparedVerifyingKey>>) -> ReplicationService {
        ReplicationService::with_limits(space, key, &Limits::default())
    }

    pub(super) fn with_limits(
        space: Space,
        key: Option<Arc<PreparedVerifyingKey>>,
        limits: &Limits,
    ) -> ReplicationService {
        let quota = SubmitQuota::new(limits.ops_per_second);
        ReplicationService {
            space,
            key,
            work: Work::reads(),
            writes: Work::writes(),
            quota,
            peers: None,
            live: Live::default(),
        }
    }

    /// The same service, which names holders of the history among these peers.
    #[must_use]
    pub(super) fn with_peers(self, peers: Option<Peers>) -> ReplicationService {
        ReplicationService { peers, ..self }
    }

    /// The same service, which takes ops as these settings say.
    #[must_use]
    pub(super) fn with_live(self, live: Live) -> ReplicationService {
        ReplicationService { live, ..self }
    }

    /// Runs `work` on the space after a check that the request is for this space.
    async fn on_space<T: Send + 'static>(
        &self,
        asked: &[u8],
        work: impl FnOnce(&Space) -> Result<T, Status> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        check_space(&self.space, asked)?;
        let space = self.space.clone();
        self.work.run(move || work(&space)).await.map(Response::new)
    }
}

#[tonic::async_trait]
impl Replication for ReplicationService {
    type PagesStream = ResponseStream<v1::PagesResponse>;
    type ValuesStream = ResponseStream<v1::ValuesResponse>;
    type LogEntriesStream = ResponseStream<v1::LogEntriesResponse>;

    async fn genesis(
        &self,
        request: Request<v1::GenesisRequest>,
    ) -> Result<Response<v1::GenesisResponse>, Status> {
        self.on_space(&request.into_inner().space, |space| {
            let genesis = space.genesis()?;
            let genesis = genesis
                .ok_or_else(|| {
                    refuse(
                        Reason::NotHeld,
                        "this node has no genesis config: it was bootstrapped without one",
                    )
                })?
                .to_bytes();
            Ok(v1::GenesisResponse { genesis })
        })
        .await
    }

    async fn verifying_key(
        &self,
        request: Request<v1::VerifyingKeyRequest>,
    ) -> Result<Response<v1::VerifyingKeyResponse>, Status> {
        let asked = request.into_inner().parameters;
        let asked = messages::parameter_id(&asked).map_err(invalid)?;
        match self.key.as_ref().filter(|key| key.id() == asked) {
            Some(key) => {
                let verifying_key = key.key().encode();
                Ok(Response::new(v1::VerifyingKeyResponse { verifying_key }))
            }
            None => Err(refuse(
                Reason::NotHeld,
                "this node does not have the verifying key of these parameters",
            )),
        }
    }

    async fn latest_snapshot(
        &self,
        request: Request<v1::LatestSnapshotRequest>,
    ) -> Result<Response<v1::LatestSnapshotResponse>, Status> {
        self.on_space(&request.into_inner().space, |space| {
            let snapshot = match space.latest_snapshot()? {
                Some(snapshot) => snapshot,
                None => Snapshot { header: space.snapshot_header()?, proof: Vec::new() },
            };
            Ok(v1::LatestSnapshotResponse { snapshot: Some(messages::snapshot_out(&snapshot)) })
        })
        .await
    }

    async fn pages(
        &self,
        request: Request<v1::PagesRequest>,
    ) -> Result<Response<Self::PagesStream>, Status> {
        let request = request.into_inner();
        check_space(&self.space, &request.space)?;
        messages::at_most("page names", request.names.len(), MAX_NAMES).map_err(invalid)?;
        let name = |name: &Vec<u8>| messages::field("page name", name);
        let names = once_each(request.names.iter().map(name)).map_err(invalid)?;
        let source = Pages { space: self.space.clone(), names, rest: VecDeque::new() };
        Ok(Response::new(self.work.stream(source.into_messages())))
    }

    async fn values(
        &self,
        request: Request<v1::ValuesRequest>,
    ) -> Result<Response<Self::ValuesStream>, Status> {
        let request = request.into_inner();
        check_space(&self.space, &request.space)?;
        messages::at_most("value names", request.names.len(), MAX_NAMES).map_err(invalid)?;
        let mut names = once_each(request.names.iter().map(messages::name_in)).map_err(invalid)?;
        let space = self.space.clone();
        let source = move || {
            let (mut values, mut size) = (Vec::new(), 0);
            while size < CLOSE_AT {
                let Some(name) = names.pop_front() else { break };
                let Some(content) = space.value(&name)? else { continue };
                size += content.len();
                values.push(messages::value_out(Value { name, content }));
            }
            Ok((!values.is_empty()).then_some(v1::ValuesResponse { values }))
        };
        Ok(Response::new(self.work.stream(source)))
    }

    async fn frontier(
        &self,
        request: Request<v1::FrontierRequest>,
    ) -> Result<Response<v1::FrontierResponse>, Status> {
        let request = request.into_inner();
        let asked = match request.root.as_slice() {
            [] => None,
            root => Some(messages::field("root", root).map_err(invalid)?),
        };
        self.on_space(&request.space, move |space| frontier(space, asked, request.first)).await
    }

    async fn fork(
        &self,
        request: Request<v1::ForkRequest>,
    ) -> Result<Response<v1::ForkResponse>, Status> {
        let v1::ForkRequest { space, writer } = request.into_inner();
        self.on_space(&space, move |space| {
            let fork = space.fork(writer)?.ok_or_else(|| {
                refuse(
                    Reason::NotHeld,
                    format!("this node has no evidence of a fork of writer {writer}"),
                )
            })?;
            Ok(v1::ForkResponse { fork: Some(fork.fork().to_message()) })
        })
        .await
    }

    async fn log_entries(
        &self,
        request: Request<v1::LogEntriesRequest>,
    ) -> Result<Response<Self::LogEntriesStream>, Status> {
        let caller = request.extensions().get::<Caller>().and_then(|caller| caller.0);
        let request = request.into_inner();
        check_space(&self.space, &request.space)?;
        let logs = messages::frontier_in(&request.logs).map_err(invalid)?;
        let space = self.space.clone();
        let holders = self.peers.as_ref().map(Peers::holders).unwrap_or_default();
        let holders = for_caller(holders, caller, MAX_HOLDERS);
        let made = self.work.run(move || Ok(LogMessages::new(space, logs)?.naming(holders)));
        let mut messages = made.await?;
        Ok(Response::new(self.work.stream(move || messages.next_message())))
    }

    async fn submit(
        &self,
        request: Request<v1::SubmitRequest>,
    ) -> Result<Response<v1::SubmitResponse>, Status> {
        if self.live.submit_token().is_some_and(|token| !token.is_shown(request.metadata())) {
            return Err(refuse(
                Reason::Unauthenticated,
                "this node takes ops only with its token; another node gives it with --token-file",
            ));
        }
        let caller = request.extensions().get::<Caller>().and_then(|caller| caller.0);
        let request = request.into_inner();
        check_space(&self.space, &request.space)?;
        let submission = messages::submission_in(request.submission).map_err(invalid)?;
        self.quota.take(caller, submission.batches.iter().map(|batch| batch.ops.len()).sum())?;
        let space = self.space.clone();
        let done = self.writes.run(move || Ok(space.ingest(&submission)?)).await?;
        let root = messages::bytes(&done.root);
        Ok(Response::new(v1::SubmitResponse { accepted: done.ops, root }))
    }
}

/// A page of the tips, from writer `first` on. If the caller has `asked` about the root that this node
/// has, none.
pub(crate) fn frontier(
    space: &Space,
    asked: Option<F>,
    first: u32,
) -> Result<v1::FrontierResponse, Status> {
    let full_history = space.has_full_history()?;
    let state = space.state();
    let equal = asked == Some(state.latest.root);
    let mut tips = state.tips.range(first..).filter(|_| !equal);
    let tip = |(writer, tip): (&u32, &Tip)| {
        let seq = tip.seq(*writer).ok()?;
        Some(v1::WriterTip { writer: *writer, seq, head: messages::bytes(&tip.head.head) })
    };
    let writers: Vec<v1::WriterTip> = tips.by_ref().filter_map(tip).take(MAX_FRONTIER).collect();
    let full = writers.len() == MAX_FRONTIER;
    let next = tips.next().filter(|_| full).map_or(0, |(writer, _)| *writer);
    // More forks than this are beyond what a space can live with; the first ones are enough.
    let forked = state.forks.iter().take(MAX_FRONTIER).filter(|_| first == 0);
    let forked: Vec<(u32, u64)> = forked.map(|(writer, fork)| (*writer, fork.shared)).collect();
    let forked = messages::logs_out(&forked);
    Ok(v1::FrontierResponse {
        root: messages::bytes(&state.latest.root),
        writers,
        next,
        forked,
        snapshot_ops: state.snapshot.map_or(0, |header| header.ops),
        full_history,
    })
}

/// The names in their order, each once.
fn once_each<N: Ord + Copy>(
    names: impl Iterator<Item = Result<N, MessageError>>,
) -> Result<VecDeque<N>, MessageError> {
    let mut seen = BTreeSet::new();
    names.filter(|name| name.as_ref().map_or(true, |name| seen.insert(*name))).collect()
}

/// The parts of a page, which may not fit into one message. At least one.
pub(crate) fn page_parts(name: &[u8], content: &[u8]) -> VecDeque<v1::Page> {
    let count = content.len().div_ceil(PAGE_PART).max(1);
    let part = |index: usize| {
        let end = content.len().min((index + 1) * PAGE_PART);
        let content = content[index * PAGE_PART..end].to_vec();
        v1::Page { name: name.to_vec(), content, more: index + 1 < count }
    };
    (0..count).map(part).collect()
}

/// The pages that are not sent yet.
struct Pages {
    space: Space,
    names: VecDeque<F>,
    /// The other parts of a page of which one is sent.
    rest: VecDeque<v1::Page>,
}

impl Pages {
    fn into_messages(mut self) -> impl FnMut() -> Result<Option<v1::PagesResponse>, Status> {
        move || {
            let (mut pages, mut size) = (Vec::new(), 0);
            while size < CLOSE_AT {
                let Some(page) = self.next_part()? else { break };
                size += page.content.len();
                pages.push(page);
            }
            Ok((!pages.is_empty()).then_some(v1::PagesResponse { pages }))
        }
    }

    fn next_part(&mut self) -> Result<Option<v1::Page>, Status> {
        while self.rest.is_empty() {
            let Some(name) = self.names.pop_front() else { return Ok(None) };
            let Some(content) = self.space.page_bytes(&name)? else { continue };
            self.rest = page_parts(&messages::bytes(&name), &content);
        }
        Ok(self.rest.pop_front())
    }
}
