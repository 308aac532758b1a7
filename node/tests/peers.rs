//! Bootstraps among peers that are silent, withhold data, or are ahead.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{collections::BTreeSet, sync::OnceLock, time::Instant};

use common::{
    figure, key,
    net::{serve, serve_silence, Lies, Running},
    proved::{bootstrap_into as run, folder, honest, invite, liar, proved, verifying_key},
    World,
};
use rootfold_core::{field, tree};
use rootfold_light::{
    query::At,
    signing::{compose, Change},
    submission::Submission,
};
use rootfold_node::{
    bootstrap::{self, Bootstrap, BootstrapError},
    client::PeerCause,
};
use rootfold_proto::v1;

fn wire(snapshot: &rootfold_light::snapshot::Snapshot) -> v1::Snapshot {
    rootfold_light::messages::snapshot_out(snapshot)
}

/// Case C3.
#[tokio::test]
async fn silent_peers_cost_little() {
    let good = honest().await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(serve_silence().await);
    }
    let servers: Vec<&Running> = silent.iter().chain([&good]).collect();
    let (_kept, data) = folder();
    let began = Instant::now();
    let report = run(&data, &servers).await.unwrap();
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap();
    figure("ms of a bootstrap with 20 silent peers before a good one", millis, 10_000);
    assert_eq!(report.root, proved().world.space.status().root);
    // All silent peers are named, and nobody else.
    let named: BTreeSet<&str> = report.faults.iter().map(|fault| fault.peer.as_str()).collect();
    assert_eq!(named, silent.iter().map(|server| server.address.as_str()).collect());
}

/// A peer that offers the snapshot and then stops in the middle of everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 12)]
async fn peers_that_stop_halfway_cost_little() {
    let endless = |_: &mut v1::PagesResponse| std::thread::sleep(std::time::Duration::from_secs(3));
    let good = honest().await;
    let mut slow = Vec::new();
    for _ in 0..3 {
        slow.push(liar(Lies { pages: Some(endless), ..Lies::default() }).await);
    }
    let servers: Vec<&Running> = slow.iter().chain([&good]).collect();
    let (_kept, data) = folder();
    let began = Instant::now();
    let report = run(&data, &servers).await.unwrap();
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap();
    figure("ms of a bootstrap with 3 peers that take 3 s for each message", millis, 10_000);
    assert_eq!(report.root, proved().world.space.status().root);
}

/// The names of the pages of the older snapshot.
fn stale_pages() -> &'static BTreeSet<Vec<u8>> {
    static NAMES: OnceLock<BTreeSet<Vec<u8>>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let root = proved().stale.header.root;
        let pages = tree::pages_below(proved().world.space.page_store(), root);
        pages.map(|page| field::to_bytes(&page.unwrap().0.name).to_vec()).collect()
    })
}

/// Case C4.
#[tokio::test]
async fn a_withheld_page_leads_to_the_next_best_offer() {
    tokio::task::spawn_blocking(proved).await.unwrap();
    let hide = |response: &mut v1::PagesResponse| {
        response.pages.retain(|page| stale_pages().contains(&page.name));
    };
    let newest = liar(Lies { pages: Some(hide), ..Lies::default() }).await;
    let snapshot = Some(wire(&proved().stale));
    let older = liar(Lies { snapshot, pages: Some(hide), ..Lies::default() }).await;
    let (_kept, data) = folder();
    let report = run(&data, &[&newest, &older]).await.unwrap();
    assert_eq!(report.header, proved().stale.header);
    assert_eq!(report.root, proved().world.space.status().root);
    assert!(!report.faults.is_empty());
    for fault in &report.faults {
        assert_eq!(fault.peer, newest.address, "only the peer that withholds is named: {fault}");
        assert!(matches!(*fault.cause, PeerCause::Withheld { what: "pages", .. }), "{fault}");
    }
}

#[tokio::test]
async fn a_value_that_nobody_has_leaves_a_hole_that_is_filled_later() {
    let stingy = liar(Lies {
        values: Some(|response| response.values.clear()),
        log: Some(|response| response.submission.iter_mut().for_each(|s| s.values.clear())),
        ..Lies::default()
    })
    .await;
    let (_kept, data) = folder();
    let report = run(&data, &[&stingy]).await.unwrap();
    assert!(report.holes >= 2, "{}", report.holes);
    assert_eq!(report.root, proved().world.space.status().root);
    {
        let replica = data.open().unwrap();
        let found = replica.get(At::Latest, &key("c")).unwrap().unwrap();
        assert!(found.missing && found.value.is_none());
        assert!(!replica.get(At::Latest, &key("b")).unwrap().unwrap().missing);
    }
    let good = honest().await;
    let report = run(&data, &[&stingy, &good]).await.unwrap();
    assert_eq!(report.holes, 0);
    let replica = data.open().unwrap();
    for k in ["c", "e", "tail"] {
        let a = proved().world.space.get(At::Latest, &key(k)).unwrap();
        assert_eq!(replica.get(At::Latest, &key(k)).unwrap(), a, "{k}");
    }
}

