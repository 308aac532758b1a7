//! The token that a node may demand for ops.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod cli_support;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    thread,
    time::{Duration, Instant},
};

use cli_support::Node;
use rootfold_proto::{
    reason::Reason,
    v1::{self, replication_service_client::ReplicationServiceClient},
};
use tonic::Request;
use tonic_types::StatusExt;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Waits until `reached`.
fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let began = Instant::now();
    while !reached() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A file with a token, beside the data directory.
fn token_file(node: &Node, name: &str, token: &str) -> String {
    let path = node.data.with_file_name(name);
    fs::write(&path, format!("{token}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_peer_hands_ops_over_with_the_token_alone() {
    let a = Node::with_space();
    let (right, wrong) = (token_file(&a, "right", TOKEN), token_file(&a, "wrong", &TOKEN[1..]));
    let served = a.serve_with("", &["--submit-token-file", &right]);
    let invite = a.json(["status"])["invite"].as_str().unwrap().to_owned();
    // Reads and the commands of the node's user need none.
    let b = Node::new();
    let fetch = ["bootstrap", "--from", &served.address, "--invite", &invite];
    b.run(fetch).ok();
    let ben = b.json(["writer", "new", "ben"])["public_key"].as_str().unwrap().to_owned();
    a.run(["grant", &ben]).ok();
    b.run(fetch).ok();
    b.run(["put", "k", "1", "--as", "ben"]).ok();

    let refused = |address: &str, options: &[&str], said: &str| {
        let other = b.serve_with("", &[&["--peer", address], options].concat());
        until(said, || {
            let failure = b.json(["peers"])["peers"][0]["last_failure"].clone();
            failure.as_str().is_some_and(|failure| failure.contains(said))
        });
        a.run(["get", "k"]).fails(5, "no value");
        assert_eq!(other.stop(), 0);
        b.run(["peers", "--remove", address]).ok();
    };
    let wanted = "(Unauthenticated): this node takes ops only with its token";
    refused(&served.address, &[], wanted);
    refused(&served.address, &["--token-file", &wrong], wanted);
    // Not an address of this machine alone, as far as the program knows.
    let outside = served.address.replace("127.0.0.1", "0.0.0.0");
    refused(&outside, &["--token-file", &right], "is not sent in clear: write `https://`");

    let clear = ["--peer", &outside, "--token-file", &right, "--token-in-clear"];
    let other = b.serve_with("", &clear);
    until("the op arrives", || a.run(["get", "k"]).stdout == b"1");
    assert_eq!(other.stop(), 0);
    b.run(["peers", "--remove", &outside]).ok();
    b.run(["put", "k", "2", "--as", "ben"]).ok();
    let by_variable = format!("export ROOTFOLD_TOKEN_FILE='{right}'");
    let other = b.serve_with(&by_variable, &["--peer", &served.address]);
    until("the next op arrives", || a.run(["get", "k"]).stdout == b"2");
    assert_eq!((other.stop(), served.stop()), (0, 0));
}

#[test]
fn callers_learn_the_reason() {
    let node = Node::with_space();
    let served = node.serve_with("", &["--submit-token-file", &token_file(&node, "t", TOKEN)]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let reason = |shown: Option<&str>| {
        runtime.block_on(async {
            let address = format!("http://{}", served.address);
            let mut client = ReplicationServiceClient::connect(address).await.unwrap();
            let mut request = Request::new(v1::SubmitRequest::default());
            if let Some(shown) = shown {
                request.metadata_mut().insert("authorization", shown.parse().unwrap());
            }
            let status = client.submit(request).await.unwrap_err();
            status.get_details_error_info().unwrap().reason
        })
    };
    for shown in [None, Some("Bearer x"), Some(TOKEN), Some(&format!("Basic {TOKEN}"))] {
        assert_eq!(reason(shown), Reason::Unauthenticated.word(), "{shown:?}");
    }
    // The token is right; the request is not.
    assert_eq!(reason(Some(&format!("Bearer {TOKEN}"))), Reason::InvalidRequest.word());
    assert_eq!(served.stop(), 0);
}

#[test]
fn bad_token_files_are_named() {
    let node = Node::with_space();
    let path = token_file(&node, "token", "short");
    for option in ["--submit-token-file", "--token-file"] {
        let serve = |path: &str| node.run(["serve", "--listen", "127.0.0.1:0", option, path]);
        serve(&path).fails(3, "expected one line of 16 to 1024 visible ASCII characters");
        serve("/nowhere/at/all").fails(3, "token file /nowhere/at/all: ");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        serve(&path).fails(3, "token: other users can read this secret (mode 0640): `chmod 600`");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}
