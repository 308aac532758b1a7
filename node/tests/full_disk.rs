//! C21: commands on a full disk fail with the path, change nothing, and complete when there is space again.

#![allow(clippy::unwrap_used)]

mod cli_support;

use cli_support::{Node, Ran};

/// What the system says of a write beyond the limit.
const FULL: &str = "File too large";

fn refused(ran: Ran) -> String {
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains(FULL), "{}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran.stderr
}

#[test]
fn c21_a_proof_that_does_not_fit_is_made_later() {
    let node = Node::with_space();
    node.run(["put", "k", "v"]).ok();
    // 4 MiB: the database fits, the running proof of 12 MB does not.
    let said = refused(node.run_on_full_disk(8192, ["prove"]));
    assert!(said.contains("running"), "the path is named: {said}");
    assert_eq!(node.json(["status"])["proved"]["ops"], 0);
    assert_eq!(node.json(["prove"])["ops"], 1);

    // A file that is not written leaves nothing behind, and the snapshot stays.
    let out = node.data.with_file_name("snapshot");
    let name = out.to_str().unwrap();
    let said = refused(node.run_on_full_disk(8192, ["prove", "--export", name]));
    assert!(said.contains(name), "the path is named: {said}");
    assert!(!out.exists());
    node.run(["prove", "--export", name]).ok();
    assert!(out.exists());
}

#[test]
fn c21_a_database_that_is_full_takes_ops_later() {
    let node = Node::with_space();
    for n in 0..2 {
        node.run(["put", &format!("k{n}"), "v"]).ok();
    }
    node.run(["prove"]).ok();
    let held = std::fs::metadata(node.data.join("db.redb")).unwrap().len();
    let units = held / 512;
    // The database has free pages for some writes, but not for large ones.
    let value = "v".repeat(60_000);
    let mut full = None;
    for n in 0..40 {
        let ran = node.run_on_full_disk(units, ["put", &format!("large{n}"), &value]);
        if ran.code != 0 {
            full = Some(refused(ran));
            break;
        }
    }
    let said = full.expect("40 values of 60 KB do not fit");
    assert!(said.contains("db.redb"), "the path is named: {said}");
    let root = node.json(["status"])["root"].clone();
    node.run(["put", "after", "v"]).ok();
    assert_ne!(node.json(["status"])["root"], root);
    let snapshot = node.json(["publish"]);
    assert_eq!(snapshot["ops"], 2);
}

#[test]
fn c21_a_bootstrap_and_a_backup_that_do_not_fit_complete_later() {
    let a = Node::with_space();
    let value = "v".repeat(60_000);
    for n in 0..40 {
        a.run(["put", &format!("large{n}"), &format!("{n}{value}")]).ok();
    }
    a.run(["prove"]).ok();
    let published = a.json(["publish"]);
    let invite = published["invite"].as_str().unwrap();
    let served = a.serve();
    let b = Node::new();
    let bootstrap = ["bootstrap", "--from", &served.address, "--invite", invite];
    refused(b.run_on_full_disk(3500, bootstrap));
    b.run(["status"]).fails(3, "run it again");
    b.run(bootstrap).ok();
    assert_eq!(b.json(["status"])["root"], a.json(["status"])["root"]);

    let copy = Node::new();
    let to = copy.data.to_str().unwrap();
    drop(served);
    refused(a.run_on_full_disk(3500, ["backup", to]));
    assert!(!copy.data.exists());
    a.run(["backup", to]).ok();
    assert_eq!(copy.json(["status"])["root"], a.json(["status"])["root"]);
}
