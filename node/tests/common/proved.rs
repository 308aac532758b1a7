//! A proved space of profile `small`, made once for all tests of a binary.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use rootfold_core::step::SMALL;
use rootfold_light::{invite::Invite, snapshot::Snapshot};
use rootfold_node::{
    bootstrap::{self, Bootstrap, BootstrapError, BootstrapReport},
    data_dir::DataDir,
    prove::Prover,
    space::EpochLimits,
};
use rootfold_prover::{engine, Parameters};
use rootfold_verifier::PreparedVerifyingKey;
use tempfile::TempDir;

use super::{
    net::{serve, serve_lies, Lies, Running},
    World,
};

/// The parameters of the small profile, kept between runs of the tests.
pub fn parameters() -> Arc<Parameters> {
    static PARAMETERS: OnceLock<Arc<Parameters>> = OnceLock::new();
    let make = || {
        let folder = match std::env::var_os("ROOTFOLD_PARAMS_DIR") {
            Some(folder) => folder.into(),
            None => Path::new(env!("CARGO_TARGET_TMPDIR")).join("rootfold-params"),
        };
        Arc::new(engine::load_or_generate(&folder, &SMALL, &mut |_| {}).unwrap())
    };
    PARAMETERS.get_or_init(make).clone()
}

pub fn verifying_key() -> Arc<PreparedVerifyingKey> {
    static KEY: OnceLock<Arc<PreparedVerifyingKey>> = OnceLock::new();
    KEY.get_or_init(|| Arc::new(parameters().verifying_key().clone())).clone()
}

pub fn invite(world: &World) -> Invite {
    Invite { space: world.space.id(), parameters: parameters().id() }
}

/// Bootstraps a data directory from servers of [`proved`].
pub async fn bootstrap_into(
    data: &DataDir,
    servers: &[&Running],
) -> Result<BootstrapReport, BootstrapError> {
    let bootstrap = Bootstrap {
        peers: servers.iter().map(|server| server.address.clone()).collect(),
        invite: invite(&proved().world),
        data_dir: data.clone(),
        key: None,
    };
    bootstrap::run(bootstrap, &()).await
}

/// A server of node A.
pub async fn honest() -> Running {
    let proved = tokio::task::spawn_blocking(proved).await.unwrap();
    serve(&proved.world.space, Some(verifying_key())).await
}

/// A server of node A that lies.
pub async fn liar(lies: Lies) -> Running {
    let proved = tokio::task::spawn_blocking(proved).await.unwrap();
    serve_lies(&proved.world.space, Some(verifying_key()), lies).await
}

/// A data directory for running proofs; the store may be in memory.
pub fn folder() -> (TempDir, DataDir) {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::new(dir.path());
    (dir, data)
}

pub const LIMITS: EpochLimits = EpochLimits { max_ops: 8 };

/// Node A: two snapshots, one after the first epoch and one after all, and a tail.
pub struct Proved {
    pub world: World,
    pub stale: Snapshot,
    pub newest: Snapshot,
    /// A snapshot of another space under the same parameters.
    pub foreign: Snapshot,
}

pub fn proved() -> &'static Proved {
    static PROVED: OnceLock<Proved> = OnceLock::new();
    PROVED.get_or_init(|| kept::load().unwrap_or_else(|| kept::save(make())))
}

