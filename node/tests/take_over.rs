//! Provers that go on with the running proof of another node, or begin again.

#![allow(clippy::unwrap_used)]

mod cli_support;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use cli_support::{Node, Served};

/// A space with some proved ops, its exported running proof, and a replica that began with its snapshot.
fn proved_space() -> (Node, PathBuf, Node) {
    let a = Node::with_space();
    for n in 0..5 {
        a.run(["put", &format!("k{n}"), "1"]).ok();
    }
    let file = a.data.with_file_name("proof");
    a.run(["prove", "--export", file.to_str().unwrap()]).ok();
    let invite = a.json(["status"])["invite"].as_str().unwrap().to_owned();
    a.run(["put", "later", "1"]).ok();
    let served = a.serve();
    let b = Node::new();
    b.run(["bootstrap", "--from", &served.address, "--invite", &invite]).ok();
    assert_eq!(served.stop(), 0);
    (a, file, b)
}

#[test]
fn a_replica_goes_on_with_the_proof_of_another_node() {
    let (a, file, b) = proved_space();
    let file = file.to_str().unwrap();
    // What the snapshot covers is proven, the rest has checked signatures.
    assert_eq!(b.json(["get", "k1"])["vouched_by"], "proven");
    assert_eq!(b.json(["get", "later"])["vouched_by"], "signed");
    b.run(["prove"]).fails(3, "prove --import");
    let done = b.json(["prove", "--import", file]);
    assert_eq!(done["ops"], 1);
    b.run(["publish"]).ok();
    let status = b.json(["status"]);
    assert_eq!((&status["proved"]["ops"], &status["snapshot"]["ops"]), (&6.into(), &6.into()));
    assert_eq!(b.json(["get", "later"])["vouched_by"], "proven");

    // Whoever trusts neither takes its snapshot. The two provers do no harm to each other.
    a.run(["prove"]).ok();
    assert_eq!(a.json(["status"])["proved"]["root"], status["proved"]["root"]);
    let served = b.serve();
    let c = Node::new();
    let invite = status["invite"].as_str().unwrap();
    let began = c.json(["bootstrap", "--from", &served.address, "--invite", invite]);
    assert_eq!((&began["snapshot_ops"], &began["root"]), (&6.into(), &status["root"]));
    // C does not hold the state of the old file.
    c.run(["prove", "--import", file]).fails(3, "does not hold the state of 5 ops");
    c.run(["prove"]).fails(3, "prove --import");
    assert_eq!(c.json(["status"])["root"], status["root"]);
}

#[test]
fn a_false_running_proof_is_refused() {
    let (_a, file, b) = proved_space();
    let name = file.to_str().unwrap();
    let honest = fs::read(&file).unwrap();
    let mut damaged = honest.clone();
    damaged[honest.len() / 2] ^= 1;
    fs::write(&file, &damaged).unwrap();
    b.run(["prove", "--import", name]).fails(3, "damaged");
    // A liar computes the digest anew: other steps, initial state, commitments, error, witnesses.
    let body = honest.len() - 32;
    let mut refused = 0;
    for at in [41, 49, 160, body / 3, body * 2 / 3, body - 40] {
        let mut forged = honest[..body].to_vec();
        forged[at] ^= 1;
        let digest = blake3::hash(&forged);
        forged.extend(digest.as_bytes());
        fs::write(&file, &forged).unwrap();
        let ran = b.run(["prove", "--import", name]);
        // Exit code 3: not the encoding of a running proof.
        assert!([1, 3].contains(&ran.code), "byte {at}: {}", ran.stderr);
        println!("byte {at}: {}", ran.stderr);
        refused += u32::from(ran.code == 1);
        assert!(b.json(["status"])["proved"].is_null(), "byte {at} is accepted");
    }
    assert!(refused >= 4, "most of the forgeries decode");
    fs::write(&file, &honest).unwrap();
    b.run(["prove", "--import", name]).ok();
}

#[test]
fn a_lost_proof_begins_again() {
    let (a, _, b) = proved_space();
    fs::remove_dir_all(a.data.join("running")).unwrap();
    a.run(["prove"]).fails(3, "running");
    let done = a.json(["prove", "--restart"]);
    assert_eq!(done["ops"], 6);
    assert_eq!(a.json(["publish"])["ops"], 6);
    let status = a.json(["status"]);
    assert_eq!(status["proved"]["root"], status["root"]);
    // The replica began with a snapshot, so it lacks what came before.
    b.run(["prove", "--restart"]).fails(3, "lacks the first ops of writer 0");
}

/// The only file below a folder with this extension.
fn only_file(folder: &Path, extension: &str) -> PathBuf {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// A prover with parameters of its own, whose running proof is ahead of its snapshot, and a replica
/// without parameters.
fn prover_ahead() -> (Node, Node, String) {
    let a = Node::without_parameters();
    let b = Node::without_parameters();
    fs::create_dir(&a.params).unwrap();
    let own = Node::new();
    let made = own.json(["params"]);
    let id = made["parameters"].as_str().unwrap();
    for entry in fs::read_dir(&own.params).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.contains(id) || name.ends_with(".list") {
            fs::copy(&path, a.params.join(name)).unwrap();
        }
    }
    a.run(["space", "new"]).ok();
    let key = b.json(["writer", "new", "ben"])["public_key"].as_str().unwrap().to_owned();
    a.run(["grant", &key]).ok();
    for n in 0..5 {
        a.run(["put", &format!("k{n}"), "1"]).ok();
    }
    a.run(["prove"]).ok();
    a.run(["publish"]).ok();
    a.run(["put", "k1", "2"]).ok();
    a.run(["prove"]).ok();
    a.run(["put", "k2", "2"]).ok();
    let invite = a.json(["status"])["invite"].as_str().unwrap().to_owned();
    (a, b, invite)
}

