//! What scripts, shells and operators ask of the program.

#![allow(clippy::unwrap_used)]

mod cli_support;

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use cli_support::Node;
use rootfold_node::server::{serve_routes, Limits};
use tonic::service::Routes;

#[test]
fn health_for_scripts() {
    let node = Node::with_space();
    let served = node.serve();
    let healthy = node.json(["health", "--from", &served.address]);
    let services = healthy["services"].as_array().unwrap();
    assert_eq!(services.len(), 6);
    assert!(services.iter().all(|service| service["status"] == "SERVING"), "{healthy}");
    let one =
        node.run(["health", "--from", &served.address, "--service", "rootfold.v1.QueryService"]);
    assert_eq!(one.ok(), "rootfold.v1.QueryService  SERVING\n");
    node.run(["health", "--from", &served.address, "--service", "other"]).fails(3, "NotFound");
    let address = served.address.clone();
    assert_eq!(served.stop(), 0);
    node.run(["health", "--from", &address]).fails(3, &address);
}

/// The socket of a node that was killed is replaced, and disturbs no command before.
#[cfg(unix)]
#[test]
fn a_socket_of_a_killed_node() {
    let node = Node::with_space();
    let socket = node.data.join("control.sock");
    drop(node.serve());
    assert!(socket.exists(), "a killed node removes nothing");
    node.run(["put", "k", "v"]).ok();
    let served = node.serve();
    assert_eq!(node.run(["get", "k"]).ok(), "v");
    assert_eq!(served.stop(), 0);
    assert!(!socket.exists());
}

#[test]
fn a_peer_of_another_space() {
    let (a, b) = (Node::with_space(), Node::with_space());
    let served = a.serve();
    let invite = b.json(["status"])["invite"].as_str().unwrap().to_owned();
    let space = b.json(["status"])["space"].as_str().unwrap().to_owned();
    let said = format!("peer {}: refused the request", served.address);
    let said = format!("{said} (NotFound): this node does not serve space {space}");
    for command in ["bootstrap", "replay"] {
        Node::new().run([command, "--from", &served.address, "--invite", &invite]).fails(3, &said);
    }
}

#[test]
fn a_peer_of_another_version() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (_, health) = tonic_health::server::health_reporter();
    let none =
        serve_routes(Routes::new(health), Limits::default(), listener, std::future::pending());
    runtime.spawn(none);
    let node = Node::with_space();
    let invite = node.json(["status"])["invite"].as_str().unwrap().to_owned();
    let said = format!("peer {address}: does not know a call of the API rootfold.v1");
    Node::new().run(["bootstrap", "--from", &address, "--invite", &invite]).fails(3, &said);
}

#[test]
fn completions_and_manual_pages() {
    let node = Node::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = node.run(["completions", shell]).ok();
        assert!(script.contains("rootfold") && script.contains("import-git"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    node.run(["man", folder.path().to_str().unwrap()]).ok();
    let page = std::fs::read_to_string(folder.path().join("rootfold-serve.1")).unwrap();
    assert!(page.contains("max\\-connections"), "{page}");
    node.run(["man", "/nowhere/at/all"]).fails(3, "/nowhere/at/all");
}

#[test]
fn options_of_serve_have_variables() {
    let node = Node::with_space();
    let mut serve = node.command(["serve", "--json"]);
    serve.env("ROOTFOLD_LISTEN", "localhost:notaport");
    let ran = serve.output().unwrap();
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("notaport"), "{ran:?}");
    // A flag wins, and a list has commas.
    let served = node.serve_with("export ROOTFOLD_LISTEN=nonsense: ROOTFOLD_PEER=a:1,b:2", &[]);
    let peers = node.json(["peers"]);
    assert_eq!(peers["peers"][0]["address"], "a:1");
    assert_eq!(peers["peers"][1]["address"], "b:2");
    assert_eq!(served.stop(), 0);
    let other = Node::new();
    let mut status = other.command(["help"]);
    status.env("ROOTFOLD_PROVE", "maybe");
    assert!(status.output().unwrap().status.success(), "other commands do not read it");
}

/// The names of the metrics. Whoever changes one breaks the dashboards of others.
const METRICS: &str = include_str!("golden/metrics.txt");

/// The status line and the body of an answer.
fn http(address: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[test]
fn metrics_have_stable_names() {
    let node = Node::with_space();
    // An occupied address is an error.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    node.run(["serve", "--listen", "127.0.0.1:0", "--metrics", &address]).fails(3, "for metrics");
    drop(taken);
    let served = node.serve_with("", &["--metrics", &address, "--peer", "127.0.0.1:1"]);
    for n in 0..3 {
        node.run(["put", &format!("k{n}"), "v"]).ok();
    }
    let get = |path: &str| http(&address, &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
    let (status, body) = get("/metrics");
    assert_eq!(status, "HTTP/1.1 200 OK");
    let samples = body.lines().filter(|line| !line.starts_with('#'));
    let mut names: Vec<&str> = samples.map(|line| line.split(['{', ' ']).next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, METRICS.lines().collect::<Vec<_>>(), "{body}");
    for line in ["rootfold_ops 3", "rootfold_peers 1", "rootfold_reachable_peers 0", "# EOF"] {
        assert!(body.lines().any(|held| held == line), "{line} is not in {body}");
    }
    let operating = include_str!("../../docs/operating.md");
    for name in &names {
        assert!(operating.contains(&format!("| `{name}` |")), "{name} is not in operating.md");
    }
    assert_eq!(get("/other").0, "HTTP/1.1 404 Not Found");
    assert!(http(&address, "nonsense\r\n\r\n").0.contains("400"));
    assert_eq!(served.stop(), 0);
}