fn make() -> Proved {
    let world = World::new(11, 3);
    let large = vec![5; 3_000];
    world.write(0, &[("a", Some(b"one")), ("b", Some(b"two")), ("c", Some(&large))]);
    world.write(1, &[("a", Some(b"three")), ("d", Some(b"four"))]);
    let (_kept, data) = folder();
    let mut prover = Prover::open(world.space.clone(), &data, parameters()).unwrap();
    prover.prove(LIMITS, None, &()).unwrap();
    let stale = prover.publish(&()).unwrap().0;

    let keys: Vec<String> = (0..9).map(|i| format!("key {i}")).collect();
    let larger = vec![6; 4_000];
    for k in &keys {
        world.write(2, &[(k.as_str(), Some(k.as_bytes()))]);
    }
    world.write(1, &[("d", None), ("e", Some(&larger))]);
    let report = prover.prove(LIMITS, None, &()).unwrap();
    assert!(report.epochs >= 2, "{report:?}");
    let newest = prover.publish(&()).unwrap().0;

    world.write(0, &[("tail", Some(b"after the snapshot")), ("a", None)]);
    world.write(2, &[("tail", Some(b"later"))]);

    let other = World::new(12, 1);
    other.write(0, &[("a", Some(b"one"))]);
    let (_kept, data) = folder();
    let mut prover = Prover::open(other.space.clone(), &data, parameters()).unwrap();
    prover.prove(LIMITS, None, &()).unwrap();
    let foreign = prover.publish(&()).unwrap().0;
    Proved { world, stale, newest, foreign }
}

/// Nextest runs every test in its own process. The first process stores the proved space for the others,
/// under the hash of the test binary, so that no other code uses it.
mod kept {
    use std::{
        env, fs,
        path::{Path, PathBuf},
        sync::Arc,
    };

    use rootfold_light::snapshot::Snapshot;
    use rootfold_node::{
        space::Space,
        store::{Batch, Column, Durability, MemoryStore, Store},
    };
    use rootfold_prover::atomic::write_atomically;

    use super::Proved;
    use crate::common::{genesis, World};

    const NAME: &str = "proved-space-";

    fn path() -> PathBuf {
        let binary = fs::read(env::current_exe().unwrap()).unwrap();
        let hash = blake3::hash(&binary).to_hex();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let binary = env!("CARGO_CRATE_NAME");
        folder.join(format!("{NAME}{binary}-{}", &hash[..16]))
    }

    fn put(out: &mut Vec<u8>, part: &[u8]) {
        out.extend_from_slice(&(part.len() as u32).to_be_bytes());
        out.extend_from_slice(part);
    }

    fn take<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
        let (length, rest) = bytes.split_first_chunk::<4>().unwrap();
        let (part, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        *bytes = rest;
        part
    }

    pub fn save(proved: Proved) -> Proved {
        let mut out = Vec::new();
        for snapshot in [&proved.stale, &proved.newest, &proved.foreign] {
            put(&mut out, &snapshot.to_bytes());
        }
        for (column, key, value) in proved.world.dump() {
            [column.name().as_bytes(), &key, &value].iter().for_each(|part| put(&mut out, part));
        }
        let path = path();
        remove_older(&path);
        write_atomically(&path, &[&out]).unwrap();
        proved
    }

    /// Removes the files of older binaries.
    fn remove_older(path: &Path) {
        let begin = format!("{NAME}{}-", env!("CARGO_CRATE_NAME"));
        let current = path.file_name().unwrap().to_string_lossy();
        for file in fs::read_dir(path.parent().unwrap()).unwrap().flatten() {
            let name = file.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(&begin) && !name.starts_with(&*current) {
                // Another process may have removed it.
                let _ = fs::remove_file(file.path());
            }
        }
    }

    pub fn load() -> Option<Proved> {
        let bytes = fs::read(path()).ok()?;
        let mut bytes = bytes.as_slice();
        let mut snapshot = || Snapshot::from_bytes(take(&mut bytes)).unwrap();
        let (stale, newest, foreign) = (snapshot(), snapshot(), snapshot());
        let mut batch = Batch::new();
        while !bytes.is_empty() {
            let name = take(&mut bytes);
            let column = Column::ALL.into_iter().find(|c| c.name().as_bytes() == name).unwrap();
            let (key, value) = (take(&mut bytes), take(&mut bytes));
            batch.put(column, key, value);
        }
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        store.write(batch, Durability::Buffered).unwrap();
        let space = Space::open(store.clone()).unwrap();
        let (genesis, secrets) = genesis(11, 3);
        let world = World { store, space, genesis, secrets };
        Some(Proved { world, stale, newest, foreign })
    }
}
