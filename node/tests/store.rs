//! The contract of stores, tested on all of them.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::Arc;

use common::{genesis, World};
use rootfold_core::tree;
use rootfold_light::query::At;
#[cfg(feature = "rocksdb")]
use rootfold_node::store::RocksStore;
use rootfold_node::{
    data_dir::{DataDir, DataDirError},
    space::{IngestError, Space, SpaceError},
    store::{
        check_contract, dump, Batch, ChecksummedStore, Column, Durability, FailingStore,
        MemoryStore, RedbStore, Store, StoreError,
    },
};

#[test]
fn memory_keeps_the_contract() {
    check_contract(&MemoryStore::new()).unwrap();
}

#[test]
fn redb_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    check_contract(&RedbStore::open(&folder.path().join("db.redb")).unwrap()).unwrap();
}

#[cfg(feature = "rocksdb")]
#[test]
fn rocksdb_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    check_contract(&RocksStore::open(folder.path()).unwrap()).unwrap();
}

#[test]
fn a_checksummed_store_keeps_the_contract() {
    check_contract(&ChecksummedStore::new(MemoryStore::new())).unwrap();
}

/// All that a space tells: its status, its logs, all entries and values, all pages.
fn everything(store: &Arc<MemoryStore>) -> Result<String, String> {
    let space =
        Space::open(Arc::new(ChecksummedStore::new(store.clone()))).map_err(|e| e.to_string())?;
    let mut said = format!("{:?}", space.status());
    for (writer, tip) in space.writers() {
        said += &format!(
            "{writer} {tip:?} {:?}",
            space.log(writer, 0, 100).map_err(|e| e.to_string())?
        );
    }
    for found in space.scan_prefix(At::Latest, None).map_err(|e| e.to_string())? {
        said += &format!("{:?}", found.map_err(|e| e.to_string())?);
    }
    for page in tree::pages_below(space.page_store(), space.status().root) {
        let (place, page) = page.map_err(|e| e.to_string())?;
        said += &format!("{place:?} {page:?}");
    }
    Ok(said)
}

/// A record that is torn, altered or that of another key is noticed wherever it is read. A lost one is
/// an error or something missing, never another answer.
#[test]
fn faults_of_the_disk_are_noticed() {
    let inner = Arc::new(MemoryStore::new());
    let world = World::on(Arc::new(ChecksummedStore::new(inner.clone())), 13, 2);
    let long = vec![3; 400];
    world.write(0, &[("a", Some(b"1")), ("b", Some(&long)), ("c", None)]);
    world.write(1, &[("a", Some(b"2")), ("d", Some(b"4"))]);
    let right = everything(&inner).unwrap();
    let records = dump(&*inner).unwrap();
    let set = |column: Column, key: &[u8], value: Option<Vec<u8>>| {
        let mut batch = Batch::new();
        match value {
            Some(value) => batch.put(column, key, value),
            None => batch.delete(column, key),
        }
        inner.write(batch, Durability::Synced).unwrap();
    };
    let (mut noticed, mut tried) = (0, 0);
    for (index, (column, key, value)) in records.iter().enumerate() {
        let mut altered = value.clone();
        altered[value.len() / 2] ^= 4;
        let torn = value[..value.len() / 2].to_vec();
        let other =
            records.iter().skip(index + 1).find(|(of, _, theirs)| of == column && theirs != value);
        let misplaced = other.map(|(_, _, theirs)| theirs.clone());
        for fault in [Some(altered), Some(torn), misplaced, None] {
            let lost = fault.is_none();
            set(*column, key, fault);
            tried += 1;
            match everything(&inner) {
                Err(_) => noticed += 1,
                // Not read for this, or lost without an effect.
                Ok(said) if said == right => {}
                Ok(said) => {
                    let missing = said.contains("missing: true") || said.len() < right.len();
                    assert!(lost && missing, "{column:?} {}: another answer", hex::encode(key));
                    noticed += 1;
                }
            }
            set(*column, key, Some(value.clone()));
        }
    }
    assert_eq!(everything(&inner).unwrap(), right);
    println!("{noticed} of {tried} faults of {} records are noticed", records.len());
    assert!(noticed * 3 > tried, "{noticed} of {tried}");
}

#[test]
fn a_failing_store_keeps_the_contract_without_faults() {
    let (store, _) = FailingStore::new(MemoryStore::new());
    check_contract(&store).unwrap();
}

fn keeps_data_over_a_restart_and_admits_one_process<S: Store>(
    open: impl Fn() -> Result<S, StoreError>,
) {
    let store = open().unwrap();
    let mut batch = Batch::new();
    Column::ALL.iter().for_each(|column| batch.put(*column, *b"k", column.name()));
    store.write(batch, Durability::Synced).unwrap();
    let before = dump(&store).unwrap();
    assert_eq!(before.len(), Column::ALL.len());

    let second = open().err().unwrap();
    assert!(matches!(second, StoreError::InUse { .. }), "{second}");
    drop(store);
    assert_eq!(dump(&open().unwrap()).unwrap(), before);
}

