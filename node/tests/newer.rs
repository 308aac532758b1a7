//! Replicas that have the ops and take newer snapshots, and nodes that do not keep all ops.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{collections::BTreeSet, sync::Arc};

use common::{
    key,
    net::{serve, serve_lies, Lies, Running},
    proved::{folder, invite, parameters, verifying_key},
    World,
};
use rootfold_core::{
    field,
    tree::{self, PageStore},
    F,
};
use rootfold_light::query::At;
use rootfold_node::{
    bootstrap::{self, BootstrapReport, DialTcp, SyncContext},
    client::PeerCause,
    prove::Prover,
    space::{EpochLimits, History, Policy, Space},
    store::{Column, MemoryStore, Store},
};

/// A replica of a world in memory.
async fn replica(world: &World, from: &Running) -> (Arc<dyn Store>, Space) {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let peers = vec![from.address.clone()];
    bootstrap::run_on(store.clone(), peers, None, &context(world), &()).await.unwrap();
    let space = Space::open(store.clone()).unwrap();
    (store, space)
}

fn context(world: &World) -> SyncContext {
    let (dial, policy) = (Arc::new(DialTcp), Policy::default());
    SyncContext { invite: invite(world), dial, policy }
}

async fn sync(world: &World, space: &Space, from: &[&Running]) -> BootstrapReport {
    let addresses: Vec<String> = from.iter().map(|peer| peer.address.clone()).collect();
    bootstrap::sync(space, &addresses, &context(world), &()).await.unwrap()
}

/// Writes ops and proves fewer of them, so that no proved state is a latest one; publishes.
async fn advance(world: &World, prover: Prover, round: u8) -> Prover {
    for writer in 0..2 {
        let keys: Vec<String> = (0..6).map(|n| format!("{writer} {}", n * round % 17)).collect();
        let large = vec![round; 3_000];
        let change = |(n, key)| (key, Some(if n == 0 { large.as_slice() } else { &large[..2] }));
        // Each a group of its own, since a group is proved as a whole.
        for change in keys.iter().map(String::as_str).enumerate().map(change) {
            world.write(writer, &[change]);
        }
    }
    let mut prover = prover;
    tokio::task::spawn_blocking(move || {
        prover.prove(EpochLimits { max_ops: 8 }, Some(1), &()).unwrap();
        prover.publish(&()).unwrap();
        prover
    })
    .await
    .unwrap()
}

fn pages_below(space: &Space, root: F) -> BTreeSet<F> {
    tree::pages_below(space.page_store(), root).map(|page| page.unwrap().0.name).collect()
}

