//! Replaced heads among nodes: new keys, closed logs, resolved forks.

use std::{collections::BTreeMap, sync::Arc};

use rand::{rngs::StdRng, seq::SliceRandom, Rng};
use rootfold_core::{
    eddsa::{PublicKey, SecretKey},
    item::Entry,
    key::Key,
    log::{LogBatch, LogError, SignedOp},
    mark::Mark,
    replacement::Replacement,
    tree,
};
use rootfold_light::{
    query::At,
    signing::{self, compose, Admission, Change, OWNER},
    submission::Submission,
};
use rootfold_node::{
    space::{IngestError, Policy, Space, Write, WriteError},
    store::{FailingStore, MemoryStore, Store},
};

use crate::{
    common::{key, net::serve, rng, secret, World},
    forks::{forked, replica, sync, write},
};

fn text(space: &Space, k: &str) -> Option<String> {
    let found = space.get(At::Latest, &key(k)).unwrap();
    found.and_then(|found| found.value).map(|value| String::from_utf8(value).unwrap())
}

fn put(space: &Space, writer: u32, secret: &SecretKey, k: &str, value: &str) {
    let tip = space.tip(writer).unwrap();
    let change = Change::new(key(k), Some(value.as_bytes().to_vec()), 5_000);
    space.ingest(&compose(&tip, writer, secret, vec![change]).unwrap().0).unwrap();
}

fn assert_equal(a: &Space, b: &Space) {
    let tips = |space: &Space| -> Vec<_> {
        space.writers().into_iter().map(|(w, tip)| (w, tip.seq(w), tip.stamp, tip)).collect()
    };
    assert_eq!(tips(a), tips(b));
    assert_eq!(a.status().root, b.status().root);
    for (writer, tip) in a.writers() {
        let entry = tree::lookup(a.page_store(), a.status().root, &Key::head(writer)).unwrap();
        assert_eq!(entry, Some(tip.entry(writer)), "writer {writer}");
    }
}

/// The log of a writer goes on under another key, on every node; the old key signs nothing more.
#[tokio::test]
async fn a_log_goes_on_under_another_key() {
    let world = World::new(70, 3);
    put(&world.space, 1, &world.secrets[1], "a", "old key");
    let other = replica(&world);
    let (owner, new) = (&world.secrets[0], secret(99));
    world.space.replace_key(owner, 1, new.public_key(), None).unwrap();

    let again = world.space.write(1, &world.secrets[1], vec![Write::new(key("a"), None)]);
    assert!(matches!(again, Err(WriteError::Log(LogError::NotYourLog { writer: 1 }))), "{again:?}");
    put(&world.space, 1, &new, "a", "new key");
    // A thief of the old key goes on elsewhere.
    put(&other, 1, &world.secrets[1], "b", "by the thief");

    let tail = sync(&other, &serve(&world.space, None).await).await;
    assert!(tail.faults.is_empty(), "{:?}", tail.faults);
    assert_equal(&world.space, &other);
    assert_eq!((text(&other, "a").unwrap().as_str(), text(&other, "b")), ("new key", None));
    // A node that begins with the ops alone.
    let fresh = Space::create(Arc::new(MemoryStore::new()), &world.genesis).unwrap();
    let tail = sync(&fresh, &serve(&world.space, None).await).await;
    assert!(tail.faults.is_empty(), "{:?}", tail.faults);
    assert_equal(&world.space, &fresh);
}

