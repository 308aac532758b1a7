//! The query service. Each answer comes with the pages that prove it.

mod find;
mod info;
mod keys;
mod pages;
mod range;
mod tokens;
mod watch;

use std::sync::Arc;

use rootfold_core::F;
use rootfold_light::{messages, query::KeyPrefix};
use rootfold_proto::{
    reason::Reason,
    v1::{self, query_service_server::QueryService as Query},
};
use rootfold_verifier::PreparedVerifyingKey;
use tonic::{Request, Response, Status};

use super::{
    refusal::{check_space, invalid, refuse},
    work::{ResponseStream, Work},
};
use crate::space::Space;
use tokens::ReadableStates;
use watch::Watched;

pub(super) use watch::PATH as WATCH_PATH;

/// Answers queries of clients that check the answers.
pub struct QueryService {
    space: Space,
    key: Option<Arc<PreparedVerifyingKey>>,
    work: Work,
    /// States that clients read page by page.
    states: Arc<ReadableStates>,
}

impl QueryService {
    /// A query service of `space`.
    pub fn new(space: Space) -> QueryService {
        QueryService { space, key: None, work: Work::reads(), states: Arc::default() }
    }

    /// The same service, which tells of this verifying key.
    #[must_use]
    pub(super) fn with_key(self, key: Option<Arc<PreparedVerifyingKey>>) -> QueryService {
        QueryService { key, ..self }
    }
}

#[tonic::async_trait]
impl Query for QueryService {
    type WatchStream = ResponseStream<v1::WatchResponse>;

    async fn get(
        &self,
        request: Request<v1::GetRequest>,
    ) -> Result<Response<v1::GetResponse>, Status> {
        let request = request.into_inner();
        check_space(&self.space, &request.space)?;
        let at = messages::at_in(request.at, &request.root).map_err(invalid)?;
        let key = messages::key("key", &request.key).map_err(invalid)?;
        let space = self.space.clone();
        let response = self.work.run(move || keys::get(&space, at, &key));
        response.await.map(Response::new)
    }

    async fn get_many(
        &self,
        request: Request<v1::GetManyRequest>,
    ) -> Result<Response<v1::GetManyResponse>, Status> {
        let request = request.into_inner();
        check_space(&self.space, &request.space)?;
        let at = messages::at_in(request.at, &request.root).map_err(invalid)?;
        let keys = messages::keys_in(&request.keys).map_err(invalid)?;
        let space = self.space.clone();
        let response = self.work.run(move || keys::get_many(&space, at, &keys));
        response.await.map(Response::new)
    }

    async fn range(
        &self,
        request: Request<v1::RangeRequest>,
    ) -> Result<Response<v1::RangeResponse>, Status> {
        let request = request.into_inner();
        check_space(&self.space, &request.space)?;
        let (at, query) = messages::range_in(&request).map_err(invalid)?;
        let (space, states) = (self.space.clone(), self.states.clone());
        let response = self.work.run(move || {
            let view = space.view(at)?;
            let response = range::range(&space, view.root, &query)?;
            if !response.next_page_token.is_empty() {
                states.keep(&space, view.root);
            }
            Ok(response)
        });
        response.await.map(Response::new)
    }

    async fn find(
        &self,
        request: Request<v1::FindRequest>,
    ) -> Result<Response<v1::FindResponse>, Status> {
        let request = request.into_inner();
        check_space(&self.space, &request.space)?;
        let (at, query) = messages::find_in(&request).map_err(invalid)?;
        let (space, states) = (self.space.clone(), self.states.clone());
        let response = self.work.run(move || {
            let view = space.view(at)?;
            let response = find::find(&space, view.root, &query)?;
            if !response.next_page_token.is_empty() {
                states.keep(&space, view.root);
            }
            Ok(response)
        });
        response.await.map(Response::new)
    }

    async fn watch(
        &self,
        request: Request<v1::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let v1::WatchRequest { space, prefix, owner } = request.into_inner();
        check_space(&self.space, &space)?;
        let prefix = KeyPrefix::new(owner, prefix);
        let prefix = prefix.map_err(|e| refuse(Reason::InvalidRequest, e.to_string()))?;
        let watched = Watched::new(self.space.clone(), prefix)?;
        Ok(Response::new(watched.into_messages(self.work.clone())))
    }

    async fn info(
        &self,
        request: Request<v1::InfoRequest>,
    ) -> Result<Response<v1::InfoResponse>, Status> {
        check_space(&self.space, &request.into_inner().space)?;
        let (space, key) = (self.space.clone(), self.key.clone());
        self.work.run(move || info::info(&space, key.as_deref())).await.map(Response::new)
    }
}

/// What every answer says besides its entries: the newest snapshot, and what vouches for the state.
fn account(space: &Space, root: F) -> (Option<v1::SnapshotHeader>, i32) {
    let snapshot = space.status().snapshot.as_ref().map(messages::header_out);
    (snapshot, messages::voucher_out(space.voucher_of_root(root)))
}