fn stored_pages(store: &dyn Store) -> usize {
    let mut count = 0;
    let mut see = |_: &[u8], _: &[u8]| {
        count += 1;
        true
    };
    store.scan(Column::Pages, &[], &mut see).unwrap();
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_newer_snapshots_and_drops_older_ones() {
    let world = World::new(31, 2);
    let (_kept, data) = folder();
    let prover = Prover::open(world.space.clone(), &data, parameters()).unwrap();
    let mut prover = advance(&world, prover, 1).await;
    let a = serve(&world.space, Some(verifying_key())).await;
    let (store, replica) = replica(&world, &a).await;
    replica.set_policy(Policy { kept_snapshots: 2, ..Policy::default() });
    for round in 2..7 {
        prover = advance(&world, prover, round).await;
        let report = sync(&world, &replica, &[&a]).await;
        assert!(report.faults.is_empty(), "{:?}", report.faults);
        let newest = world.space.latest_snapshot().unwrap().unwrap();
        assert_eq!((report.header, report.root), (newest.header, world.space.status().root));
        assert_eq!(replica.latest_snapshot().unwrap().unwrap(), newest);
        // The proved state can be read, and read from here by others.
        let all = |space: &Space| {
            let found = space.scan_prefix(At::Snapshot, None).unwrap();
            found.map(Result::unwrap).collect::<Vec<_>>()
        };
        assert_eq!(all(&replica), all(&world.space), "round {round}");
    }
    let b = serve(&replica, Some(verifying_key())).await;
    let (_, second) = self::replica(&world, &b).await;
    assert_eq!(second.status().snapshot, world.space.status().snapshot);
    assert_eq!(second.status().root, world.space.status().root);
    drop(prover);

    // Nothing is left of the snapshots that were dropped.
    while replica.collect(1_000).unwrap().pages > 0 {}
    let status = replica.status();
    let mut needed = pages_below(&replica, status.root);
    needed.extend(pages_below(&replica, status.snapshot.unwrap().root));
    let before = needed.len();
    let kept = stored_pages(&*store);
    assert!(kept >= before, "{kept} pages, {before} needed");
    // One older snapshot is kept beside the newest.
    replica.set_policy(Policy { kept_snapshots: 1, ..Policy::default() });
    let prover = Prover::open(world.space.clone(), &data, parameters()).unwrap();
    advance(&world, prover, 9).await;
    sync(&world, &replica, &[&a]).await;
    while replica.collect(1_000).unwrap().pages > 0 {}
    let status = replica.status();
    let mut needed = pages_below(&replica, status.root);
    needed.extend(pages_below(&replica, status.snapshot.unwrap().root));
    assert_eq!(stored_pages(&*store), needed.len());
    for name in &needed {
        assert!(replica.page_store().page(name).unwrap().is_some(), "{}", field::to_hex(name));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_was_away_for_long_takes_a_snapshot_instead_of_ops() {
    let world = World::new(34, 2);
    let (_kept, data) = folder();
    let prover = Prover::open(world.space.clone(), &data, parameters()).unwrap();
    let mut prover = advance(&world, prover, 1).await;
    let a = serve(&world.space, Some(verifying_key())).await;
    let (_, replica) = replica(&world, &a).await;
    replica.set_policy(Policy { max_tail: 20, ..Policy::default() });
    for round in 2..6 {
        prover = advance(&world, prover, round).await;
    }
    prover.prove(EpochLimits { max_ops: 64 }, None, &()).unwrap();
    prover.publish(&()).unwrap();
    world.write(1, &[("after", Some(b"1"))]);
    let report = sync(&world, &replica, &[&a]).await;
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    assert_eq!((report.tail_ops, report.root), (1, world.space.status().root));
    assert_eq!(report.header, world.space.status().snapshot.unwrap());
    // The ops that the snapshot covers did not come.
    assert!(replica.log(0, 0, 1).unwrap().is_empty());

    // A node that has the whole history keeps it, and fetches the ops.
    let whole = Space::create(Arc::new(MemoryStore::new()), &world.genesis).unwrap();
    whole.set_policy(Policy { max_tail: 20, ..Policy::default() });
    let report = sync(&world, &whole, &[&a]).await;
    assert_eq!(report.tail_ops, world.space.status().ops);
    assert!(whole.has_full_history().unwrap());
    assert_eq!(whole.status().root, world.space.status().root);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_boasts_of_a_snapshot_is_named() {
    let world = World::new(32, 2);
    let (_kept, data) = folder();
    let prover = Prover::open(world.space.clone(), &data, parameters()).unwrap();
    advance(&world, prover, 1).await;
    let boast =
        |response: &mut rootfold_proto::v1::FrontierResponse| response.snapshot_ops = u64::MAX;
    let lies = Lies { frontier: Some(boast), ..Lies::default() };
    let liar = serve_lies(&world.space, Some(verifying_key()), lies).await;
    let (_, replica) = replica(&world, &liar).await;
    let report = sync(&world, &replica, &[&liar]).await;
    assert_eq!(report.faults.len(), 1, "{:?}", report.faults);
    let cause = &*report.faults[0].cause;
    assert!(matches!(cause, PeerCause::Withheld { what: "snapshots", .. }), "{cause}");

    // Pages of a newer snapshot that nobody sends: the replica keeps what it has.
    let prover = Prover::open(world.space.clone(), &data, parameters()).unwrap();
    advance(&world, prover, 2).await;
    let hide = |response: &mut rootfold_proto::v1::PagesResponse| response.pages.clear();
    let lies = Lies { pages: Some(hide), ..Lies::default() };
    let liar = serve_lies(&world.space, Some(verifying_key()), lies).await;
    let before = replica.status().snapshot;
    let report = sync(&world, &replica, &[&liar]).await;
    assert!(!report.faults.is_empty());
    assert_eq!(replica.status().snapshot, before);
    assert_eq!(replica.status().root, world.space.status().root);
    let good = serve(&world.space, Some(verifying_key())).await;
    sync(&world, &replica, &[&liar, &good]).await;
    assert_eq!(replica.status().snapshot, world.space.status().snapshot);
}

#[tokio::test(flavor = "multi_thread")]
async fn ops_that_all_snapshots_cover_need_not_be_kept() {
    let world = World::new(33, 2);
    let (_kept, data) = folder();
    let history = History::Snapshot;
    world.space.set_policy(Policy { kept_snapshots: 2, history, ..Policy::default() });
    assert!(world.space.has_full_history().unwrap());
    let mut prover = Prover::open(world.space.clone(), &data, parameters()).unwrap();
    for round in 1..6 {
        prover = advance(&world, prover, round).await;
    }
    assert!(!world.space.has_full_history().unwrap());
    let held = |space: &Space, writer| space.log(writer, 0, usize::MAX).unwrap();
    let (first, _) = held(&world.space, 0)[0];
    assert!(first > 5, "{first}");
    // The node proves on, others begin with its snapshot, and their logs continue.
    prover.prove(EpochLimits { max_ops: 64 }, None, &()).unwrap();
    prover.publish(&()).unwrap();
    let a = serve(&world.space, Some(verifying_key())).await;
    let (_, replica) = replica(&world, &a).await;
    assert_eq!(replica.status().root, world.space.status().root);
    assert_eq!(replica.status().snapshot.unwrap().ops, world.space.status().ops);
    world.write(1, &[("after", Some(b"1"))]);
    sync(&world, &replica, &[&a]).await;
    let after = replica.get(At::Latest, &key("after")).unwrap().unwrap();
    assert_eq!(after.value.unwrap(), b"1");
    assert_eq!(replica.status().root, world.space.status().root);
}
