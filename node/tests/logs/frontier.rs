//! The frontier of spaces with many writers.

use std::sync::Arc;

use rootfold_core::{
    eddsa::SecretKey,
    head::Head,
    key::Key,
    log::{LogBatch, Op, SignedOp},
};
use rootfold_light::{signing::OWNER, submission::Submission, values::Value};
use rootfold_node::{bootstrap::sync_tail, client::Peer, space::Space, store::MemoryStore};
use rootfold_proto::limits::MAX_FRONTIER;

use crate::common::{net::serve, World};

/// Grants `count` writers, who all have the same key: their number is what counts here.
fn grant_many(world: &World, count: u32) {
    let newcomer = SecretKey::from_bytes([77; 32]).public_key();
    let head = Value::head(&Head::first(world.genesis.salt, newcomer, true));
    let mut tip = world.tip(OWNER);
    let mut ops = Vec::new();
    for writer in 1..=count {
        let ts = tip.stamp.ts + 1;
        let op = Op { more: false, ts, key: Key::head(writer), value: head.name.digest };
        let (mut signed, next) = SignedOp::sign(&tip, OWNER, op, &world.secrets[0]).unwrap();
        if writer % 16 != 0 && writer != count {
            signed.signature = None;
        }
        tip = next;
        ops.push(signed);
    }
    for (index, ops) in ops.chunks(512).enumerate() {
        let batch = LogBatch { writer: OWNER, first_seq: 512 * index as u64, ops: ops.to_vec() };
        let submission = Submission { batches: vec![batch], values: vec![head.clone()] };
        world.space.ingest(&submission).unwrap();
    }
}

#[tokio::test]
async fn a_frontier_of_several_pages_is_synced() {
    let world = World::new(4, 1);
    grant_many(&world, MAX_FRONTIER as u32 + 100);
    let server = serve(&world.space, None).await;
    let peer = Peer::connect(&server.address).await.unwrap();
    let first = peer.frontier(world.space.id(), None, 0).await.unwrap();
    assert_eq!((first.writers.len(), first.next), (MAX_FRONTIER, Some(MAX_FRONTIER as u32)));
    let replica = Space::create(Arc::new(MemoryStore::new()), &world.genesis).unwrap();
    sync_tail(&replica, std::slice::from_ref(&peer), &()).await.unwrap();
    assert_eq!(replica.status().root, world.space.status().root);

    let before = peer.bytes_received();
    let tail = sync_tail(&replica, std::slice::from_ref(&peer), &()).await.unwrap();
    assert_eq!(tail.ops, 0);
    let spent = peer.bytes_received() - before;
    assert!(spent < 300, "equal roots cost {spent} bytes");
}
