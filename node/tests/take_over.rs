//! Provers that go on with the running proof of another node, or begin again.

#![allow(clippy::unwrap_used)]

mod cli_support;

use cli_support::Node;

/// A space with some proved ops, its exported running proof, and a replica that began with its snapshot.
fn proved_space() -> (Node, std::path::PathBuf, Node) {
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
    let honest = std::fs::read(&file).unwrap();
    let mut damaged = honest.clone();
    damaged[honest.len() / 2] ^= 1;
    std::fs::write(&file, &damaged).unwrap();
    b.run(["prove", "--import", name]).fails(3, "damaged");
    // A liar computes the digest anew: other steps, initial state, commitments, error, witnesses.
    let body = honest.len() - 32;
    let mut refused = 0;
    for at in [41, 49, 160, body / 3, body * 2 / 3, body - 40] {
        let mut forged = honest[..body].to_vec();
        forged[at] ^= 1;
        let digest = blake3::hash(&forged);
        forged.extend(digest.as_bytes());
        std::fs::write(&file, &forged).unwrap();
        let ran = b.run(["prove", "--import", name]);
        // Exit code 3: not the encoding of a running proof.
        assert!([1, 3].contains(&ran.code), "byte {at}: {}", ran.stderr);
        println!("byte {at}: {}", ran.stderr);
        refused += u32::from(ran.code == 1);
        assert!(b.json(["status"])["proved"].is_null(), "byte {at} is accepted");
    }
    assert!(refused >= 4, "most of the forgeries decode");
    std::fs::write(&file, &honest).unwrap();
    b.run(["prove", "--import", name]).ok();
}

#[test]
fn a_lost_proof_begins_again() {
    let (a, _, b) = proved_space();
    std::fs::remove_dir_all(a.data.join("running")).unwrap();
    a.run(["prove"]).fails(3, "running");
    let done = a.json(["prove", "--restart"]);
    assert_eq!(done["ops"], 6);
    assert_eq!(a.json(["publish"])["ops"], 6);
    let status = a.json(["status"]);
    assert_eq!(status["proved"]["root"], status["root"]);
    // The replica began with a snapshot, so it lacks what came before.
    b.run(["prove", "--restart"]).fails(3, "lacks the first ops of writer 0");
}
