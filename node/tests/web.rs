//! What a node does for browsers: gRPC-Web over HTTP/1.1, origins, and the files of a folder.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::path::Path;

use common::World;
use prost::Message;
use rootfold_node::server::{Server, Web};
use rootfold_proto::v1;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A node with these origins and this folder.
async fn serve(world: &World, origins: &[&str], folder: Option<&Path>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let web = Web::new(origins.iter().map(|origin| origin.parse().unwrap()).collect());
    let web = match folder {
        Some(folder) => web.with_folder(folder).unwrap(),
        None => web,
    };
    let server = Server::new(world.space.clone(), None).with_web(web);
    tokio::spawn(async move { server.run(listener, std::future::pending()).await });
    address
}

/// A response of HTTP/1.1.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
    }
}

async fn http(address: &str, first: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut request = format!("{first} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("content-length: {}\r\n\r\n", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let pair = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_lowercase(), value.to_owned())
    };
    let mut answer =
        Answer { status, headers: lines.map(pair).collect(), body: bytes[end + 4..].to_vec() };
    if answer.header("transfer-encoding") == Some("chunked") {
        answer.body = dechunked(&answer.body);
    }
    answer
}

fn dechunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n").unwrap();
        let text = std::str::from_utf8(&bytes[..end]).unwrap();
        let length = usize::from_str_radix(text, 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&bytes[end + 2..][..length]);
        bytes = &bytes[end + 2 + length + 2..];
    }
}

const GRPC_WEB: (&str, &str) = ("content-type", "application/grpc-web+proto");

/// A call of gRPC-Web: the messages and the trailers, as text.
async fn call(
    address: &str,
    method: &str,
    request: &impl Message,
    headers: &[(&str, &str)],
) -> (Answer, Vec<Vec<u8>>, String) {
    let message = request.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap();
    let body = [&[0][..], &length.to_be_bytes(), &message].concat();
    let headers = [headers, &[GRPC_WEB]].concat();
    let answer = http(address, &format!("POST /rootfold.v1.{method}"), &headers, &body).await;
    let (mut messages, mut trailers, mut rest) = (Vec::new(), String::new(), &answer.body[..]);
    while let [flags, a, b, c, d, after @ ..] = rest {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let (frame, after) = after.split_at(length);
        match flags {
            0 => messages.push(frame.to_vec()),
            _ => trailers = String::from_utf8(frame.to_vec()).unwrap(),
        }
        rest = after;
    }
    (answer, messages, trailers)
}

