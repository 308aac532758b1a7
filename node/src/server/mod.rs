//! The gRPC services of a node: replication, verification, query, health and reflection; and the limits
//! that keep it standing among strangers.
//!
//! Connections and calls are served by hyper directly. tonic's own server has no limit of connections,
//! no limit of time for a reader, and no end of a shutdown.

mod activity;
mod budget;
mod calls;
mod connections;
mod health;
mod limits;
mod live;
mod log_messages;
mod peering;
mod proving;
mod query;
mod quota;
mod refusal;
mod replication;
mod stall;
mod verification;
mod web;
mod work;

use std::{future::Future, sync::Arc};

use rootfold_proto::{
    limits::MAX_MESSAGE_BYTES,
    v1::{
        peering_service_server::PeeringServiceServer, proving_service_server::ProvingServiceServer,
        query_service_server::QueryServiceServer,
        replication_service_server::ReplicationServiceServer,
        verification_service_server::VerificationServiceServer, FILE_DESCRIPTOR_SET,
    },
};
use rootfold_verifier::PreparedVerifyingKey;
use thiserror::Error;
use tokio::sync::watch;
use tonic::service::Routes;

use crate::{peers::Peers, space::Space};

use connections::Acceptor;
use work::Work;

pub use connections::Listener;
pub use health::SERVICES;
pub use limits::Limits;
pub use live::Live;
pub(crate) use log_messages::LogMessages;
pub use peering::PeeringService;
pub use proving::{ProvingFiles, ProvingService};
pub use query::QueryService;
pub(crate) use refusal::{invalid, refuse};
pub use replication::ReplicationService;
pub(crate) use replication::{frontier, page_parts};
pub use verification::VerificationService;
pub use web::{Origin, OriginError, Web, WebError};
pub use work::ResponseStream;

/// Why a server cannot start.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The reflection service could not be built.
    #[error("reflection service: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// A gRPC server of one space.
pub struct Server {
    space: Space,
    key: Option<Arc<PreparedVerifyingKey>>,
    limits: Limits,
    live: Live,
    beside: Beside,
}

/// What a server offers besides its space.
#[derive(Default)]
struct Beside {
    proving: Option<ProvingFiles>,
    peers: Option<Peers>,
    web: Web,
}

impl Server {
    /// A server of `space` with the default limits. With a verifying key it also serves the key and
    /// verifies snapshots for clients.
    pub fn new(space: Space, key: Option<Arc<PreparedVerifyingKey>>) -> Server {
        let (live, beside) = (Live::default(), Beside::default());
        Server { space, key, limits: Limits::default(), live, beside }
            .with_limits(Limits::default())
    }

    /// The same server with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Server {
        self.live.set_limits(&limits);
        Server { limits, ..self }
    }

    /// The same server, which also hands these files to other provers.
    #[must_use]
    pub fn with_proving(self, files: ProvingFiles) -> Server {
        let beside = Beside { proving: Some(files), ..self.beside };
        Server { beside, ..self }
    }

    /// The same server, which also tells callers of these peers.
    #[must_use]
    pub fn with_peers(self, peers: Peers) -> Server {
        let beside = Beside { peers: Some(peers), ..self.beside };
        Server { beside, ..self }
    }

    /// The same server, which also answers pages in browsers with this.
    #[must_use]
    pub fn with_web(self, web: Web) -> Server {
        let beside = Beside { web, ..self.beside };
        Server { beside, ..self }
    }

    /// What can be changed while it runs.
    pub fn live(&self) -> Live {
        self.live.clone()
    }

    /// Serves until `shutdown` completes. Then it reports at once that it does not serve, accepts no
    /// connections, and lets running calls end, at most for [`Limits::drain`].
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn run(
        self,
        listener: impl Listener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let Server { space, key, limits, live, beside } = self;
        let (stop, stopped) = watch::channel(false);
        let (reporter, health) = tonic_health::server::health_reporter();
        // Before the first connection.
        health::begin(&reporter).await;
        let web = beside.web.clone();
        let routes = routes(&space, key, &limits, &live, beside)?.add_service(health);
        let reports =
            tokio::spawn(health::report(reporter, space, Work::writes(), stopped.clone()));
        let shutdown = async {
            shutdown.await;
            // At once, before the running calls end.
            stop.send_replace(true);
        };
        serve_live(routes, web, limits, live, listener, shutdown).await;
        reports.abort();
        Ok(())
    }
}

/// Serves other gRPC services within the same limits, until `shutdown` completes.
pub async fn serve_routes(
    routes: Routes,
    limits: Limits,
    listener: impl Listener,
    shutdown: impl Future<Output = ()>,
) {
    let live = Live::default();
    live.set_limits(&limits);
    serve_live(routes, Web::default(), limits, live, listener, shutdown).await;
}

async fn serve_live(
    routes: Routes,
    web: Web,
    limits: Limits,
    live: Live,
    listener: impl Listener,
    shutdown: impl Future<Output = ()>,
) {
    let (stop, stopped) = watch::channel(false);
    let serving = Acceptor::new(routes.prepare(), web, limits, live, stopped).run(listener);
    let stopping = async {
        shutdown.await;
        stop.send_replace(true);
    };
    tokio::join!(serving, stopping);
}

/// All services but that of health.
fn routes(
    space: &Space,
    key: Option<Arc<PreparedVerifyingKey>>,
    limits: &Limits,
    live: &Live,
    beside: Beside,
) -> Result<Routes, ServeError> {
    let replication = ReplicationService::with_limits(space.clone(), key.clone(), limits);
    let replication = replication.with_peers(beside.peers.clone()).with_live(live.clone());
    let replication = ReplicationServiceServer::new(replication)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    let verification =
        VerificationServiceServer::new(VerificationService::new(key.clone()).enabled(limits.check))
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES);
    let query = QueryServiceServer::new(QueryService::new(space.clone()).with_key(key))
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    let proving = ProvingServiceServer::new(ProvingService::new(space.clone(), beside.proving))
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    let peering = PeeringServiceServer::new(PeeringService::new(space.clone(), beside.peers))
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    Ok(Routes::new(replication)
        .add_service(verification)
        .add_service(query)
        .add_service(proving)
        .add_service(peering)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?))
}
