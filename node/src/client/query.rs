//! Queries. Each answer is checked against its root; the caller compares the root with a proved one.

use rootfold_core::{item::Entry, key::Key, F};
use rootfold_light::{
    answer::{self, FindAnswer, GetAnswer, ManyAnswer, RangeAnswer},
    messages::{self, MessageError},
    query::{At, FindQuery, KeyPrefix, RangeQuery},
    ResponseError,
};
use rootfold_proto::{limits::MAX_CHANGED, v1};
use tonic::{Status, Streaming};

use super::{Peer, PeerError};

impl Peer {
    /// The entry of a key.
    ///
    /// # Errors
    /// [`PeerError`] if the answer does not follow from its pages.
    pub async fn get(&self, space: F, at: At, key: &Key) -> Result<GetAnswer, PeerError> {
        let (at, root) = messages::at_out(at);
        let (space, key_bytes) = (messages::bytes(&space), key.as_bytes().to_vec());
        let request = v1::GetRequest { space, at, key: key_bytes, root };
        let response = self.response(self.query.clone().get(request).await)?;
        answer::check_get(key, response).map_err(|cause| self.blame(cause))
    }

    /// The entries of several keys of one state: at least one and at most
    /// [`MAX_KEYS`](rootfold_proto::limits::MAX_KEYS), ascending.
    ///
    /// # Errors
    /// [`PeerError`] if the answer does not follow from its pages.
    pub async fn get_many(&self, space: F, at: At, keys: &[Key]) -> Result<ManyAnswer, PeerError> {
        let (at, root) = messages::at_out(at);
        let key_bytes = keys.iter().map(|key| key.as_bytes().to_vec()).collect();
        let space = messages::bytes(&space);
        let request = v1::GetManyRequest { space, at, root, keys: key_bytes };
        let response = self.response(self.query.clone().get_many(request).await)?;
        answer::check_get_many(keys, response).map_err(|cause| self.blame(cause))
    }

    /// The entries of a range, or of a page of it.
    ///
    /// # Errors
    /// [`PeerError`] if the answer does not follow from its pages.
    pub async fn range(
        &self,
        space: F,
        at: At,
        query: &RangeQuery,
    ) -> Result<RangeAnswer, PeerError> {
        let request = messages::range_out(space, at, query);
        let response = self.response(self.query.clone().range(request).await)?;
        answer::check_range(query, response).map_err(|cause| self.blame(cause))
    }

    /// The entries with a mark of a term, or a page of them.
    ///
    /// # Errors
    /// [`PeerError`] if the answer does not follow from its pages and paths.
    pub async fn find(&self, space: F, at: At, query: &FindQuery) -> Result<FindAnswer, PeerError> {
        let request = messages::find_out(space, at, query);
        let response = self.response(self.query.clone().find(request).await)?;
        answer::check_find(query, response).map_err(|cause| self.blame(cause))
    }

    /// Keys that change from now on, with this prefix, by the peer's account.
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn watch(&self, space: F, prefix: KeyPrefix) -> Result<Changes, PeerError> {
        let KeyPrefix { owner, bytes } = prefix;
        let request = v1::WatchRequest { space: messages::bytes(&space), prefix: bytes, owner };
        let stream = self.response(self.query.clone().watch(request).await)?;
        Ok(Changes { peer: self.clone(), stream })
    }

    /// What the peer is, holds and allows, by its own account.
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn info(&self, space: F) -> Result<v1::InfoResponse, PeerError> {
        let request = v1::InfoRequest { space: messages::bytes(&space) };
        self.response(self.query.clone().info(request).await)
    }
}

/// Keys that change at a peer.
pub struct Changes {
    peer: Peer,
    stream: Streaming<v1::WatchResponse>,
}

impl Changes {
    /// The next changes, and the root of the state that they lead to. The first message has no
    /// changes: it names the state with which watching begins. Waits as long as nothing changes.
    ///
    /// # Errors
    /// [`PeerError`], also if the peer ends the stream.
    pub async fn next(&mut self) -> Result<(F, Vec<Entry>), PeerError> {
        let message = self.stream.message().await.map_err(|status| self.peer.blame(status))?;
        let ended = || Status::unavailable("the peer has ended the stream of changes");
        let message = message.ok_or_else(|| self.peer.blame(ended()))?;
        taken(&message).map_err(|e| self.peer.blame(ResponseError::from(e)))
    }
}

fn taken(message: &v1::WatchResponse) -> Result<(F, Vec<Entry>), MessageError> {
    let root = messages::field("root", &message.root)?;
    messages::at_most("changed entries", message.entries.len(), MAX_CHANGED)?;
    let entries: Result<_, _> = message.entries.iter().map(messages::entry_in).collect();
    Ok((root, entries?))
}
