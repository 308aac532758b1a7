//! Tools of attackers: raw HTTP/2, and a node worth attacking.

use std::time::Duration;

use bytes::Bytes;
use h2::{client::SendRequest, RecvStream, SendStream};
use http::Request;
use prost::Message;
use rootfold_core::F;
use rootfold_node::{data_dir::DataDir, space::Write};
use tokio::net::TcpStream;
use tonic::transport::Channel;
use tonic_health::pb::health_client::HealthClient;

use crate::{
    cli_support::Node,
    common::{genesis, key},
};

/// A node with `values` values of 60,000 bytes each.
pub fn rich_node(values: u32) -> (Node, F) {
    let node = Node::new();
    let (genesis, secrets) = genesis(31, 2);
    let space = DataDir::new(&node.data).create(&genesis).unwrap();
    for index in 0..values {
        let value = vec![index as u8; 60_000];
        let write = Write::new(key(&format!("key {index:05}")), Some(value));
        space.write(1, &secrets[1], vec![write]).unwrap();
    }
    let id = space.id();
    (node, id)
}

/// A connection whose window for responses is `window` bytes.
pub async fn connect(address: &str, window: u32) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.unwrap();
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(window);
    let (sender, connection) = builder.handshake(stream).await.unwrap();
    tokio::spawn(async move {
        let _ = connection.await;
    });
    sender.ready().await.unwrap()
}

/// Begins a call and sends its headers.
pub fn call(
    sender: &mut SendRequest<Bytes>,
    path: &str,
) -> (h2::client::ResponseFuture, SendStream<Bytes>) {
    let request = Request::post(format!("http://node{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .unwrap();
    sender.send_request(request, false).unwrap()
}

/// The frame of a gRPC message.
pub fn frame(message: &impl Message) -> Bytes {
    let body = message.encode_to_vec();
    let mut out = vec![0];
    out.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    out.extend(body);
    out.into()
}

/// Waits for the end of a call without ever making room for its response. Returns whether it was reset or
/// refused, rather than still open after `limit`.
pub async fn ends_within(response: h2::client::ResponseFuture, limit: Duration) -> bool {
    let ended = async {
        let Ok(response) = response.await else { return };
        let mut body: RecvStream = response.into_body();
        while let Some(Ok(_)) = body.data().await {}
    };
    tokio::time::timeout(limit, ended).await.is_ok()
}

/// A client of the health service.
pub async fn health(address: &str) -> HealthClient<Channel> {
    let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
    HealthClient::new(endpoint.connect().await.unwrap())
}
