//! Nodes that find each other.

#![allow(clippy::unwrap_used)]

mod cli_support;

use std::{
    fs,
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use cli_support::{Node, Served};
use serde_json::Value;

/// A node that serves at a free port of its own choice and tells others of it.
fn serve_advertised(node: &Node, peer: Option<&str>) -> Served {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut options = vec!["--listen", free.as_str(), "--advertise", free.as_str()];
    options.extend(peer.iter().flat_map(|peer| ["--peer", peer]));
    node.serve_with("", &options)
}

/// Waits until a node has a reachable peer at this address that others have named.
fn wait_until_found(node: &Node, address: &str) {
    let began = Instant::now();
    loop {
        let peers = node.json(["peers"])["peers"].clone();
        let found = |peer: &Value| {
            peer["address"] == address && peer["found"] == true && peer["reachable"] == true
        };
        if peers.as_array().unwrap().iter().any(found) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{address} is not found: {peers}");
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn nodes_find_each_other_and_do_without_the_first() {
    let (a, b, c) = (Node::with_space(), Node::new(), Node::new());
    let served_a = serve_advertised(&a, None);
    let invite =
        a.json(["invite", "--at", &served_a.address])["invite"].as_str().unwrap().to_owned();
    for node in [&b, &c] {
        node.run(["bootstrap", "--invite", &invite]).ok();
    }
    // The address in the invite is remembered.
    let served_b = serve_advertised(&b, None);
    assert_eq!(b.json(["peers"])["peers"][0]["address"], served_a.address.as_str());
    wait_until_found(&a, &served_b.address);
    let served_c = serve_advertised(&c, None);
    wait_until_found(&c, &served_b.address);
    wait_until_found(&b, &served_c.address);

    // What is found stays, without the node that named it, and after a restart.
    let public = b.json(["writer", "new", "ben"])["public_key"].as_str().unwrap().to_owned();
    a.run(["grant", &public]).ok();
    let began = Instant::now();
    while b.run(["put", "k", "1", "--as", "ben"]).code != 0 {
        assert!(began.elapsed() < Duration::from_secs(30), "the grant does not arrive");
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(served_a.stop(), 0);
    assert_eq!(served_c.stop(), 0);
    fs::remove_file(c.data.join("peers")).unwrap();
    b.run(["put", "k", "2", "--as", "ben"]).ok();
    let _served_c = serve_advertised(&c, None);
    let began = Instant::now();
    while c.run(["get", "k"]).code != 0 || c.json(["get", "k"])["value"] != "2" {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", c.json(["peers"]));
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_node_that_does_not_look_is_left_alone() {
    let (a, b) = (Node::with_space(), Node::new());
    let served_a = a.serve_with("", &["--no-discovery"]);
    let invite =
        a.json(["invite", "--at", &served_a.address])["invite"].as_str().unwrap().to_owned();
    b.run(["bootstrap", "--invite", &invite]).ok();
    let served_b = serve_advertised(&b, None);
    let began = Instant::now();
    while b.json(["peers"])["peers"][0]["reachable"] != true {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", b.json(["peers"]));
        thread::sleep(Duration::from_millis(100));
    }
    // Two rounds of discovery.
    thread::sleep(Duration::from_secs(5));
    assert_eq!(a.json(["peers"])["peers"].as_array().unwrap().len(), 0);
    assert_eq!(served_b.stop(), 0);
}

#[test]
fn invites_with_addresses_that_do_not_fit() {
    let a = Node::with_space();
    let plain = a.json(["invite"])["invite"].as_str().unwrap().to_owned();
    let b = Node::new();
    b.run(["bootstrap", "--invite", &plain]).fails(2, "no peer: give --from");
    for list in ["@", "@a,,b", "@https://", "@a b"] {
        let ran = b.run(["bootstrap", "--invite", &format!("{plain}{list}")]);
        assert_eq!(ran.code, 2, "{list}: {}", ran.stderr);
    }
    b.run(["bootstrap", "--invite", &format!("{plain}@127.0.0.1:1")]).fails(3, "127.0.0.1:1");
    assert!(!b.data.join("peers").exists(), "nothing is remembered of a bootstrap that failed");
    let nine = (0..9).flat_map(|n| ["--at".to_owned(), format!("host{n}")]);
    let args: Vec<String> = ["invite".to_owned()].into_iter().chain(nine).collect();
    a.run(&args).fails(2, "at most 8 addresses");
}

#[test]
fn a_node_without_the_history_names_one_that_has_it() {
    let (a, b) = (Node::with_space(), Node::new());
    let first = a.serve();
    let invite = a.json(["invite", "--at", &first.address])["invite"].as_str().unwrap().to_owned();
    // Begins at genesis, so it gets all ops.
    b.run(["bootstrap", "--invite", &invite]).ok();
    assert_eq!(first.stop(), 0);
    let served_b = b.serve_with("", &["--no-discovery"]);
    let options = ["--history", "snapshot", "--prove", "--publish-every", "1"];
    let options = [&options[..], &["--peer", &served_b.address]].concat();
    let served_a = a.serve_with("", &options);
    let began = Instant::now();
    for n in 0.. {
        a.run(["put", &format!("k{}", n % 3), &n.to_string()]).ok();
        if a.json(["status"])["full_history"] == false {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{}", a.json(["status"]));
        thread::sleep(Duration::from_millis(300));
    }
    let began = Instant::now();
    while a.json(["peers"])["peers"][0]["full_history"] != true
        || a.json(["status"])["root"] != b.json(["status"])["root"]
    {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", a.json(["peers"]));
        thread::sleep(Duration::from_millis(100));
    }
    let replay =
        |from: &Served| Node::new().run(["replay", "--from", &from.address, "--invite", &invite]);
    replay(&served_a).fails(3, &format!("these nodes do: {}", served_b.address));
    let root = a.json(["status"])["root"].as_str().unwrap().to_owned();
    assert!(replay(&served_b).ok().contains(&root));
    // A replica needs only the snapshot and what comes after it.
    let c = Node::new();
    c.run(["bootstrap", "--from", &served_a.address, "--invite", &invite]).ok();
    assert_eq!(c.json(["status"])["root"], root.as_str());
}