#[test]
fn redb_keeps_data_over_a_restart_and_admits_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.redb");
    keeps_data_over_a_restart_and_admits_one_process(|| RedbStore::open(&path));
}

#[test]
fn redb_names_a_database_when_it_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.redb");
    drop(RedbStore::open(&path).unwrap());
    let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name());
    assert_eq!(files.collect::<Vec<_>>(), ["db.redb"]);
    // redb does not open a file whose creation was cut off.
    for damaged in [&[0; 4096][..], b""] {
        std::fs::write(&path, damaged).unwrap();
        let Err(refused) = RedbStore::open(&path) else { panic!("a damaged file is opened") };
        assert!(refused.to_string().contains("db.redb"), "{refused}");
        assert_eq!(std::fs::read(&path).unwrap(), damaged, "nothing is written");
    }
}

#[cfg(feature = "rocksdb")]
#[test]
fn rocksdb_keeps_data_over_a_restart_and_admits_one_process() {
    let folder = tempfile::tempdir().unwrap();
    keeps_data_over_a_restart_and_admits_one_process(|| RocksStore::open(folder.path()));
}

/// A data directory keeps its kind of store, whatever the features of the program.
#[test]
fn a_data_directory_keeps_its_store() {
    let folder = tempfile::tempdir().unwrap();
    drop(RedbStore::open(&folder.path().join("db.redb")).unwrap());
    DataDir::new(folder.path()).store().unwrap();
    assert!(!folder.path().join("db").exists());

    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("db")).unwrap();
    let opened = DataDir::new(folder.path()).store();
    if cfg!(feature = "rocksdb") {
        opened.unwrap();
    } else {
        let refused = opened.err().unwrap().to_string();
        assert!(refused.contains("--features rocksdb"), "{refused}");
    }
    assert!(!folder.path().join("db.redb").exists());
}

#[test]
fn a_failed_write_changes_neither_store_nor_space() {
    let (store, fault) = FailingStore::new(MemoryStore::new());
    let world = World::on(Arc::new(store), 1, 2);
    world.write(1, &[("a", Some(b"1"))]);
    let (before, status) = (world.dump(), world.space.status());
    let next = world.compose(1, &[("b", Some(b"2")), ("a", None)]);

    fault.writes_after(0);
    let refused = world.space.ingest(&next).unwrap_err();
    assert!(matches!(refused, IngestError::Store(StoreError::Write { .. })), "{refused}");
    assert!(!refused.is_refusal());
    fault.heal();
    assert_eq!(world.dump(), before);
    assert_eq!(world.space.status(), status);

    // Without faults the same ops are ingested.
    assert_eq!(world.space.ingest(&next).unwrap().ops, 2);
}

#[test]
fn a_failed_read_during_an_ingest_changes_nothing() {
    let (store, fault) = FailingStore::new(MemoryStore::new());
    let world = World::on(Arc::new(store), 1, 2);
    world.write(0, &[("a", Some(b"1"))]);
    let before = world.dump();
    let next = world.compose(0, &[("b", Some(b"2"))]);
    let reopened = Space::open(world.store.clone()).unwrap();
    for reads in 0.. {
        fault.reads_after(reads);
        let done = reopened.ingest(&next);
        fault.heal();
        if done.is_ok() {
            println!("an ingest takes {reads} reads");
            break;
        }
        assert!(!done.unwrap_err().is_refusal());
        assert_eq!(world.dump(), before);
    }
}

#[test]
fn an_ingest_is_one_batch() {
    let (store, fault) = FailingStore::new(MemoryStore::new());
    let world = World::on(Arc::new(store), 1, 3);
    let next = world.compose(2, &[("a", Some(b"1")), ("b", Some(b"2")), ("c", None)]);
    fault.writes_after(1);
    world.space.ingest(&next).unwrap();
}

#[test]
fn a_data_directory_has_one_space() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::new(folder.path().join("data"));
    assert!(matches!(data.open().err().unwrap(), DataDirError::Empty { .. }));
    let (genesis, _) = genesis(1, 1);
    let space = data.create(&genesis).unwrap();
    assert_eq!(space.id(), genesis.space_id());
    assert_eq!(space.genesis().unwrap().unwrap(), genesis);
    drop(space);

    let again = data.create(&genesis).err().unwrap();
    let DataDirError::Space { source, .. } = again else { panic!("{again}") };
    assert!(matches!(*source, SpaceError::Exists { .. }), "{source}");
    assert_eq!(data.open().unwrap().id(), genesis.space_id());
}

#[test]
fn damaged_records_are_named() {
    let world = World::new(1, 1);
    world.write(0, &[("a", Some(b"1"))]);
    let mut batch = Batch::new();
    batch.put(Column::Heads, [0, 0, 0, 0], *b"nonsense");
    world.store.write(batch, Durability::Synced).unwrap();
    let refused = Space::open(world.store.clone()).err().unwrap();
    let said = refused.to_string();
    assert!(said.contains("heads") && said.contains("00000000"), "{said}");
}