/// A node that holds ops beyond the named head goes back: they leave its state, and all others stay.
#[tokio::test]
async fn a_node_goes_back_before_a_replaced_head() {
    let world = World::new(71, 3);
    put(&world.space, 1, &world.secrets[1], "a", "stays");
    let other = Space::create(Arc::new(MemoryStore::new()), &world.genesis).unwrap();
    hand_over(&world.space, &other);
    put(&other, 1, &world.secrets[1], "a", "cut off");
    put(&other, 1, &world.secrets[1], "c", "cut off");
    put(&other, 2, &world.secrets[2], "b", "of this node alone");
    world.space.close_log(&world.secrets[0], 1).unwrap();
    assert_eq!(world.space.closed(), [1]);

    sync(&other, &serve(&world.space, None).await).await;
    sync(&world.space, &serve(&other, None).await).await;
    assert_equal(&world.space, &other);
    assert_eq!(text(&other, "a").as_deref(), Some("stays"));
    assert_eq!(text(&other, "c"), None);
    assert_eq!(text(&world.space, "b").as_deref(), Some("of this node alone"));
    assert_eq!(other.closed(), [1]);
    let closed = other.write(1, &world.secrets[1], vec![Write::new(key("a"), None)]);
    assert!(matches!(closed, Err(WriteError::Log(LogError::NotYourLog { writer: 1 }))));
    // Opened again by a replacement of the closed head.
    let new = secret(98);
    world.space.replace_key(&world.secrets[0], 1, new.public_key(), Some(true)).unwrap();
    put(&world.space, 1, &new, "a", "again");
    sync(&other, &serve(&world.space, None).await).await;
    assert_equal(&world.space, &other);
}

/// The owner chooses the branch that their own node does not hold.
#[tokio::test]
async fn a_fork_is_resolved_for_all() {
    for (here, there) in [(1, 3), (3, 1)] {
        let (world, other) = forked(2, here, there);
        sync(&other, &serve(&world.space, None).await).await;
        sync(&world.space, &serve(&other, None).await).await;
        let fork = world.space.fork(1).unwrap().unwrap();
        let first = key("there 0");
        let is_theirs = |batch: &LogBatch| batch.ops[0].op.key == first;
        let branch = 1 + fork.fork().branches.iter().position(is_theirs).unwrap();
        let owner = &world.secrets[0];
        let none = world.space.resolve_fork(owner, 1, 3);
        assert!(matches!(none, Err(WriteError::NoBranch { branch: 3 })));
        world.space.resolve_fork(owner, 1, branch).unwrap();
        assert!(text(&world.space, "here 0").is_none());
        assert_eq!(text(&world.space, "honest").as_deref(), Some("honest"));

        sync(&other, &serve(&world.space, None).await).await;
        assert_equal(&world.space, &other);
        // The same key goes on, on both nodes.
        write(&other, 1, &world.secrets[1], "on");
        let tail = sync(&world.space, &serve(&other, None).await).await;
        assert!(tail.faults.is_empty(), "{:?}", tail.faults);
        assert_equal(&world.space, &other);
        assert!(text(&world.space, "on").is_some());
    }
}

/// The owner's own key is replaced, signed by the old one. The old one signs nothing more.
#[tokio::test]
async fn the_owners_key_is_replaced() {
    let world = World::new(72, 2);
    let new = secret(97);
    put(&world.space, 0, &world.secrets[0], "a", "old");
    world.space.replace_key(&world.secrets[0], 0, new.public_key(), None).unwrap();
    put(&world.space, 0, &new, "a", "new");
    let old = world.space.replace_key(&world.secrets[0], 1, new.public_key(), None);
    assert!(matches!(old, Err(WriteError::NotOwner)), "{old:?}");
    world.space.close_log(&new, 1).unwrap();
    assert!(matches!(world.space.close_log(&new, 0), Err(WriteError::OwnersLog)));
    let fresh = Space::create(Arc::new(MemoryStore::new()), &world.genesis).unwrap();
    let tail = sync(&fresh, &serve(&world.space, None).await).await;
    assert!(tail.faults.is_empty(), "{:?}", tail.faults);
    assert_equal(&world.space, &fresh);
    assert_eq!(text(&fresh, "a").as_deref(), Some("new"));
}

