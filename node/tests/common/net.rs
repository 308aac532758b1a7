//! Servers on loopback: honest ones, and one with configurable lies.

use std::{net::SocketAddr, sync::Arc};

use rootfold_node::server::{ReplicationService, ReplyStream, Server};
use rootfold_node::space::Space;
use rootfold_proto::{
    limits::MAX_MESSAGE_BYTES,
    v1::{
        self,
        replication_server::{Replication, ReplicationServer},
    },
};
use rootfold_verifier::PreparedVerifyingKey;
use tokio::{net::TcpListener, sync::oneshot};
use tokio_stream::{wrappers::TcpListenerStream, StreamExt};
use tonic::{body::Body, codegen::http, server::NamedService, Request, Response, Status};
use tower::Service;

/// A server that stops on drop.
pub struct Running {
    pub address: String,
    _stop: oneshot::Sender<()>,
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// An honest server.
pub async fn serve(space: &Space, key: Option<Arc<PreparedVerifyingKey>>) -> Running {
    let (listener, address) = listener().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::new(space.clone(), key);
    tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        server.run(listener, stopped).await.unwrap();
    });
    Running { address: address.to_string(), _stop: stop }
}

type Change<T> = Option<fn(&mut T)>;

/// Changes of the replies of an honest server.
#[derive(Default)]
pub struct Lies {
    pub snapshot: Option<v1::Snapshot>,
    pub key: Change<v1::VerifyingKeyReply>,
    pub genesis: Change<v1::GenesisReply>,
    pub pages: Change<v1::PagesReply>,
    pub values: Change<v1::ValuesReply>,
    pub log: Change<v1::LogEntriesReply>,
    pub frontier: Change<v1::FrontierReply>,
    /// Follows every stream of pages, without end.
    pub endless_pages: Option<v1::PagesReply>,
    /// Follows every stream of ops, without end.
    pub endless_log: Option<v1::LogEntriesReply>,
}

/// A server that changes the replies of an honest one.
pub struct Liar {
    honest: ReplicationService,
    lies: Lies,
}

/// The service of a server that lies.
pub fn lying_service(
    space: &Space,
    key: Option<Arc<PreparedVerifyingKey>>,
    lies: Lies,
) -> ReplicationServer<Liar> {
    let liar = Liar { honest: ReplicationService::new(space.clone(), key), lies };
    ReplicationServer::new(liar)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(usize::MAX)
}

/// A server that lies.
pub async fn serve_lies(
    space: &Space,
    key: Option<Arc<PreparedVerifyingKey>>,
    lies: Lies,
) -> Running {
    serve_service(lying_service(space, key, lies)).await
}

/// A peer that accepts connections and never says anything.
pub async fn serve_silence() -> Running {
    let (listener, address) = listener().await;
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let mut held = Vec::new();
        let accept = async {
            while let Ok((stream, _)) = listener.accept().await {
                held.push(stream);
            }
        };
        tokio::select! {
            () = accept => {}
            _ = stopped => {}
        }
    });
    Running { address: address.to_string(), _stop: stop }
}

/// A server of one service.
pub async fn serve_service<S>(service: S) -> Running
where
    S: Service<
            http::Request<Body>,
            Response = http::Response<Body>,
            Error = std::convert::Infallible,
        > + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let (listener, address) = listener().await;
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        tonic::transport::Server::builder()
            .add_service(service)
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), stopped)
            .await
            .unwrap();
    });
    Running { address: address.to_string(), _stop: stop }
}

fn changed<T: Send + 'static>(
    reply: Response<ReplyStream<T>>,
    change: Change<T>,
) -> Response<ReplyStream<T>> {
    let Some(change) = change else { return reply };
    let changed = reply.into_inner().map(move |message| {
        message.map(|mut message| {
            change(&mut message);
            message
        })
    });
    Response::new(Box::pin(changed))
}

/// The stream, followed by the same message without end.
fn endless<T: Clone + Send + 'static>(
    reply: Response<ReplyStream<T>>,
    message: &Option<T>,
) -> Response<ReplyStream<T>> {
    let Some(message) = message.clone() else { return reply };
    let again = tokio_stream::iter(std::iter::repeat_with(move || Ok(message.clone())));
    Response::new(Box::pin(reply.into_inner().chain(again)))
}

#[tonic::async_trait]
impl Replication for Liar {
    type PagesStream = ReplyStream<v1::PagesReply>;
    type ValuesStream = ReplyStream<v1::ValuesReply>;
    type LogEntriesStream = ReplyStream<v1::LogEntriesReply>;

    async fn genesis(
        &self,
        request: Request<v1::GenesisRequest>,
    ) -> Result<Response<v1::GenesisReply>, Status> {
        let mut reply = self.honest.genesis(request).await?;
        if let Some(change) = self.lies.genesis {
            change(reply.get_mut());
        }
        Ok(reply)
    }

    async fn verifying_key(
        &self,
        request: Request<v1::VerifyingKeyRequest>,
    ) -> Result<Response<v1::VerifyingKeyReply>, Status> {
        let mut reply = self.honest.verifying_key(request).await?;
        if let Some(change) = self.lies.key {
            change(reply.get_mut());
        }
        Ok(reply)
    }

    async fn latest_snapshot(
        &self,
        request: Request<v1::LatestSnapshotRequest>,
    ) -> Result<Response<v1::LatestSnapshotReply>, Status> {
        match self.lies.snapshot.clone() {
            Some(snapshot) => {
                Ok(Response::new(v1::LatestSnapshotReply { snapshot: Some(snapshot) }))
            }
            None => self.honest.latest_snapshot(request).await,
        }
    }

    async fn pages(
        &self,
        request: Request<v1::PagesRequest>,
    ) -> Result<Response<Self::PagesStream>, Status> {
        let reply = changed(self.honest.pages(request).await?, self.lies.pages);
        Ok(endless(reply, &self.lies.endless_pages))
    }

    async fn values(
        &self,
        request: Request<v1::ValuesRequest>,
    ) -> Result<Response<Self::ValuesStream>, Status> {
        Ok(changed(self.honest.values(request).await?, self.lies.values))
    }

    async fn frontier(
        &self,
        request: Request<v1::FrontierRequest>,
    ) -> Result<Response<v1::FrontierReply>, Status> {
        let mut reply = self.honest.frontier(request).await?;
        if let Some(change) = self.lies.frontier {
            change(reply.get_mut());
        }
        Ok(reply)
    }

    async fn fork(
        &self,
        request: Request<v1::ForkRequest>,
    ) -> Result<Response<v1::ForkReply>, Status> {
        self.honest.fork(request).await
    }

    async fn log_entries(
        &self,
        request: Request<v1::LogEntriesRequest>,
    ) -> Result<Response<Self::LogEntriesStream>, Status> {
        let reply = changed(self.honest.log_entries(request).await?, self.lies.log);
        Ok(endless(reply, &self.lies.endless_log))
    }

    async fn submit(
        &self,
        request: Request<v1::SubmitRequest>,
    ) -> Result<Response<v1::SubmitReply>, Status> {
        self.honest.submit(request).await
    }
}
