//! kill -9 at random moments: the state on disk is consistent, and the next run resumes.

#![allow(clippy::unwrap_used)]

mod cli_support;

use std::time::{Duration, Instant};

use cli_support::{some_history, Node, Served};
use rand::{rngs::StdRng, Rng, SeedableRng};
use rootfold_node::store::RedbStore;
use serde_json::Value;

fn rng() -> StdRng {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    StdRng::seed_from_u64(seed)
}

/// A moment in the first half of the duration `whole`.
fn moment(rng: &mut StdRng, whole: Duration) -> Duration {
    whole.mul_f64(rng.gen_range(0.0..0.5))
}

/// The duration of a run.
fn time(run: impl FnOnce()) -> Duration {
    let began = Instant::now();
    run();
    began.elapsed()
}

/// The status without what differs between two nodes of one state.
fn state(node: &Node) -> Value {
    let mut status = node.json(["status"]);
    status["disk_bytes"] = Value::Null;
    status
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// An import that is killed many times ends in the same state as one that is not: its stamps and keys
/// depend only on the history and the owner's key.
#[test]
fn an_import_resumes() {
    let mut rng = rng();
    let repository = some_history(120, 40);
    let import = ["import-git", repository.path().to_str().unwrap()];
    let node = Node::with_space();
    let reference = node.copy();
    let mut total = 0;
    let whole = time(|| total = number(&reference.json(import)["new_ops"]));
    // 360 changes and three grants.
    assert_eq!(total, 363);

    let mut held = 0;
    for kill in 0..8 {
        let cut = node.run_and_kill(import, moment(&mut rng, whole));
        println!("kill {kill}: {}", if cut.killed { "killed" } else { "too late" });
        let ops = number(&node.json(["status"])["ops"]);
        assert!(ops >= held, "{ops} ops after {held}");
        held = ops;
    }
    assert_eq!(number(&node.json(import)["new_ops"]), total - held);
    assert_eq!(state(&node), state(&reference));
    assert_eq!(node.json(["scan"]), reference.json(["scan"]));
}

#[test]
fn a_prover_and_a_bootstrap_resume() {
    let mut rng = rng();
    let repository = some_history(40, 30);
    let import = ["import-git", repository.path().to_str().unwrap()];
    let node = Node::with_space();
    node.run(import.into_iter().chain(["--limit", "24"])).ok();
    kill_provers(&mut rng, &node);
    let published = node.json(["publish"]);
    let invite = published["invite"].as_str().unwrap();
    // The rest is a long tail.
    node.run(import).ok();
    let root = node.json(["status"])["root"].clone();
    let served = node.serve();
    kill_bootstraps(&mut rng, &served, invite, &root);
}

/// A sealed epoch is never folded again: a kill costs at most the current epoch.
fn kill_provers(rng: &mut StdRng, node: &Node) {
    let prove = ["prove", "--epoch", "6"];
    let reference = node.copy();
    // Without a pending epoch the time is that of reading the parameters.
    let reading = time(|| drop(reference.json(["prove", "--epochs", "0"])));
    let mut all = Value::Null;
    let folding = time(|| all = reference.json(prove)).saturating_sub(reading);

    let (mut begun, mut kills) = (0, 0);
    let first = node.json(["status"])["proved"].clone();
    let mut sealed = first.clone();
    for _ in 0..3 {
        let cut = node.run_and_kill(prove, reading + moment(rng, folding));
        begun += cut.stderr.matches("folding an epoch").count() as u64;
        kills += u64::from(cut.killed);
        let status = node.json(["status"]);
        let now = status["proved"].clone();
        for what in ["ops", "steps"] {
            assert!(number(&now[what]) >= number(&sealed[what]), "{now} after {sealed}");
        }
        sealed = now;
    }
    assert!(begun > 0 || sealed == first, "the log does not say which epochs are begun");
    let last = node.json(prove);
    println!("{kills} kills, {begun} epochs begun, {last} at last");
    assert_eq!(number(&last["ops"]), number(&all["ops"]) - number(&sealed["ops"]));
    assert_eq!(number(&last["steps"]), number(&all["steps"]) - number(&sealed["steps"]));
    assert!(begun + number(&last["epochs"]) <= number(&all["epochs"]) + kills);
    assert_eq!(state(node), state(&reference));
}

/// An interrupted bootstrap leaves no space, and the next one ends in the peer's state.
fn kill_bootstraps(rng: &mut StdRng, served: &Served, invite: &str, root: &Value) {
    let bootstrap = ["bootstrap", "--from", &served.address, "--invite", invite];
    let whole = time(|| assert_eq!(Node::new().json(bootstrap)["root"], *root));
    for redb in [true, false, true, false] {
        let node = Node::new();
        if redb {
            // A program with RocksDB takes that for new folders, and keeps to redb where it is.
            std::fs::create_dir(&node.data).unwrap();
            drop(RedbStore::open(&node.data.join("db.redb")).unwrap());
        }
        for _ in 0..3 {
            node.run_and_kill(bootstrap, moment(rng, whole));
            let status = node.run(["--json", "status"]);
            assert!([0, 3].contains(&status.code), "{}", status.stderr);
        }
        assert_eq!(node.json(bootstrap)["root"], *root);
        assert_eq!(node.json(["status"])["root"], *root);
    }
}