/// A replacement that names a head which never was is refused, and changes nothing.
#[test]
fn a_head_that_never_was_is_not_replaced() {
    let world = World::new(73, 2);
    put(&world.space, 1, &world.secrets[1], "a", "x");
    let mut before = world.tip(1);
    before.head.head += rootfold_core::F::from(1u64);
    let public_key = secret(96).public_key();
    let new = Replacement::Head { writer: 1, before, public_key, shared: true };
    let (submission, _) = signing::replace(&world.tip(0), &world.secrets[0], &new, 9_000).unwrap();
    let dump = world.dump();
    let e = world.space.ingest(&submission).unwrap_err();
    assert!(matches!(e, IngestError::OtherHead { writer: 0, of: 1, at: 1, held: 1, .. }), "{e}");
    // Nor by one that only others could sign.
    let (mut forged, _) = signing::replace(&world.tip(0), &world.secrets[0], &new, 9_000).unwrap();
    forged.batches[0].ops[0].signature = Some(world.secrets[1].sign(before.head.head));
    let done = world.space.ingest_each(&forged).unwrap();
    assert!(matches!(done.refused[..], [IngestError::Log(LogError::Signature { .. })]));
    assert_eq!(world.dump(), dump);
    let without = Submission { values: Vec::new(), ..submission };
    let e = world.space.ingest(&without).unwrap_err();
    assert!(e.to_string().contains("not known"), "{e}");
}

/// A crash at any write while a node goes back: after the restart it has the state of the others.
#[test]
fn a_crash_while_going_back_loses_nothing() {
    let world = World::new(74, 3);
    put(&world.space, 1, &world.secrets[1], "a", "stays");
    put(&world.space, 2, &world.secrets[2], "b", "stays");
    let ops = logs(&world.space);
    let owner = {
        let away = replica(&world);
        away.close_log(&world.secrets[0], 1).unwrap();
        away
    };
    for writes in 0.. {
        let (store, fault) = FailingStore::new(MemoryStore::new());
        let store: Arc<dyn Store> = Arc::new(store);
        let space = Space::create(store.clone(), &world.genesis).unwrap();
        space.ingest_each(&ops).unwrap();
        put(&space, 1, &world.secrets[1], "a", "cut off");
        put(&space, 2, &world.secrets[2], "b", "of this node alone");
        fault.writes_after(writes);
        let whole = space.ingest_each(&logs(&owner)).is_ok();
        drop(space);
        fault.heal();
        let space = Space::open(store).unwrap();
        space.ingest_each(&logs(&owner)).unwrap();
        assert_eq!(text(&space, "a").as_deref(), Some("stays"), "after {writes} writes");
        assert_eq!(text(&space, "b").as_deref(), Some("of this node alone"));
        assert_eq!(space.closed(), [1]);
        if whole {
            assert!(writes > 1, "going back takes several writes");
            return;
        }
    }
}

/// All logs of a node with the values of their ops.
fn logs(space: &Space) -> Submission {
    let mut submission = Submission::default();
    for (writer, _) in space.writers() {
        let ops: Vec<SignedOp> =
            space.log(writer, 0, 10_000).unwrap().into_iter().map(|(_, op)| op).collect();
        for signed in &ops {
            let name = rootfold_light::values::ValueName::of(&signed.op.key, signed.op.value);
            let Some(name) = name else { continue };
            if let Some(content) = space.value(&name).unwrap() {
                submission.values.push(rootfold_light::values::Value { name, content });
            }
        }
        if !ops.is_empty() {
            submission.batches.push(LogBatch { writer, first_seq: 0, ops });
        }
    }
    submission
}

/// Gives a node all that another one has.
fn hand_over(from: &Space, to: &Space) {
    for _ in 0..20 {
        if to.ingest_each(&logs(from)).unwrap().ingested.ops == 0 {
            return;
        }
    }
    panic!("the nodes do not come to an end");
}

/// Three nodes, on which writers put, delete, mark and write groups; the owner admits them, gives them other
/// keys, and closes logs. Ops arrive in any order. In the end all nodes have one root, which is that of the
/// entries.
#[test]
fn three_nodes_agree_whatever_the_order_of_arrival() {
    for seed in 0..40 {
        agree(seed);
    }
}

