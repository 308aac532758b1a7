//! The command line of the built binary: proofs and replicas, in profile `small`.

#![allow(clippy::unwrap_used)]

mod cli_support;

use cli_support::{some_history, Node};
use serde_json::{json, Value};

/// One space for all of it, since proving takes time.
#[test]
fn a_space_is_proved_published_verified_served_and_bootstrapped() {
    let a = Node::with_space();
    let repository = some_history(6, 7);
    let path = repository.path().to_str().unwrap();
    a.run(["publish"]).fails(3, "");
    a.run(["import-git", path, "--limit", "12"]).ok();

    let proved = a.json(["prove", "--epoch", "6"]);
    let status = a.json(["status"]);
    assert_eq!(proved["ops"], status["ops"]);
    assert_eq!(proved["root"], status["root"]);
    assert_eq!(status["proved"]["ops"], status["ops"]);
    assert!(proved["epochs"].as_u64().unwrap() >= 3, "{proved}");
    // Nothing is pending.
    assert_eq!(a.json(["prove"])["ops"], json!(0));

    let (file, key) = (a.data.join("snapshot"), a.data.join("key"));
    let (file, key) = (file.to_str().unwrap(), key.to_str().unwrap());
    let published = a.json(["publish", "--out", file, "--key-out", key]);
    assert_eq!(published["root"], status["root"]);
    assert!(published["proof_bytes"].as_u64().unwrap() <= 64 * 1024);
    let invite = published["invite"].as_str().unwrap();
    assert_eq!(invite, status["invite"]);
    verifies(&a, file, key, invite, &status["root"]);

    // Ops after the snapshot are the tail.
    a.run(["import-git", path]).ok();
    a.run(["put", "late", "value"]).ok();
    let status = a.json(["status"]);
    let served = a.serve();

    let b = Node::new();
    let booted = b.json(["bootstrap", "--from", &served.address, "--invite", invite]);
    assert_eq!(booted["root"], status["root"]);
    assert_eq!(booted["snapshot_ops"], published["ops"]);
    let ops = |value: &Value| value.as_u64().unwrap();
    assert_eq!(ops(&booted["tail_ops"]), ops(&status["ops"]) - ops(&published["ops"]));
    assert_eq!(booted["faults"], json!([]));
    assert_eq!(b.json(["status"])["root"], status["root"]);
    assert_eq!(b.json(["scan"]), {
        let c = Node::new();
        let replayed = c.json(["replay", "--from", &served.address, "--invite", invite]);
        assert_eq!(replayed["root"], status["root"]);
        assert_eq!(replayed["ops"], status["ops"]);
        c.json(["scan"])
    });

    // Another invite, then a replica of the replica.
    let other = Node::new();
    let wrong = format!("rootfold1:{}:{}", "0".repeat(64), invite.rsplit(':').next().unwrap());
    let refused = other.run(["bootstrap", "--from", &served.address, "--invite", &wrong]);
    assert!([1, 3].contains(&refused.code), "{}", refused.stderr);
    assert_eq!(served.stop(), 0);
    let served = b.serve();
    let booted = other.json(["bootstrap", "--from", &served.address, "--invite", invite]);
    assert_eq!(booted["root"], status["root"]);
    b.run(["prove"]).fails(3, "");
}

/// `verify` accepts the unchanged file, and nothing else.
fn verifies(a: &Node, file: &str, key: &str, invite: &str, root: &Value) {
    let stranger = Node::new();
    let with = |file: &str, invite: &str| {
        stranger.run(["--json", "verify", file, "--key", key, "--invite", invite])
    };
    let accepted = with(file, invite).json();
    assert_eq!(&accepted["root"], root);
    assert_eq!(accepted["accepted"], json!(true));
    assert_eq!(&a.json(["verify", file])["root"], root);
    stranger.run(["verify", file]).fails(3, "no space");
    stranger.run(["verify", file, "--key", key]).fails(2, "--invite");

    let (space, parameters) = invite.rsplit_once(':').unwrap();
    let one = format!("{:064x}", 1);
    with(file, &format!("rootfold1:{one}:{parameters}")).fails(1, "space");
    with(file, &format!("{space}:{one}")).fails(1, "parameters");
    stranger.run(["verify", file, "--key", file, "--invite", invite]).fails(1, "key");

    let bytes = std::fs::read(file).unwrap();
    let bad = a.data.join("bad");
    let bad = bad.to_str().unwrap();
    for cut in [0, 7, 50, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(bad, &bytes[..cut]).unwrap();
        assert_eq!(with(bad, invite).code, 1, "cut to {cut}");
    }
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut rng: rand::rngs::StdRng = rand::SeedableRng::seed_from_u64(seed);
    for _ in 0..20 {
        let bit = rand::Rng::gen_range(&mut rng, 0..bytes.len() * 8);
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(bad, &flipped).unwrap();
        assert_eq!(with(bad, invite).code, 1, "bit {bit} flipped");
    }
    std::fs::write(bad, [&bytes[..], b"x"].concat()).unwrap();
    assert_eq!(with(bad, invite).code, 1, "one byte more");
}

#[test]
fn the_demo_reports_three_equal_roots_and_the_documented_keys() {
    let repository = some_history(8, 9);
    let node = Node::new();
    let path = repository.path().to_str().unwrap();
    let ran = node.run(["--json", "demo", "--profile", "small", "--git", path]);
    assert!(!node.data.exists(), "the demo does not use the data directory");
    let report = ran.json();
    let mut keys: Vec<&String> = report.as_object().unwrap().keys().collect();
    let mut documented = [
        "ops",
        "writers",
        "entries",
        "steps",
        "root",
        "bootstrap_root",
        "replay_root",
        "proof_bytes",
        "verify_ms",
        "bootstrap_ms",
        "bootstrap_bytes",
        "replay_ms",
        "replay_bytes",
        "fold_s",
        "compress_s",
        "setup_s",
        "constraints",
        "prove_ops_per_s",
    ];
    keys.sort();
    documented.sort_unstable();
    assert_eq!(keys, documented);
    // 24 changes and three grants.
    assert_eq!(report["ops"], json!(27));
    assert_eq!(report["writers"], json!(4));
    assert_eq!(report["root"], report["bootstrap_root"]);
    assert_eq!(report["root"], report["replay_root"]);
    for key in keys.iter().filter(|key| !key.ends_with("root")) {
        assert!(report[key.as_str()].as_f64().unwrap() > 0.0, "{key} in {report}");
    }
}