/// Case C2: a replica that was away finds only peers that began with a later snapshot.
#[tokio::test]
async fn a_dormant_replica_takes_a_newer_snapshot_over() {
    let first = honest().await;
    let (_kept_b, data_b) = folder();
    run(&data_b, &[&first]).await.unwrap();
    let b = data_b.open().unwrap();
    let only_peer = serve(&b, Some(verifying_key())).await;

    // The replica has the whole log of writer 1 and an op of its own after it, and the beginning of that
    // of writer 2.
    let a = &proved().world;
    let (_kept, data) = folder();
    let replica = data.create(&a.genesis).unwrap();
    let log: Vec<_> = a.space.log(1, 0, 100).unwrap().into_iter().map(|(_, op)| op).collect();
    let begun = a.space.log(2, 0, 2).unwrap().into_iter().map(|(_, op)| op).collect();
    let batch = |writer, ops| rootfold_core::log::LogBatch { writer, first_seq: 0, ops };
    let batches = vec![batch(1, log), batch(2, begun)];
    let each = replica.ingest_each(&Submission { batches, values: Vec::new() }).unwrap();
    assert!(each.refused.is_empty());
    let change = Change::new(key("unsent"), Some(b"mine".to_vec()), 9_000);
    let tip = replica.tip(1).unwrap();
    let (own, tip) = compose(&tip, 1, &a.secrets[1], vec![change]).unwrap();
    replica.ingest(&own).unwrap();
    drop(replica);

    let report = run(&data, &[&only_peer]).await.unwrap();
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    assert_eq!(report.header, proved().newest.header);
    let replica = data.open().unwrap();
    assert_eq!(replica.status().snapshot, Some(proved().newest.header));
    assert_eq!(replica.tip(1), Some(tip), "the own op stays");
    let found = replica.get(At::Latest, &key("unsent")).unwrap().unwrap();
    assert_eq!(found.value.as_deref(), Some(&b"mine"[..]));
    let found = replica.get(At::Latest, &key("tail")).unwrap();
    assert_eq!(found, a.space.get(At::Latest, &key("tail")).unwrap());
    assert_eq!(replica.status().ops, a.space.status().ops + 1);
    // Both go on: the peer takes the op, and then both have one root.
    let server = serve(&replica, None).await;
    let peer = rootfold_node::client::Peer::connect(&server.address).await.unwrap();
    bootstrap::sync_tail(&b, std::slice::from_ref(&peer), &()).await.unwrap();
    assert_eq!(b.status().root, replica.status().root);
    // Its logs have no gaps: of writer 2 it holds the ops after the snapshot, and says so.
    let mut entries = peer.log_entries(replica.id(), &[(2, 0)]).await.unwrap();
    let first = entries.next().await.unwrap().unwrap();
    assert_eq!(first.not_held.len(), 1, "{first:?}");
    let covered = first.not_held[0].1;
    assert!(replica.log(2, 0, 100).unwrap().iter().all(|(seq, _)| *seq >= covered));
    // The old tree is collected.
    let before = replica.collect(usize::MAX).unwrap();
    assert!(before.pages > 0);
    let pages = tree::pages_below(replica.page_store(), replica.status().root);
    assert!(pages.into_iter().all(|page| page.is_ok()));
}

#[tokio::test]
async fn a_root_is_adopted_only_with_the_genesis_config() {
    let lies = Lies { genesis: Some(|response| response.genesis[40] ^= 1), ..Lies::default() };
    let liar = liar(lies).await;
    let (_kept, data) = folder();
    let e = run(&data, &[&liar]).await.err().unwrap();
    let BootstrapError::AllFailed { what, faults } = &e else { panic!("{e}") };
    assert_eq!(what, "the genesis config");
    assert_eq!((faults.len(), faults[0].peer.as_str()), (1, liar.address.as_str()));
    assert!(e.is_refusal(), "{e}");
    let good = honest().await;
    run(&data, &[&liar, &good]).await.unwrap();
    assert_eq!(data.open().unwrap().genesis().unwrap().unwrap(), proved().world.genesis);
}

#[tokio::test]
async fn a_replica_that_ends_elsewhere_says_so() {
    let lies = Lies { frontier: Some(|response| response.root[31] ^= 1), ..Lies::default() };
    let strange = liar(lies).await;
    let (_kept, data) = folder();
    let report = run(&data, &[&strange]).await.unwrap();
    assert_eq!(report.elsewhere.len(), 1);
    assert_eq!(report.elsewhere[0].peer, strange.address);
    // A peer that has fewer ops has another root with reason.
    let behind = World::new(11, 3);
    let server = serve(&behind.space, None).await;
    let report = run(&data, &[&server]).await.unwrap();
    assert!(report.elsewhere.is_empty(), "{:?}", report.elsewhere);
}

#[tokio::test]
async fn other_parameters_are_refused() {
    let good = honest().await;
    let (_kept, data) = folder();
    run(&data, &[&good]).await.unwrap();
    let mut other = invite(&proved().world);
    other.parameters.0[0] ^= 1;
    let bootstrap = Bootstrap {
        peers: vec![good.address.clone()],
        invite: other,
        data_dir: data.clone(),
        key: None,
    };
    let e = bootstrap::run(bootstrap, &()).await.err().unwrap();
    assert!(matches!(e, BootstrapError::OtherParameters { .. }) && e.is_refusal(), "{e}");
}
