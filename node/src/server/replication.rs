//! The replication service.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use rootfold_core::F;
use rootfold_light::{
    messages::{self, MessageError},
    snapshot::Snapshot,
    values::Value,
};
use rootfold_proto::{
    limits::{MAX_FRONTIER, MAX_NAMES, TARGET_MESSAGE_BYTES},
    v1::{self, replication_server::Replication},
};
use rootfold_verifier::PreparedVerifyingKey;
use tonic::{Request, Response, Status};

use super::{
    log_messages::LogMessages,
    refusal::{check_space, invalid},
    work::{ReplyStream, Work},
};
use crate::space::Space;

/// A message of pages or values is closed at this number of bytes.
const CLOSE_AT: usize = 512 * 1024;

/// Serves a space to everyone, and ingests ops of its writers.
pub struct ReplicationService {
    space: Space,
    key: Option<Arc<PreparedVerifyingKey>>,
    work: Work,
}

impl ReplicationService {
    /// A replication service of `space` and of its verifying key, if it has one.
    pub fn new(space: Space, key: Option<Arc<PreparedVerifyingKey>>) -> ReplicationService {
        ReplicationService { space, key, work: Work::default() }
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
    type PagesStream = ReplyStream<v1::PagesReply>;
    type ValuesStream = ReplyStream<v1::ValuesReply>;
    type LogEntriesStream = ReplyStream<v1::LogEntriesReply>;

    async fn genesis(
        &self,
        request: Request<v1::GenesisRequest>,
    ) -> Result<Response<v1::GenesisReply>, Status> {
        self.on_space(&request.into_inner().space, |space| {
            let genesis = space.genesis()?;
            let genesis = genesis
                .ok_or_else(|| {
                    Status::not_found(
                        "this node has no genesis config: it was bootstrapped without one",
                    )
                })?
                .to_bytes();
            Ok(v1::GenesisReply { genesis })
        })
        .await
    }

    async fn verifying_key(
        &self,
        request: Request<v1::VerifyingKeyRequest>,
    ) -> Result<Response<v1::VerifyingKeyReply>, Status> {
        let asked = request.into_inner().parameters;
        let asked = messages::parameter_id(&asked).map_err(invalid)?;
        match self.key.as_ref().filter(|key| key.id() == asked) {
            Some(key) => {
                let verifying_key = key.key().encode();
                Ok(Response::new(v1::VerifyingKeyReply { verifying_key }))
            }
            None => Err(Status::not_found(
                "this node does not have the verifying key of these parameters",
            )),
        }
    }

    async fn latest_snapshot(
        &self,
        request: Request<v1::LatestSnapshotRequest>,
    ) -> Result<Response<v1::LatestSnapshotReply>, Status> {
        self.on_space(&request.into_inner().space, |space| {
            let snapshot = match space.latest_snapshot()? {
                Some(snapshot) => snapshot,
                None => Snapshot { header: space.snapshot_header()?, proof: Vec::new() },
            };
            Ok(v1::LatestSnapshotReply { snapshot: Some(messages::snapshot_out(&snapshot)) })
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
        let source = Pages { space: self.space.clone(), names, cut: VecDeque::new() };
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
            Ok((!values.is_empty()).then_some(v1::ValuesReply { values }))
        };
        Ok(Response::new(self.work.stream(source)))
    }

    async fn frontier(
        &self,
        request: Request<v1::FrontierRequest>,
    ) -> Result<Response<v1::FrontierReply>, Status> {
        self.on_space(&request.into_inner().space, |space| {
            let state = space.state();
            if state.tips.len() > MAX_FRONTIER {
                let what = format!("this space has more than {MAX_FRONTIER} writers");
                return Err(Status::resource_exhausted(what));
            }
            let tip = |(writer, tip): (&u32, &rootfold_core::log::Tip)| {
                let seq = tip.seq(*writer).ok()?;
                Some(v1::WriterTip { writer: *writer, seq, head: messages::bytes(&tip.head.head) })
            };
            Ok(v1::FrontierReply {
                root: messages::bytes(&state.latest.root),
                writers: state.tips.iter().filter_map(tip).collect(),
            })
        })
        .await
    }

    async fn log_entries(
        &self,
        request: Request<v1::LogEntriesRequest>,
    ) -> Result<Response<Self::LogEntriesStream>, Status> {
        let request = request.into_inner();
        check_space(&self.space, &request.space)?;
        let frontier = messages::frontier_in(&request.frontier).map_err(invalid)?;
        let space = self.space.clone();
        let mut messages = self.work.run(move || Ok(LogMessages::new(space, frontier)?)).await?;
        let source = move || {
            let submission = messages.next_submission()?;
            Ok(submission.map(|submission| v1::LogEntriesReply {
                submission: Some(messages::submission_out(&submission)),
            }))
        };
        Ok(Response::new(self.work.stream(source)))
    }

    async fn submit(
        &self,
        request: Request<v1::SubmitRequest>,
    ) -> Result<Response<v1::SubmitReply>, Status> {
        let request = request.into_inner();
        let submission = messages::submission_in(request.submission).map_err(invalid)?;
        self.on_space(&request.space, move |space| {
            let done = space.ingest(&submission)?;
            Ok(v1::SubmitReply { accepted: done.ops, root: messages::bytes(&done.root) })
        })
        .await
    }
}

/// The names in their order, each once.
fn once_each<N: Ord + Copy>(
    names: impl Iterator<Item = Result<N, MessageError>>,
) -> Result<VecDeque<N>, MessageError> {
    let mut seen = BTreeSet::new();
    names.filter(|name| name.as_ref().map_or(true, |name| seen.insert(*name))).collect()
}

/// The pages that are not sent yet.
struct Pages {
    space: Space,
    names: VecDeque<F>,
    /// The remaining parts of a page that does not fit into one message.
    cut: VecDeque<v1::Page>,
}

impl Pages {
    fn into_messages(mut self) -> impl FnMut() -> Result<Option<v1::PagesReply>, Status> {
        move || {
            let (mut pages, mut size) = (Vec::new(), 0);
            while size < CLOSE_AT {
                let Some(page) = self.next_part()? else { break };
                size += page.content.len();
                pages.push(page);
            }
            Ok((!pages.is_empty()).then_some(v1::PagesReply { pages }))
        }
    }

    fn next_part(&mut self) -> Result<Option<v1::Page>, Status> {
        loop {
            if let Some(part) = self.cut.pop_front() {
                return Ok(Some(part));
            }
            let Some(name) = self.names.pop_front() else { return Ok(None) };
            let Some(content) = self.space.page_bytes(&name)? else { continue };
            let parts = content.chunks(TARGET_MESSAGE_BYTES);
            let last = parts.len().saturating_sub(1);
            self.cut.extend(parts.enumerate().map(|(index, part)| v1::Page {
                name: messages::bytes(&name),
                content: part.to_vec(),
                more: index < last,
            }));
        }
    }
}
