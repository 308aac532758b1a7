//! Scrubbing: damage is found and named, and peers send again what is damaged.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::Arc;

use common::{
    key,
    net::serve,
    proved::{folder, invite, parameters, verifying_key},
    World,
};
use rootfold_light::query::At;
use rootfold_node::{
    bootstrap::{self, DialTcp, SyncContext},
    prove::Prover,
    space::{
        scrub::{scrub, Finding, Pass},
        EpochLimits, Policy, Space,
    },
    store::{Batch, ChecksummedStore, Column, Durability, MemoryStore, Store},
};

/// A space on a store with checksums, and the store below these.
fn world() -> (Arc<MemoryStore>, World) {
    let disk = Arc::new(MemoryStore::new());
    let world = World::on(Arc::new(ChecksummedStore::new(disk.clone())), 41, 2);
    for n in 0..30u8 {
        let large = vec![n; 3_000];
        let (small, long) = (format!("small {n:02}"), format!("long {n:02}"));
        world.write(n as u32 % 2, &[(&small, Some(&[n; 20])), (&long, Some(&large))]);
    }
    (disk, world)
}

/// All records of a column.
fn records(store: &dyn Store, column: Column) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    let mut see = |key: &[u8], value: &[u8]| {
        all.push((key.to_vec(), value.to_vec()));
        true
    };
    store.scan(column, &[], &mut see).unwrap();
    all
}

fn write(store: &dyn Store, column: Column, key: &[u8], value: Vec<u8>) {
    let mut batch = Batch::new();
    batch.put(column, key, value);
    store.write(batch, Durability::Synced).unwrap();
}

/// Flips a bit in a record of a column; returns its key.
fn flip(store: &dyn Store, column: Column, at: usize) -> String {
    let (key, mut value) = records(store, column)[at].clone();
    let middle = value.len() / 2;
    value[middle] ^= 1;
    write(store, column, &key, value);
    hex::encode(key)
}

fn named(findings: &[Finding]) -> Vec<(String, String)> {
    findings.iter().map(|finding| (finding.column.clone(), finding.key.clone())).collect()
}

#[test]
fn a_good_disk_has_no_findings() {
    let (disk, world) = world();
    let report = scrub(&world.space).unwrap();
    assert_eq!((report.damaged, report.findings.len()), (0, 0));
    let all: usize = Column::ALL.iter().map(|column| records(&*disk, *column).len()).sum();
    // The state of scrubbing is written at the end.
    assert_eq!(report.records as usize, all - 1);
    assert_eq!(world.space.scrub_state().unwrap().last, Some(report));
}

#[test]
fn damage_is_found_and_named() {
    let (disk, world) = world();
    let columns = [
        (Column::Ops, 7),
        (Column::Pages, 0),
        (Column::Values, 3),
        (Column::LargeValues, 11),
        (Column::Heads, 1),
    ];
    let mut expected: Vec<(String, String)> = Vec::new();
    for (column, at) in columns {
        // Opened anew, so that no page is in the cache.
        expected.push((column.name().to_owned(), flip(&*disk, column, at)));
    }
    let report = scrub(&world.space).unwrap();
    let mut found = named(&report.findings);
    let order = |named: &mut Vec<(String, String)>| named.sort();
    order(&mut found);
    order(&mut expected);
    assert_eq!((found, report.damaged), (expected, 5));
    for finding in &report.findings {
        let can_be_fetched = ["pages", "values", "large-values"].contains(&finding.column.as_str());
        assert_eq!(finding.requested, can_be_fetched, "{finding:?}");
    }
}

/// What was written with a right checksum can be wrong too.
#[test]
fn records_that_are_not_what_their_keys_say() {
    let (_, world) = world();
    let store = &*world.store;
    let mut expected = Vec::new();
    let mut swap = |column: Column, at: usize, change: &dyn Fn(&mut Vec<u8>)| {
        let (key, mut value) = records(store, column)[at].clone();
        change(&mut value);
        write(store, column, &key, value);
        expected.push((column.name().to_owned(), hex::encode(key)));
    };
    let other = records(store, Column::Pages)[1].1.clone();
    swap(Column::Ops, 4, &|op| *op.last_mut().unwrap() ^= 1);
    swap(Column::Ops, 40, &|op| op[7] ^= 1);
    swap(Column::Pages, 0, &|page| page.clone_from(&other));
    swap(Column::LargeValues, 2, &|value| value[9] ^= 1);
    let space = Space::open(world.store.clone()).unwrap();
    let report = scrub(&space).unwrap();
    let mut found = named(&report.findings);
    found.sort();
    expected.sort();
    // The op after a changed one may not continue the log either.
    found.retain(|named| expected.contains(named));
    assert_eq!(found, expected, "{:?}", report.findings);
}

#[test]
fn a_pass_goes_on_where_it_stopped() {
    let (disk, world) = world();
    let damaged = flip(&*disk, Column::LargeValues, 20);
    let mut pass = Pass::begin(5);
    let mut parts = 0;
    loop {
        // As after a restart of the process.
        let stored = serde_json::to_vec(&pass).unwrap();
        pass = serde_json::from_slice(&stored).unwrap();
        parts += 1;
        if pass.advance(&world.space, 2_000).unwrap() {
            break;
        }
    }
    assert!(parts > 20, "{parts}");
    let report = pass.report(9);
    assert_eq!(named(&report.findings), [("large-values".to_owned(), damaged)]);
    let whole = scrub(&world.space).unwrap();
    // The damaged value is removed and missed from now on.
    assert_eq!(whole.damaged, 0);
    assert_eq!(world.space.holes().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_send_again_what_is_damaged() {
    let (_, world) = world();
    let (_kept, data) = folder();
    let space = world.space.clone();
    let prove = tokio::task::spawn_blocking(move || {
        let mut prover = Prover::open(space, &data, parameters()).unwrap();
        prover.prove(EpochLimits { max_ops: 64 }, None, &()).unwrap();
        prover.publish(&()).unwrap();
    });
    prove.await.unwrap();
    let a = serve(&world.space, Some(verifying_key())).await;
    let disk = Arc::new(MemoryStore::new());
    let store: Arc<dyn Store> = Arc::new(ChecksummedStore::new(disk.clone()));
    let (dial, policy) = (Arc::new(DialTcp), Policy::default());
    let context = SyncContext { invite: invite(&world), dial, policy };
    let peers = vec![a.address.clone()];
    bootstrap::run_on(store.clone(), peers.clone(), None, &context, &()).await.unwrap();

    let pages = records(&*disk, Column::Pages).len();
    (0..pages).for_each(|at| drop(flip(&*disk, Column::Pages, at)));
    flip(&*disk, Column::LargeValues, 5);
    flip(&*disk, Column::Values, 5);
    let replica = Space::open(store.clone()).unwrap();
    assert!(replica.get(At::Latest, &key("long 03")).is_err());
    let report = scrub(&replica).unwrap();
    assert_eq!(report.damaged, pages as u64 + 2);
    // Pages whose pages below are damaged too come one sync later.
    for _ in 0..6 {
        bootstrap::sync(&replica, &peers, &context, &()).await.unwrap();
    }
    assert_eq!(scrub(&replica).unwrap().damaged, 0);
    assert!(replica.holes().unwrap().is_empty());
    let all = |space: &Space| {
        let found = space.scan_prefix(At::Latest, None).unwrap();
        found.map(Result::unwrap).collect::<Vec<_>>()
    };
    assert_eq!(all(&replica), all(&world.space));
}
