//! Pages and values that nothing needs are removed, and nothing else.

use std::{collections::BTreeSet, sync::Arc};

use rand::Rng;
use rootfold_core::{key::ApplicationKey, tree, F};
use rootfold_light::{query::At, values::ValueName};
use rootfold_node::{
    space::{Space, Write},
    store::{dump, Column, FailingStore, MemoryStore, RedbStore, Store},
};

use crate::common::{genesis, key, rng, World};

fn count(store: &dyn Store, column: Column) -> usize {
    dump(store).unwrap().iter().filter(|(of, ..)| *of == column).count()
}

/// Checks that all pages and values of a state are there; returns the names of its pages.
fn complete(space: &Space, root: F) -> BTreeSet<F> {
    let mut names = BTreeSet::new();
    for page in tree::pages_below(space.page_store(), root) {
        let (place, page) = page.unwrap();
        names.insert(place.name);
        for name in page.entries().iter().filter_map(ValueName::of_entry) {
            assert!(space.value(&name).unwrap().is_some(), "a value of the state is gone");
        }
    }
    names
}

#[test]
fn superseded_pages_and_values_are_removed() {
    let world = World::new(6, 2);
    let mut rng = rng(6);
    for round in 0..600u32 {
        let key = key(&format!("k{}", rng.gen_range(0..20)));
        let length = if rng.gen_bool(0.3) { 300 } else { 8 };
        let mut value = vec![0; length];
        // Some values are used for several keys, and again after they were superseded.
        value[..4].copy_from_slice(&(round % 97).to_be_bytes());
        let value = rng.gen_bool(0.9).then_some(value);
        world.space.write(1, &world.secrets[1], vec![Write::new(key, value)]).unwrap();
    }
    let latest = complete(&world.space, world.space.status().root);
    let proved = complete(&world.space, world.space.id());
    // Candidates wait for a collection; all but the needed pages go then.
    world.space.collect(usize::MAX).unwrap();
    assert_eq!(count(&*world.store, Column::Pages), latest.union(&proved).count());
    assert_eq!(count(&*world.store, Column::Garbage), 0);
    complete(&world.space, world.space.status().root);
    complete(&world.space, world.space.id());
    assert_eq!(world.rebuilt(), world.space.status().root);
}

/// A reader sees the state that it began with, whatever is written and removed meanwhile.
#[test]
fn a_state_in_use_is_kept() {
    let world = World::new(6, 2);
    for index in 0..100 {
        world.write(1, &[(&format!("k{index}"), Some(b"first"))]);
    }
    let mut scan = world.space.scan_prefix(At::Latest, Some(ApplicationKey::shared(b"k"))).unwrap();
    let first = scan.next().unwrap().unwrap();
    assert_eq!(first.value.as_deref(), Some(&b"first"[..]));
    for index in 0..100 {
        world.write(1, &[(&format!("k{index}"), Some(b"second"))]);
    }
    world.space.collect(usize::MAX).unwrap();
    let rest: Vec<_> = scan.map(Result::unwrap).collect();
    assert_eq!(rest.len(), 99);
    assert!(rest.iter().all(|found| found.value.as_deref() == Some(&b"first"[..])));
    world.space.collect(usize::MAX).unwrap();
    assert_eq!(count(&*world.store, Column::Garbage), 0);
}

#[test]
fn a_collection_that_fails_at_any_write_or_read_loses_nothing() {
    let (store, fault) = FailingStore::new(MemoryStore::new());
    let world = World::on(Arc::new(store), 1, 2);
    for round in 0..30 {
        world.write(1, &[("a", Some(format!("{round}").as_bytes())), ("b", Some(b"same"))]);
    }
    for reads in 0.. {
        fault.reads_after(reads);
        let done = world.space.collect(10);
        fault.heal();
        complete(&world.space, world.space.status().root);
        if done.is_ok_and(|collected| collected.pages + collected.values == 0) {
            break;
        }
    }
    world.write(1, &[("a", Some(b"last"))]);
    fault.writes_after(0);
    world.space.collect(usize::MAX).unwrap_err();
    fault.heal();
    complete(&world.space, world.space.status().root);
    let reopened = Space::open(world.store.clone()).unwrap();
    complete(&reopened, reopened.status().root);
    reopened.collect(usize::MAX).unwrap();
    complete(&reopened, reopened.status().root);
}

/// The size does not grow with the number of puts. `ROOTFOLD_PUTS` sets another number than 1,000.
#[test]
fn the_database_stays_small() {
    let puts = std::env::var("ROOTFOLD_PUTS").map_or(1_000, |puts| puts.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.redb");
    let (genesis, secrets) = genesis(5, 1);
    let space = Space::create(Arc::new(RedbStore::open(&path).unwrap()), &genesis).unwrap();
    for round in 0..puts {
        let write = Write::new(key(&format!("k{}", round % 100)), Some(vec![7; 40]));
        space.write(0, &secrets[0], vec![write]).unwrap();
    }
    let bytes = std::fs::metadata(&path).unwrap().len();
    let name = format!("bytes of the database after {puts} puts on 100 keys");
    crate::common::figure(&name, bytes, 20_000_000);
}