fn agree(seed: u64) {
    let mut rng: StdRng = rng(seed);
    let world = World::new(seed, 4);
    let policy = || Policy { max_ahead: std::time::Duration::MAX, ..Policy::default() };
    let create = || {
        let space = Space::create(Arc::new(MemoryStore::new()), &world.genesis).unwrap();
        space.set_policy(policy());
        space
    };
    let nodes = [create(), create(), create()];
    // The numbers of each writer's keys, the newest last.
    let mut keys: BTreeMap<u32, Vec<u8>> = (0..4).map(|n| (u32::from(n), vec![n + 1])).collect();
    let mut made = 100u8;
    for _ in 0..60 {
        let at = rng.gen_range(0..nodes.len());
        match rng.gen_range(0..10) {
            0..=5 => {
                let writer = *keys.keys().collect::<Vec<_>>().choose(&mut rng).unwrap();
                // A log has one home. The owner's is the first node.
                let home = &nodes[*writer as usize % nodes.len()];
                let Some(tip) = home.tip(*writer) else { continue };
                let mut held = keys[writer].iter().map(|number| secret(*number));
                let held = held.find(|k| k.public_key() == tip.head.public_key);
                if let Some(secret) = held {
                    home.write(*writer, &secret, changes(&mut rng, *writer)).unwrap();
                }
            }
            6 | 7 => {
                let to = rng.gen_range(0..nodes.len());
                hand_over(&nodes[at], &nodes[to]);
            }
            _ => {
                made += 1;
                own(&mut rng, &nodes[0], &world, made, &mut keys);
            }
        }
    }
    for _ in 0..3 {
        for from in &nodes {
            nodes.iter().for_each(|to| hand_over(from, to));
        }
    }
    for node in &nodes {
        assert_equal(node, &nodes[0]);
        let root = node.status().root;
        let entries: Result<Vec<Entry>, _> =
            tree::scan(node.page_store(), root, ..).unwrap().collect();
        assert_eq!(tree::build(&entries.unwrap()).root, root);
        assert_eq!(node.status().ops, nodes[0].status().ops);
    }
}

/// One to three changes, one group.
fn changes(rng: &mut StdRng, writer: u32) -> Vec<Write> {
    (0..rng.gen_range(1..4))
        .map(|_| {
            let name = [b'k', rng.gen_range(0..6u8)];
            let key = match rng.gen() {
                true => Key::shared(&name),
                false => Key::owned(writer, &name),
            };
            let value = rng.gen_ratio(3, 4).then(|| vec![rng.gen(), rng.gen()]);
            let mark = Mark::new(b"cats", &[rng.gen_range(0..3u8)]).unwrap();
            let marks = if rng.gen() { vec![mark] } else { Vec::new() };
            Write { key: key.unwrap(), value, marks }
        })
        .collect()
}

/// An op of the owner alone.
fn own(rng: &mut StdRng, node: &Space, world: &World, new: u8, keys: &mut BTreeMap<u32, Vec<u8>>) {
    let owner = &secret(*keys[&OWNER].last().unwrap());
    let count = keys.len() as u32;
    let other = rng.gen_range(1..count);
    let public_key: PublicKey = secret(new).public_key();
    match rng.gen_range(0..6) {
        0 if count < 8 => {
            let admission = Admission { writer: count, public_key, shared: true };
            node.grant(owner, world.genesis.salt, &admission).unwrap();
            keys.insert(count, vec![new]);
        }
        1 => drop(node.close_log(owner, other)),
        2 => {
            node.replace_key(owner, OWNER, public_key, None).unwrap();
            keys.get_mut(&OWNER).unwrap().push(new);
        }
        _ => {
            if node.tip(other).is_some() {
                node.replace_key(owner, other, public_key, Some(true)).unwrap();
                keys.get_mut(&other).unwrap().push(new);
            }
        }
    }
}