#[tokio::test]
async fn a_browser_calls_over_http_1() {
    let world = World::with_some_keys();
    let address = serve(&world, &[], None).await;
    let request = v1::InfoRequest { space: world.id() };
    let (answer, messages, trailers) = call(&address, "QueryService/Info", &request, &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/grpc-web+proto"));
    assert!(trailers.contains("grpc-status:0"), "{trailers}");
    let info = v1::InfoResponse::decode(messages[0].as_slice()).unwrap();
    assert_eq!((messages.len(), info.writers), (1, 3));
    // A stream of several messages: the ops of all logs.
    let logs = (0..3).map(|writer| v1::WriterTip { writer, ..Default::default() }).collect();
    let request = v1::LogEntriesRequest { space: world.id(), logs };
    let (_, messages, _) = call(&address, "ReplicationService/LogEntries", &request, &[]).await;
    let ops = |bytes: &Vec<u8>| {
        let message = v1::LogEntriesResponse::decode(bytes.as_slice()).unwrap();
        message.submission.unwrap().batches.iter().map(|batch| batch.ops.len()).sum::<usize>()
    };
    assert_eq!(messages.iter().map(ops).sum::<usize>(), 5);
    // A refusal says why, as over HTTP/2.
    let request = v1::InfoRequest { space: vec![0; 32] };
    let (answer, messages, trailers) = call(&address, "QueryService/Info", &request, &[]).await;
    assert!(messages.is_empty());
    let status = answer.header("grpc-status").map(str::to_owned);
    assert!(status.as_deref() == Some("5") || trailers.contains("grpc-status:5"), "{trailers}");
}

#[tokio::test]
async fn what_is_no_call_is_refused() {
    let world = World::with_some_keys();
    let address = serve(&world, &[], None).await;
    for (first, status) in [("GET /", 400), ("POST /rootfold.v1.QueryService/Info", 400)] {
        assert_eq!(http(&address, first, &[], b"").await.status, status, "{first}");
    }
    // A message that is longer than its frame says, and one that is cut off.
    for body in [&[0u8, 0, 0, 0, 1, 8, 8][..], &[0, 0xff, 0xff, 0xff, 0xff, 1], &[0, 0]] {
        let answer = http(&address, "POST /rootfold.v1.QueryService/Info", &[GRPC_WEB], body).await;
        assert!(answer.header("grpc-status") != Some("0"));
    }
}

#[tokio::test]
async fn pages_of_named_origins_may_call() {
    let world = World::with_some_keys();
    let address = serve(&world, &["https://board.example", "http://localhost:8000"], None).await;
    let preflight = |origin: &'static str| {
        let address = address.clone();
        async move {
            let headers = [("origin", origin), ("access-control-request-method", "POST")];
            http(&address, "OPTIONS /rootfold.v1.QueryService/Info", &headers, b"").await
        }
    };
    let allowed = preflight("https://board.example").await;
    assert_eq!(allowed.status, 204);
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://board.example"));
    assert!(allowed.header("access-control-allow-headers").unwrap().contains("x-grpc-web"));
    assert_eq!(allowed.header("vary"), Some("origin"));
    for origin in ["https://other.example", "http://board.example", "null"] {
        assert_eq!(preflight(origin).await.header("access-control-allow-origin"), None, "{origin}");
    }
    let request = v1::InfoRequest { space: world.id() };
    let from = [("origin", "http://localhost:8000")];
    let (answer, _, _) = call(&address, "QueryService/Info", &request, &from).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://localhost:8000"));
    assert!(answer.header("access-control-expose-headers").unwrap().contains("grpc-status"));
    let any = serve(&world, &["*"], None).await;
    let (answer, _, _) = call(&any, "QueryService/Info", &request, &from).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://localhost:8000"));
}

#[tokio::test]
async fn the_files_of_a_folder_are_served_and_no_others() {
    let outer = tempfile::tempdir().unwrap();
    std::fs::write(outer.path().join("secret.txt"), "secret").unwrap();
    let folder = outer.path().join("web");
    std::fs::create_dir_all(folder.join("board")).unwrap();
    std::fs::write(folder.join("board/index.html"), "<h1>board</h1>").unwrap();
    std::fs::write(folder.join("module.wasm"), vec![7; 100_000]).unwrap();
    std::fs::write(folder.join(".env"), "secret").unwrap();
    let world = World::with_some_keys();
    let address = serve(&world, &[], Some(&folder)).await;
    let page = http(&address, "GET /board/", &[], b"").await;
    assert_eq!((page.status, page.body.as_slice()), (200, &b"<h1>board</h1>"[..]));
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let moved = http(&address, "GET /board", &[], b"").await;
    assert_eq!((moved.status, moved.header("location")), (301, Some("/board/")));
    let module = http(&address, "GET /module.wasm", &[], b"").await;
    assert_eq!((module.status, module.body.len()), (200, 100_000));
    assert_eq!(module.header("content-type"), Some("application/wasm"));
    let known = [("if-none-match", module.header("etag").unwrap())];
    let unchanged = http(&address, "GET /module.wasm", &known, b"").await;
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    let head = http(&address, "HEAD /module.wasm", &[], b"").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some("100000"));
    for path in [
        "/",
        "/none",
        "/.env",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/board/../../secret.txt",
        "//../secret.txt",
        "/board/%2e%2e%2f%2e%2e%2fsecret.txt",
        "/board/index.html/",
    ] {
        let answer = http(&address, &format!("GET {path}"), &[], b"").await;
        let leaked = answer.body.windows(6).any(|six| six == b"secret");
        assert!(!leaked && (400..500).contains(&answer.status), "{path}: {}", answer.status);
    }
    // Calls go on beside the files.
    let request = v1::InfoRequest { space: world.id() };
    let (_, messages, _) = call(&address, "QueryService/Info", &request, &[]).await;
    assert_eq!(messages.len(), 1);
}
