//! Nodes that serve, sync and prove by themselves, with commands beside them.

#![allow(clippy::unwrap_used)]

mod cli_support;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    sync::mpsc::{channel, Receiver},
    thread,
    time::{Duration, Instant},
};

use cli_support::{Node, Served};
use serde_json::Value;

/// Waits until `reached`.
fn until(what: &str, limit: Duration, mut reached: impl FnMut() -> bool) {
    let began = Instant::now();
    while !reached() {
        assert!(began.elapsed() < limit, "not within {limit:?}: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A space whose owner's node serves, and a replica of it.
fn two_nodes(options: &[&str]) -> (Node, Served, Node) {
    let a = Node::with_space();
    let served = a.serve_with("", options);
    let invite = a.json(["status"])["invite"].as_str().unwrap().to_owned();
    let b = Node::new();
    b.run(["bootstrap", "--from", &served.address, "--invite", &invite]).ok();
    (a, served, b)
}

/// Admits a writer whose key is `ben` on node `b`.
fn admit(a: &Node, b: &Node) {
    let public = b.json(["writer", "new", "ben"])["public_key"].as_str().unwrap().to_owned();
    a.run(["grant", &public]).ok();
    until("the grant arrives", Duration::from_secs(20), || {
        b.run(["put", "admitted", "yes", "--as", "ben"]).code == 0
    });
}

/// The lines that a `watch` prints, and its process, which ends when dropped.
struct Watch {
    process: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn of(node: &Node, prefix: &str) -> Watch {
        let mut command = node.command(["watch", "--prefix", prefix]);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let (send, lines) = channel();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|l| send.send(l)));
        Watch { process, lines }
    }

    fn next(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(10)).expect("a change is printed")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn proved_ops(status: &Value) -> u64 {
    status["proved"]["ops"].as_u64().unwrap()
}

#[test]
fn a_put_beside_one_node_is_seen_beside_the_other() {
    let (a, served, b) = two_nodes(&["--prove", "--publish-every", "4"]);
    let other = b.serve_with("", &["--peer", &served.address]);
    admit(&a, &b);
    let watch = Watch::of(&b, "col");
    // The watch has begun once it shows a change.
    let mut tries = 0;
    let first = loop {
        tries += 1;
        a.run(["put", "colour", &format!("red{tries}")]).ok();
        if let Ok(line) = watch.lines.recv_timeout(Duration::from_secs(2)) {
            break line;
        }
        assert!(tries < 10, "nothing is printed");
    };
    assert!(first.starts_with("colour\tred"), "{first}");
    b.run(["put", "unseen", "1", "--as", "ben"]).ok();
    b.run(["put", "collar", "2", "--as", "ben"]).ok();
    until("only the keys with the prefix", Duration::from_secs(10), || {
        let line = watch.next();
        assert!(!line.contains("unseen"), "{line}");
        line == "collar\t2"
    });
    until("the put is on the other node", Duration::from_secs(10), || {
        a.run(["get", "collar"]).stdout == b"2"
    });
    b.run(["del", "collar", "--as", "ben"]).ok();
    until("a deletion is printed", Duration::from_secs(10), || watch.next() == "collar\t(deleted)");

    // The prover keeps up, and publishes.
    until("all is proved and published", Duration::from_secs(60), || {
        let status = a.json(["status"]);
        status["proved"]["lag_ops"] == 0 && status["snapshot"]["lag_ops"].as_u64() < Some(4)
    });
    let peers = b.json(["status"])["peers"].clone();
    assert_eq!(peers[0]["reachable"], true, "{peers}");
    assert_eq!((&peers[0]["ops_missing_here"], &peers[0]["faults"]), (&0.into(), &0.into()));

    // A watch ends when the node ends.
    assert_eq!(other.stop(), 0);
    let mut watch = watch;
    assert!(watch.process.wait().unwrap().code().is_some());
    b.run(["watch"]).fails(3, "no node serves");
}

#[test]
fn killed_nodes_come_back_to_equal_roots() {
    let (a, served, b) = two_nodes(&["--prove"]);
    let other = b.serve_with("", &["--peer", &served.address]);
    admit(&a, &b);
    for n in 0..8 {
        a.run(["put", &format!("a{n}"), "1"]).ok();
        b.run(["put", &format!("b{n}"), "1", "--as", "ben"]).ok();
    }
    until("some ops are proved", Duration::from_secs(60), || proved_ops(&a.json(["status"])) > 0);
    let sealed = proved_ops(&a.json(["status"]));
    let address = served.address.clone();
    // kill -9.
    drop((served, other));
    assert!(proved_ops(&a.json(["status"])) >= sealed);

    // The second node remembers its peer.
    let served = a.serve_with("", &["--prove", "--listen", &address]);
    let other = b.serve();
    until("equal roots", Duration::from_secs(20), || {
        let (a, b) = (a.json(["status"]), b.json(["status"]));
        a["root"] == b["root"] && a["ops"] == 18
    });
    until("all is proved", Duration::from_secs(60), || {
        a.json(["status"])["proved"]["lag_ops"] == 0
    });
    assert_eq!(served.stop(), 0);
    assert_eq!(other.stop(), 0);
}

#[test]
fn peers_are_added_and_removed_beside_a_node() {
    let (a, served, b) = two_nodes(&[]);
    let other = b.serve();
    assert_eq!(b.json(["peers"])["peers"], Value::Array(Vec::new()));
    a.run(["put", "k", "1"]).ok();
    let added = b.json(["peers", "--add", &served.address]);
    assert_eq!(added["peers"][0]["address"], *served.address);
    until("the op arrives", Duration::from_secs(10), || b.run(["get", "k"]).stdout == b"1");
    until("the peer has answered", Duration::from_secs(10), || {
        b.json(["peers"])["peers"][0]["reachable"] == true
    });
    drop(served);
    until("the peer is missed", Duration::from_secs(20), || {
        b.json(["peers"])["peers"][0]["reachable"] == false
    });
    assert!(b.run(["peers"]).ok().contains("unreachable"));
    let address = added["peers"][0]["address"].as_str().unwrap();
    b.run(["peers", "--remove", address]).ok();
    b.run(["peers", "--remove", address]).fails(5, "not among the peers");
    assert_eq!(other.stop(), 0);
    assert_eq!(b.json(["peers"])["peers"], Value::Array(Vec::new()));
    // Without a node the directory remembers.
    b.run(["peers", "--add", "localhost"]).ok();
    assert_eq!(b.json(["peers"])["peers"][0]["address"], "localhost:7340");
}

#[test]
fn a_backup_beside_a_node_is_whole_and_warns_before_it_signs() {
    let a = Node::with_space();
    let served = a.serve();
    for n in 0..5 {
        a.run(["put", &format!("k{n}"), "1"]).ok();
    }
    a.run(["prove"]).ok();
    a.run(["publish"]).ok();
    let copy = Node::new();
    let to = copy.data.to_str().unwrap();
    let made = a.json(["backup", to]);
    assert!(made["records"].as_u64() > Some(10), "{made}");
    a.run(["backup", to]).fails(3, "exists");
    a.run(["backup", "/nowhere/at/all"]).fails(3, "/nowhere/at/all");
    let state = |node: &Node| {
        let status = node.json(["status"]);
        (status["root"].clone(), status["proved"].clone(), status["snapshot"]["root"].clone())
    };
    assert_eq!(state(&copy), state(&a));
    assert_eq!(served.stop(), 0);

    // It proves, and it signs with a warning.
    let put = copy.run(["put", "after", "1"]);
    assert!(put.code == 0 && put.stderr.contains("restored from a backup"), "{}", put.stderr);
    assert_eq!(copy.json(["prove"])["ops"], 1);
}
