//! Servers on loopback: honest ones, and one with configurable lies.

use std::{net::SocketAddr, sync::Arc};

use rootfold_node::client::Peer;
use rootfold_node::server::{ReplicationService, ResponseStream, Server};
use rootfold_node::space::Space;
use rootfold_proto::{
    limits::MAX_MESSAGE_BYTES,
    v1::{
        self,
        replication_service_server::{ReplicationService as Replication, ReplicationServiceServer},
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

/// A client of a server.
pub async fn connect(server: &Running) -> Peer {
    Peer::connect(&server.address).await.unwrap()
}

/// A name of a lie, and the change of an honest message.
pub type Lie<T> = (&'static str, fn(&mut T));

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

/// Changes of the responses of an honest server.
#[derive(Default)]
pub struct Lies {
    pub snapshot: Option<v1::Snapshot>,
    pub key: Change<v1::VerifyingKeyResponse>,
    pub genesis: Change<v1::GenesisResponse>,
    pub pages: Change<v1::PagesResponse>,
    pub values: Change<v1::ValuesResponse>,
    pub log: Change<v1::LogEntriesResponse>,
    pub frontier: Change<v1::FrontierResponse>,
    /// Follows every stream of pages, without end.
    pub endless_pages: Option<v1::PagesResponse>,
    /// Follows every stream of ops, without end.
    pub endless_log: Option<v1::LogEntriesResponse>,
}

/// A server that changes the responses of an honest one.
pub struct Liar {
    honest: ReplicationService,
    lies: Lies,
}

/// The service of a server that lies.
pub fn lying_service(
    space: &Space,
    key: Option<Arc<PreparedVerifyingKey>>,
    lies: Lies,
) -> ReplicationServiceServer<Liar> {
    let liar = Liar { honest: ReplicationService::new(space.clone(), key), lies };
    ReplicationServiceServer::new(liar)
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
    response: Response<ResponseStream<T>>,
    change: Change<T>,
) -> Response<ResponseStream<T>> {
    let Some(change) = change else { return response };
    let changed = response.into_inner().map(move |message| {
        message.map(|mut message| {
            change(&mut message);
            message
        })
    });
    Response::new(Box::pin(changed))
}

/// The stream, followed by the same message without end.
fn endless<T: Clone + Send + 'static>(
    response: Response<ResponseStream<T>>,
    message: &Option<T>,
) -> Response<ResponseStream<T>> {
    let Some(message) = message.clone() else { return response };
    let again = tokio_stream::iter(std::iter::repeat_with(move || Ok(message.clone())));
    Response::new(Box::pin(response.into_inner().chain(again)))
}

#[tonic::async_trait]
impl Replication for Liar {
    type PagesStream = ResponseStream<v1::PagesResponse>;
    type ValuesStream = ResponseStream<v1::ValuesResponse>;
    type LogEntriesStream = ResponseStream<v1::LogEntriesResponse>;

    async fn genesis(
        &self,
        request: Request<v1::GenesisRequest>,
    ) -> Result<Response<v1::GenesisResponse>, Status> {
        let mut response = self.honest.genesis(request).await?;
        if let Some(change) = self.lies.genesis {
            change(response.get_mut());
        }
        Ok(response)
    }

    async fn verifying_key(
        &self,
        request: Request<v1::VerifyingKeyRequest>,
    ) -> Result<Response<v1::VerifyingKeyResponse>, Status> {
        let mut response = self.honest.verifying_key(request).await?;
        if let Some(change) = self.lies.key {
            change(response.get_mut());
        }
        Ok(response)
    }

    async fn latest_snapshot(
        &self,
        request: Request<v1::LatestSnapshotRequest>,
    ) -> Result<Response<v1::LatestSnapshotResponse>, Status> {
        match self.lies.snapshot.clone() {
            Some(snapshot) => {
                Ok(Response::new(v1::LatestSnapshotResponse { snapshot: Some(snapshot) }))
            }
            None => self.honest.latest_snapshot(request).await,
        }
    }

    async fn pages(
        &self,
        request: Request<v1::PagesRequest>,
    ) -> Result<Response<Self::PagesStream>, Status> {
        let response = changed(self.honest.pages(request).await?, self.lies.pages);
        Ok(endless(response, &self.lies.endless_pages))
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
    ) -> Result<Response<v1::FrontierResponse>, Status> {
        let mut response = self.honest.frontier(request).await?;
        if let Some(change) = self.lies.frontier {
            change(response.get_mut());
        }
        Ok(response)
    }

    async fn fork(
        &self,
        request: Request<v1::ForkRequest>,
    ) -> Result<Response<v1::ForkResponse>, Status> {
        self.honest.fork(request).await
    }

    async fn log_entries(
        &self,
        request: Request<v1::LogEntriesRequest>,
    ) -> Result<Response<Self::LogEntriesStream>, Status> {
        let response = changed(self.honest.log_entries(request).await?, self.lies.log);
        Ok(endless(response, &self.lies.endless_log))
    }

    async fn submit(
        &self,
        request: Request<v1::SubmitRequest>,
    ) -> Result<Response<v1::SubmitResponse>, Status> {
        self.honest.submit(request).await
    }
}