fn bootstrap(b: &Node, a: &Served, invite: &str) {
    b.run(["bootstrap", "--from", &a.address, "--invite", invite]).ok();
}

#[test]
fn parameters_and_the_running_proof_come_over_the_network() {
    let (a, b, invite) = prover_ahead();
    let served = a.serve();
    bootstrap(&b, &served, &invite);
    let from = served.address.as_str();
    b.run(["prove", "--continue-from", from]).fails(3, "params fetch --from");
    b.run(["params", "fetch", "--from", from]).ok();
    let done = b.json(["prove", "--continue-from", from]);
    assert_eq!(done["ops"], 1);
    // A transfer that was cut off goes on.
    let file = only_file(&b.params, "params");
    let whole = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let id = file.file_stem().unwrap().to_str().unwrap().rsplit('-').next().unwrap().to_owned();
    fs::write(b.params.join(format!("{id}.part")), &whole[..whole.len() * 9 / 10]).unwrap();
    let fetched = b.json(["params", "fetch", "--from", from, "--invite", &invite]);
    assert!(fetched["bytes"].as_u64().unwrap() < whole.len() as u64 / 5, "{fetched}");
    assert!(fs::read(&file).unwrap() == whole);
    assert_eq!(served.stop(), 0);

    // From here on the space goes on without its first prover.
    b.run(["put", "--as", "ben", "k3", "3"]).ok();
    b.run(["prove"]).ok();
    b.run(["publish"]).ok();
    let status = b.json(["status"]);
    assert_eq!((&status["ops"], &status["snapshot"]["ops"]), (&9.into(), &9.into()));
    let (served, c) = (b.serve(), Node::new());
    bootstrap(&c, &served, &invite);
    assert_eq!(c.json(["status"])["snapshot"]["root"], status["root"]);
    assert_eq!(c.json(["get", "k3"])["vouched_by"], "proven");
}

#[test]
fn a_node_keeps_the_running_proof_of_its_peers() {
    let (a, b, invite) = prover_ahead();
    let served = a.serve();
    bootstrap(&b, &served, &invite);
    let kept = b.serve_with("", &["--peer", &served.address, "--keep-proof", "1"]);
    let wait_for = |ops: u64| {
        let began = Instant::now();
        loop {
            let proved = b.json(["status"])["proved"].clone();
            if proved["ops"] == ops {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{proved}");
            thread::sleep(Duration::from_millis(200));
        }
    };
    wait_for(7);
    a.run(["prove"]).ok();
    wait_for(8);
    // The prover is gone for good.
    drop((served, a));
    assert_eq!(kept.stop(), 0);
    b.run(["put", "--as", "ben", "k3", "3"]).ok();
    assert_eq!(b.json(["prove"])["ops"], 1);
    assert_eq!(b.json(["publish"])["ops"], 9);
}

#[test]
fn false_files_of_a_peer_are_refused() {
    let (a, b, invite) = prover_ahead();
    let parameters = only_file(&a.params, "params");
    let honest = fs::read(&parameters).unwrap();
    let served = a.serve();
    bootstrap(&b, &served, &invite);
    let from = served.address.clone();
    let fetch = || b.run(["params", "fetch", "--from", &from]);
    let begins_with = |bytes: &[u8]| fs::write(&parameters, bytes).unwrap();
    let mut altered = honest.clone();
    let last = honest.len() - 1;
    altered[last] ^= 1;
    begins_with(&altered);
    fetch().fails(1, &format!("peer {from}: sent a bad file"));
    begins_with(&honest[..last]);
    fetch().fails(1, "bad file");
    altered = honest.clone();
    altered[40] ^= 1;
    begins_with(&altered);
    fetch().fails(1, "bad file");
    begins_with(&honest);
    fetch().ok();

    let running = only_file(&a.data.join("running"), "running");
    let honest = fs::read(&running).unwrap();
    let body = honest.len() - 32;
    let go_on = || b.run(["prove", "--continue-from", &from]);
    for at in [49, body / 3, body * 2 / 3] {
        let mut forged = honest[..body].to_vec();
        forged[at] ^= 1;
        let digest = blake3::hash(&forged);
        forged.extend(digest.as_bytes());
        fs::write(&running, &forged).unwrap();
        let ran = go_on();
        assert_eq!(ran.code, 1, "byte {at}: {}", ran.stderr);
        assert!(b.json(["status"])["proved"].is_null(), "byte {at} is accepted");
    }
    fs::write(&running, &honest[..body]).unwrap();
    go_on().fails(1, "a running proof of these parameters has");
    fs::write(&running, &honest).unwrap();
    go_on().ok();
    assert_eq!(served.stop(), 0);
    let closed = a.serve_with("", &["--no-hand-over"]);
    b.run(["prove", "--continue-from", &closed.address]).fails(3, "hands nothing to other provers");
}
