//! A client of the three services of a node, with limits on sizes and times and a count of received
//! bytes. Every response is checked before it is returned, as far as that is possible without a proved
//! root; the checks are those of `rootfold-light`.

mod checks;
mod counting;
mod credentials;
mod error;
mod peering;
mod query;
mod stranger;
mod transfer;

use std::{
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::Duration,
};

use rootfold_core::{space::Genesis, F};
use rootfold_light::{
    fork::CheckedFork,
    invite::Invite,
    messages,
    response::{
        self, Checked, Frontier, OpMessage, OpStream, PageStream, ReceivedPage, ValueStream,
    },
    snapshot::Snapshot,
    submission::{Ingested, Submission},
    values::{Value, ValueName},
    ResponseError,
};
use rootfold_proto::{
    limits::{MAX_MESSAGE_BYTES, MAX_NAMES},
    reason::Reason,
    v1::{
        self, peering_service_client::PeeringServiceClient,
        proving_service_client::ProvingServiceClient, query_service_client::QueryServiceClient,
        replication_service_client::ReplicationServiceClient,
        verification_service_client::VerificationServiceClient,
    },
};
use rootfold_verifier::{KeyError, ParameterId, PreparedVerifyingKey};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::{
    transport::{Channel, Endpoint, Uri},
    Request, Response, Status, Streaming,
};

use tonic_health::pb::{
    health_check_response::ServingStatus, health_client::HealthClient, HealthCheckRequest,
};
use tower::Service;

use crate::{
    address::Address,
    blocking::{blocking, Panicked},
};
use checks::PageChecks;
use credentials::TokenFor;

pub use credentials::Credentials;
pub(crate) use error::list;
pub use error::{PeerCause, PeerError};
pub use query::Changes;
pub(crate) use transfer::{Part, Transfer};

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// The time limit of a unary call, and of each message of a stream.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// A connection to a node. Cheap to clone.
#[derive(Clone)]
pub struct Peer {
    address: Arc<str>,
    /// Whether the connection is over TCP, without TLS.
    tcp: bool,
    token: TokenFor,
    received: Arc<AtomicU64>,
    replication: ReplicationServiceClient<Channel>,
    verification: VerificationServiceClient<Channel>,
    query: QueryServiceClient<Channel>,
    proving: ProvingServiceClient<Channel>,
    peering: PeeringServiceClient<Channel>,
    health: HealthClient<Channel>,
}

impl Peer {
    /// Connects to an [`Address`].
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn connect(address: &str) -> Result<Peer, PeerError> {
        Peer::connect_as(address, &Credentials::default()).await
    }

    /// [`Peer::connect`] with credentials. An address that begins with `https://` means TLS.
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn connect_as(address: &str, credentials: &Credentials) -> Result<Peer, PeerError> {
        let parsed = Address::of_node(address).ok();
        let token = parsed.as_ref().map(|parsed| credentials.token_for(parsed)).unwrap_or_default();
        if !parsed.is_some_and(|parsed| parsed.tls) {
            let connected = Peer::connect_with(address, tower::service_fn(counting::tcp)).await;
            return Ok(Peer { tcp: true, token, ..connected? });
        }
        let tls = credentials.client_tls().map_err(|e| PeerError {
            peer: address.into(),
            cause: Box::new(PeerCause::Tls { what: e.to_string() }),
        })?;
        let connector = tower::service_fn(move |uri| credentials::tls(uri, tls.clone()));
        Ok(Peer { token, ..Peer::connect_with(address, connector).await? })
    }

