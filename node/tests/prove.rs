//! The prover with real parameters: epochs, seals, and failures of a seal.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{fs, sync::Arc};

use common::{
    proved::{folder, invite, parameters, verifying_key},
    secret, World, NOW,
};
use rootfold_light::{signing, verify::verify};
use rootfold_node::{
    data_dir::DataDir,
    progress::{Event, Progress},
    prove::{ProveError, Prover},
    snapshot_file,
    space::{EpochLimits, Space, SpaceError},
    store::{FailingStore, MemoryStore, StoreError},
};

fn running(data: &DataDir) -> Vec<String> {
    let files = fs::read_dir(data.running()).unwrap();
    let mut names: Vec<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[derive(Default)]
struct Seals(std::sync::Mutex<Vec<(u64, u64)>>);

impl Progress for Seals {
    fn on(&self, event: Event) {
        if let Event::Sealed { ops, total, .. } = event {
            self.0.lock().unwrap().push((ops, total));
        }
    }
}

#[test]
fn a_prover_resumes_from_the_last_seal() {
    let world = World::new(21, 2);
    let (_kept, data) = folder();
    world.write(0, &[("a", Some(b"1")), ("b", Some(b"2")), ("c", Some(b"3"))]);
    world.write(1, &[("a", Some(b"4")), ("d", None)]);

    let mut prover = Prover::open(world.space.clone(), &data, parameters()).unwrap();
    assert!(matches!(prover.publish(&()).unwrap_err(), ProveError::NothingProved));
    let limits = EpochLimits { max_ops: 3 };
    let first = prover.prove(limits, Some(1), &()).unwrap();
    assert_eq!((first.epochs, first.ops), (1, 3));
    assert_eq!(running(&data).len(), 1);
    drop(prover);

    // Files that a killed process left.
    fs::write(data.running().join("000000000099-junk.running"), b"junk").unwrap();
    fs::write(data.running().join("half.partial"), b"half").unwrap();
    let space = Space::open(world.store.clone()).unwrap();
    let mut prover = Prover::open(space.clone(), &data, parameters()).unwrap();
    assert_eq!(running(&data).len(), 1, "stale files are removed");
    assert_eq!(prover.proved().steps, first.steps);
    let seals = Seals::default();
    let second = prover.prove(limits, None, &seals).unwrap();
    assert_eq!((second.epochs, second.ops), (1, 2), "what is sealed is not proved again");
    assert_eq!(*seals.0.lock().unwrap(), [(2, 2)]);
    let status = space.status();
    assert_eq!((second.root, prover.proved().ops), (status.root, status.ops));

    let nothing = prover.prove(limits, None, &()).unwrap();
    assert_eq!((nothing.epochs, nothing.steps, nothing.root), (0, 0, status.root));

    let (snapshot, _) = prover.publish(&()).unwrap();
    verify(&snapshot, &invite(&world), Some(&verifying_key())).unwrap();
    assert_eq!(snapshot.header.steps, first.steps + second.steps);
    assert_eq!(space.latest_snapshot().unwrap().unwrap(), snapshot);
    // Publishing the same state again returns the same snapshot.
    assert_eq!(prover.publish(&()).unwrap().0, snapshot);

    // The snapshot as a file.
    let path = data.path().join("snapshot");
    snapshot_file::write(&path, &snapshot).unwrap();
    assert_eq!(snapshot_file::read(&path).unwrap(), snapshot);
    let bytes = fs::read(&path).unwrap();
    for cut in [0, 7, 50, 124, bytes.len() - 1] {
        fs::write(&path, &bytes[..cut]).unwrap();
        snapshot_file::read(&path).unwrap_err();
    }
    fs::write(&path, [&bytes[..], &[0]].concat()).unwrap();
    snapshot_file::read(&path).unwrap_err();
}

#[test]
fn a_failed_seal_leaves_the_last_one() {
    let (store, fault) = FailingStore::new(MemoryStore::new());
    let world = World::on(Arc::new(store), 22, 1);
    let (_kept, data) = folder();
    world.write(0, &[("a", Some(b"1"))]);
    let mut prover = Prover::open(world.space.clone(), &data, parameters()).unwrap();
    prover.prove(EpochLimits::default(), None, &()).unwrap();
    let sealed = prover.proved();
    world.write(0, &[("b", Some(b"2"))]);
    let before = world.dump();

    fault.writes_after(0);
    let e = prover.prove(EpochLimits::default(), None, &()).unwrap_err();
    let ProveError::Space(SpaceError::Store(StoreError::Write { .. })) = e else { panic!("{e}") };
    fault.heal();
    assert_eq!(world.dump(), before);
    assert_eq!(prover.proved(), sealed);
    assert_eq!(running(&data).len(), 2, "the new proof is on disk, and not the one that counts");

    // A new process, as after kill -9 between the file and the seal.
    let mut fresh = Prover::open(world.space.clone(), &data, parameters()).unwrap();
    assert_eq!(fresh.proved(), sealed);
    assert_eq!(running(&data).len(), 1);
    let done = fresh.prove(EpochLimits::default(), None, &()).unwrap();
    assert_eq!(done.root, world.space.status().root);

    // The first prover notices that another one has sealed.
    let e = prover.prove(EpochLimits::default(), None, &()).unwrap_err();
    assert!(matches!(e, ProveError::Overtaken), "{e}");
    assert_eq!(world.space.status().proved.unwrap(), fresh.proved());
    let (snapshot, _) = fresh.publish(&()).unwrap();
    verify(&snapshot, &invite(&world), Some(&verifying_key())).unwrap();
}

#[test]
fn grants_come_an_epoch_before_the_granted_writers_ops() {
    let world = World::new(23, 1);
    let (_kept, data) = folder();
    let newcomer = secret(60);
    let grant = world.grant(5, newcomer.public_key());
    world.space.ingest(&grant).unwrap();
    let change = signing::Change::new(common::key("x"), Some(b"new".to_vec()), NOW);
    let (ops, _) = signing::compose(&world.tip(5), 5, &newcomer, vec![change]).unwrap();
    world.space.ingest(&ops).unwrap();

    let mut prover = Prover::open(world.space.clone(), &data, parameters()).unwrap();
    let done = prover.prove(EpochLimits::default(), None, &()).unwrap();
    assert_eq!((done.epochs, done.ops), (2, 2));
    assert_eq!(done.root, world.space.status().root);
}

#[test]
fn a_damaged_running_proof_is_named() {
    let world = World::new(24, 1);
    let (_kept, data) = folder();
    world.write(0, &[("a", Some(b"1"))]);
    let mut prover = Prover::open(world.space.clone(), &data, parameters()).unwrap();
    prover.prove(EpochLimits::default(), None, &()).unwrap();
    drop(prover);
    let path = data.running().join(&running(&data)[0]);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let e = Prover::open(world.space.clone(), &data, parameters()).err().unwrap();
    assert!(matches!(&e, ProveError::Checkpoint { path: named, .. } if *named == path), "{e}");
}

/// Writes an op after each folded step.
struct Writing<'a>(&'a World, std::sync::Mutex<u32>);

impl Progress for Writing<'_> {
    fn on(&self, event: Event) {
        if let Event::Step { .. } = event {
            let mut count = self.1.lock().unwrap();
            *count += 1;
            if *count <= 3 {
                self.0.write(1, &[(format!("new {count}").as_str(), Some(b"meanwhile"))]);
            }
        }
    }
}

#[test]
fn ops_are_ingested_during_a_proof() {
    let world = World::new(25, 2);
    let (_kept, data) = folder();
    world.write(0, &[("a", Some(b"1"))]);
    let mut prover = Prover::open(world.space.clone(), &data, parameters()).unwrap();
    let writing = Writing(&world, std::sync::Mutex::new(0));
    let first = prover.prove(EpochLimits::default(), Some(1), &writing).unwrap();
    assert_eq!(first.ops, 1);
    assert!(world.space.status().ops > 1);
    let rest = prover.prove(EpochLimits::default(), None, &writing).unwrap();
    assert_eq!(rest.root, world.space.status().root);
    assert_eq!(prover.proved().ops, world.space.status().ops);
    assert_eq!(world.rebuilt(), rest.root);
}
