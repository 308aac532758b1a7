//! The gRPC services of a node: replication, verification, query, health and reflection.

mod log_messages;
mod query;
mod refusal;
mod replication;
mod verification;
mod work;

use std::{future::Future, sync::Arc, time::Duration};

use rootfold_proto::{
    limits::MAX_MESSAGE_BYTES,
    v1::{
        query_server::QueryServer, replication_server::ReplicationServer,
        verification_server::VerificationServer, FILE_DESCRIPTOR_SET,
    },
};
use rootfold_verifier::PreparedVerifyingKey;
use thiserror::Error;
use tokio::net::TcpListener;
use tonic::transport::{self, server::TcpIncoming};

use crate::space::Space;

pub use query::QueryService;
pub use replication::ReplicationService;
pub use verification::VerificationService;
pub use work::ReplyStream;

/// The time limit of a unary call.
const CALL_LIMIT: Duration = Duration::from_secs(60);
/// The number of concurrent calls of one connection.
const CALLS_PER_CONNECTION: usize = 32;

/// Why a server stopped.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The transport failed.
    #[error("serving: {0}")]
    Transport(#[from] transport::Error),
    /// The reflection service could not be built.
    #[error("reflection service: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// A gRPC server of one space.
pub struct Server {
    space: Space,
    key: Option<Arc<PreparedVerifyingKey>>,
}

impl Server {
    /// A server of `space`. With a verifying key it also serves the key and verifies snapshots for
    /// clients.
    pub fn new(space: Space, key: Option<Arc<PreparedVerifyingKey>>) -> Server {
        Server { space, key }
    }

    /// Serves until `shutdown` completes, then finishes the calls in progress.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn run(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let Server { space, key } = self;
        let replication =
            ReplicationServer::new(ReplicationService::new(space.clone(), key.clone()))
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES);
        let verification = VerificationServer::new(VerificationService::new(key))
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES);
        let query = QueryServer::new(QueryService::new(space))
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES);
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_serving::<ReplicationServer<ReplicationService>>().await;
        reporter.set_serving::<VerificationServer<VerificationService>>().await;
        reporter.set_serving::<QueryServer<QueryService>>().await;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()?;
        // Replies are small; Nagle's algorithm would delay them.
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        transport::Server::builder()
            .timeout(CALL_LIMIT)
            .concurrency_limit_per_connection(CALLS_PER_CONNECTION)
            .max_concurrent_streams(Some(2 * CALLS_PER_CONNECTION as u32))
            .http2_keepalive_interval(Some(Duration::from_secs(30)))
            .add_service(replication)
            .add_service(verification)
            .add_service(query)
            .add_service(health)
            .add_service(reflection)
            .serve_with_incoming_shutdown(incoming, shutdown)
            .await?;
        Ok(())
    }
}