    /// [`Peer::connect`] with connections that `connector` makes.
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn connect_with<C, Io>(address: &str, connector: C) -> Result<Peer, PeerError>
    where
        C: Service<Uri, Response = Io, Error = std::io::Error> + Clone + Send + 'static,
        C::Future: Send,
        Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let failed = |cause| PeerError { peer: address.into(), cause: Box::new(cause) };
        let parsed = Address::of_node(address)
            .map_err(|e| failed(PeerCause::Address { what: e.to_string() }))?;
        let authority = parsed.to_connect().authority();
        // The connector does TLS; the scheme is what the server is told.
        let scheme = if parsed.tls { "https" } else { "http" };
        Peer::connect_over(address, scheme, &authority, connector).await
    }

    /// [`Peer::connect_with`] for what has no address of a node; errors name it by `address`.
    pub(crate) async fn connect_over<C, Io>(
        address: &str,
        scheme: &str,
        authority: &str,
        connector: C,
    ) -> Result<Peer, PeerError>
    where
        C: Service<Uri, Response = Io, Error = std::io::Error> + Clone + Send + 'static,
        C::Future: Send,
        Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let failed = |cause| PeerError { peer: address.into(), cause: Box::new(cause) };
        let bad = |e: &dyn std::fmt::Display| PeerCause::Address { what: e.to_string() };
        let origin =
            Uri::try_from(format!("{scheme}://{authority}")).map_err(|e| failed(bad(&e)))?;
        let endpoint = Endpoint::from_shared(format!("http://{authority}"))
            .map_err(|e| failed(bad(&e)))?
            .origin(origin)
            .connect_timeout(CONNECT_LIMIT)
            .timeout(ANSWER_LIMIT);
        let received = Arc::new(AtomicU64::new(0));
        let channel = endpoint
            .connect_with_connector(counting::connector(connector, received.clone()))
            .await
            .map_err(|e| failed(PeerCause::unreachable(&e)))?;
        Ok(Peer {
            address: address.into(),
            tcp: false,
            token: TokenFor::None,
            received,
            replication: ReplicationServiceClient::new(channel.clone())
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
            verification: VerificationServiceClient::new(channel.clone())
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
            query: QueryServiceClient::new(channel.clone())
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
            proving: ProvingServiceClient::new(channel.clone())
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
            peering: PeeringServiceClient::new(channel.clone())
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
            health: HealthClient::new(channel),
        })
    }

    /// The same connection without the token: for a peer that nobody here has named.
    pub(crate) fn without_token(self) -> Peer {
        Peer { token: TokenFor::None, ..self }
    }

    /// The address that was given to [`Peer::connect`].
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Bytes received so far, with framing.
    pub fn bytes_received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// An error with the address of this peer.
    pub(crate) fn blame(&self, cause: impl Into<PeerCause>) -> PeerError {
        PeerError { peer: self.address.to_string(), cause: Box::new(cause.into()) }
    }

    /// A better error of a first call, if something else than a node answers there.
    pub(crate) async fn explain(&self, e: PeerError) -> PeerError {
        match *e.cause {
            PeerCause::Unreachable { .. } if self.tcp => stranger::named(&self.address, e).await,
            _ => e,
        }
    }

    fn response<T>(&self, response: Result<Response<T>, Status>) -> Result<T, PeerError> {
        response.map(Response::into_inner).map_err(|status| self.blame(status))
    }

    /// Runs a long check on a blocking thread.
    async fn off_thread<T: Send + 'static>(
        &self,
        check: impl FnOnce() -> Result<T, ResponseError> + Send + 'static,
    ) -> Result<T, PeerError> {
        self.settled(blocking(check).await)
    }

    /// The result of a check on another thread.
    fn settled<T>(
        &self,
        ended: Result<Result<T, ResponseError>, Panicked>,
    ) -> Result<T, PeerError> {
        match ended {
            Ok(checked) => checked.map_err(|e| self.blame(e)),
            Err(e) => Err(self.blame(PeerCause::Panicked { what: e.what })),
        }
    }

    /// The next message of a stream.
    async fn next<T>(&self, stream: &mut Streaming<T>) -> Result<Option<T>, PeerError> {
        match tokio::time::timeout(ANSWER_LIMIT, stream.message()).await {
            Ok(message) => message.map_err(|status| self.blame(status)),
            Err(_) => Err(self.blame(PeerCause::Silent { seconds: ANSWER_LIMIT.as_secs() })),
        }
    }

    /// Whether a service serves, by the standard health service; the empty name is that of the server.
    ///
    /// # Errors
    /// [`PeerError`], also if the peer does not know the service.
    pub async fn serves(&self, service: &str) -> Result<bool, PeerError> {
        let request = HealthCheckRequest { service: service.to_owned() };
        let response = self.response(self.health.clone().check(request).await)?;
        Ok(response.status == ServingStatus::Serving as i32)
    }

    /// The genesis config of a space, checked against the space's id.
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn genesis(&self, space: F) -> Result<Genesis, PeerError> {
        let request = v1::GenesisRequest { space: messages::bytes(&space) };
        let response = self.response(self.replication.clone().genesis(request).await)?;
        // Takes seconds for thousands of writers.
        self.off_thread(move || response::genesis(space, &response)).await
    }

    /// The verifying key of the parameters with this id, checked against it.
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn verifying_key(
        &self,
        parameters: ParameterId,
    ) -> Result<PreparedVerifyingKey, PeerError> {
        let request = v1::VerifyingKeyRequest { parameters: parameters.0.to_vec() };
        let response = self.response(self.replication.clone().verifying_key(request).await)?;
        let key = response::verifying_key(parameters, &response).map_err(|e| self.blame(e))?;
        // Takes tenths of a second.
        let refused = |e: KeyError| ResponseError::VerifyingKey { what: e.to_string() };
        self.off_thread(move || PreparedVerifyingKey::new(key).map_err(refused)).await
    }

    /// The newest snapshot of the peer. It is not verified.
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn latest_snapshot(&self, space: F) -> Result<Snapshot, PeerError> {
        let request = v1::LatestSnapshotRequest { space: messages::bytes(&space) };
        let response = self.response(self.replication.clone().latest_snapshot(request).await)?;
        response::latest_snapshot(response).map_err(|e| self.blame(e))
    }

    /// A page of the frontier of the peer, by its own account, from writer `first` on. If the latest
    /// root of the peer is `ours`, it has no writers.
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn frontier(
        &self,
        space: F,
        ours: Option<F>,
        first: u32,
    ) -> Result<Frontier, PeerError> {
        let root = ours.as_ref().map(messages::bytes).unwrap_or_default();
        let request = v1::FrontierRequest { space: messages::bytes(&space), root, first };
        let response = self.response(self.replication.clone().frontier(request).await)?;
        response::frontier(first, &response).map_err(|e| self.blame(e))
    }

    /// The evidence of the peer that the log of `writer` is forked, checked.
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn fork(&self, space: F, writer: u32) -> Result<CheckedFork, PeerError> {
        let request = v1::ForkRequest { space: messages::bytes(&space), writer };
        let response = self.response(self.replication.clone().fork(request).await)?;
        self.off_thread(move || response::fork(writer, &response)).await
    }

    /// The requested pages, each checked against its name. Pages that the peer does not send are
    /// left out. An error comes with the good pages before it.
    pub(crate) async fn pages(
        &self,
        space: F,
        names: &[F],
    ) -> (Vec<ReceivedPage>, Result<(), PeerError>) {
        let mut checks = PageChecks::new(self);
        let received = self.pages_into(space, names, &mut checks).await;
        checks.finish(received).await
    }

    async fn pages_into(
        &self,
        space: F,
        names: &[F],
        checks: &mut PageChecks<'_>,
    ) -> Result<(), PeerError> {
        debug_assert!(names.len() <= MAX_NAMES, "the server refuses more names");
        let request = v1::PagesRequest {
            space: messages::bytes(&space),
            names: names.iter().map(messages::bytes).collect(),
        };
        let mut stream = self.response(self.replication.clone().pages(request).await)?;
        let mut parts = PageStream::new(names);
        while let Some(message) = self.next(&mut stream).await? {
            parts.see(&message).map_err(|e| self.blame(e))?;
            for part in message.pages {
                if let Some((name, content)) = parts.take(part).map_err(|e| self.blame(e))? {
                    checks.add(name, content).await?;
                }
            }
        }
        Ok(())
    }

    /// The requested values, each checked against its digest. Values that the peer does not send are
    /// left out. An error comes with the good values before it.
    pub(crate) async fn values(
        &self,
        space: F,
        names: &[ValueName],
    ) -> (Vec<Value>, Result<(), PeerError>) {
        let mut values = Vec::new();
        let result = self.values_into(space, names, &mut values).await;
        (values, result)
    }

    async fn values_into(
        &self,
        space: F,
        names: &[ValueName],
        values: &mut Vec<Value>,
    ) -> Result<(), PeerError> {
        debug_assert!(names.len() <= MAX_NAMES, "the server refuses more names");
        let request = v1::ValuesRequest {
            space: messages::bytes(&space),
            names: names.iter().map(messages::name_out).collect(),
        };
        let mut stream = self.response(self.replication.clone().values(request).await)?;
        let mut wanted = ValueStream::new(names);
        while let Some(message) = self.next(&mut stream).await? {
            wanted.see(&message).map_err(|e| self.blame(e))?;
            for value in message.values {
                values.push(wanted.take(value).map_err(|e| self.blame(e))?);
            }
        }
        Ok(())
    }

    /// The ops of some logs, each after a number of ops, message by message. An ingest checks them.
    /// `logs` are at most [`MAX_FRONTIER`](rootfold_proto::limits::MAX_FRONTIER), ascending by writer.
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn log_entries(
        &self,
        space: F,
        logs: &[(u32, u64)],
    ) -> Result<LogEntries, PeerError> {
        let logs = messages::logs_out(logs);
        let request = v1::LogEntriesRequest { space: messages::bytes(&space), logs };
        let stream = self.response(self.replication.clone().log_entries(request).await)?;
        Ok(LogEntries { peer: self.clone(), stream, ops: OpStream::default() })
    }

    /// Submits ops.
    ///
    /// # Errors
    /// [`PeerError`], with [`PeerCause::Refused`] if the peer refuses the ops.
    pub async fn submit(&self, space: F, submission: &Submission) -> Result<Ingested, PeerError> {
        let mut request = Request::new(v1::SubmitRequest {
            space: messages::bytes(&space),
            submission: Some(messages::submission_out(submission)),
        });
        if let TokenFor::Sent(token) = &self.token {
            token.show(request.metadata_mut());
        }
        let response = self.response(self.replication.clone().submit(request).await);
        let response = response.map_err(|e| match (&*e.cause, &self.token) {
            (
                PeerCause::Refused { reason: Some(Reason::Unauthenticated), .. },
                TokenFor::Withheld,
            ) => self.blame(PeerCause::TokenWithheld),
            _ => e,
        })?;
        response::submitted(&response).map_err(|e| self.blame(e))
    }

    /// Lets the peer verify a snapshot, for a client that trusts it.
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn check(&self, invite: &Invite, snapshot: &Snapshot) -> Result<Checked, PeerError> {
        let request = v1::CheckRequest {
            space: messages::bytes(&invite.space),
            parameters: invite.parameters.0.to_vec(),
            snapshot: Some(messages::snapshot_out(snapshot)),
        };
        let response = self.response(self.verification.clone().check(request).await)?;
        response::checked(&response).map_err(|e| self.blame(e))
    }
}

/// A stream of ops from a peer.
pub struct LogEntries {
    peer: Peer,
    stream: Streaming<v1::LogEntriesResponse>,
    ops: OpStream,
}

impl LogEntries {
    /// The next message; `None` at the end.
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn next(&mut self) -> Result<Option<OpMessage>, PeerError> {
        let Some(message) = self.peer.next(&mut self.stream).await? else { return Ok(None) };
        self.ops.take(message).map(Some).map_err(|e| self.peer.blame(e))
    }
}
