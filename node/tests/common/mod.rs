//! Common parts of the node's tests.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

pub mod net;
pub mod proved;

use std::{sync::Arc, time::Duration};

use ark_ff::UniformRand;
use rand::{rngs::StdRng, SeedableRng};
use rootfold_core::{
    eddsa::{PublicKey, SecretKey},
    field,
    item::Entry,
    key::Key,
    log::{LogBatch, Op, SignedOp, Tip},
    space::{Genesis, Sharing},
    tree, F,
};
use rootfold_light::{
    query::KeyPrefix,
    signing::{self, compose, Admission, Change},
    submission::{Ingested, Submission},
    values::Value,
};
use rootfold_node::{
    space::{Policy, Space},
    store::{dump, Dump, MemoryStore, Store},
};

/// A generator whose seed is printed, to repeat a failed test.
pub fn rng(seed: u64) -> StdRng {
    println!("seed {seed}");
    StdRng::seed_from_u64(seed)
}

/// A time in milliseconds after that of all other ops of a [`World`].
pub const NOW: u64 = 2_000;

/// A space with the secret keys of its first writers.
pub struct World {
    pub store: Arc<dyn Store>,
    pub space: Space,
    pub genesis: Genesis,
    pub secrets: Vec<SecretKey>,
}

pub fn secret(number: u8) -> SecretKey {
    SecretKey::from_bytes([number; 32])
}

pub fn key(text: &str) -> Key {
    Key::shared(text.as_bytes()).unwrap()
}

/// The prefix of shared keys.
pub fn shared_prefix(bytes: &[u8]) -> KeyPrefix {
    KeyPrefix { owner: None, bytes: bytes.to_vec() }
}

pub fn genesis(seed: u64, writers: u8) -> (Genesis, Vec<SecretKey>) {
    let secrets: Vec<SecretKey> = (1..=writers).map(secret).collect();
    let keys = secrets.iter().map(SecretKey::public_key).collect();
    let salt = F::rand(&mut StdRng::seed_from_u64(seed));
    (Genesis::new(salt, Sharing::Everyone, keys).unwrap(), secrets)
}

impl World {
    pub fn new(seed: u64, writers: u8) -> World {
        World::on(Arc::new(MemoryStore::new()), seed, writers)
    }

    pub fn on(store: Arc<dyn Store>, seed: u64, writers: u8) -> World {
        let (genesis, secrets) = genesis(seed, writers);
        let space = Space::create(store.clone(), &genesis).unwrap();
        // Many tests use clocks without regard to the time.
        space.set_policy(Policy { max_ahead: Duration::MAX, ..Policy::default() });
        World { store, space, genesis, secrets }
    }

    /// Three writers; some keys, one of them deleted, one with a long value.
    pub fn with_some_keys() -> World {
        let world = World::new(3, 3);
        world.write(0, &[("a", Some(b"one")), ("b", Some(b"two")), ("gone", Some(b"x"))]);
        world.write(1, &[("c", Some(&[7; 5_000]))]);
        world.write(0, &[("gone", None)]);
        world
    }

    /// The id of the space, as in a message.
    pub fn id(&self) -> Vec<u8> {
        field::to_bytes(&self.space.id()).to_vec()
    }

    pub fn dump(&self) -> Dump {
        dump(&*self.store).unwrap()
    }

    pub fn tip(&self, writer: u32) -> Tip {
        self.space.tip(writer).unwrap()
    }

    /// Signs changes that continue the log of a writer.
    pub fn compose(&self, writer: u32, changes: &[(&str, Option<&[u8]>)]) -> Submission {
        let change = |(k, value): &(&str, Option<&[u8]>)| {
            Change::new(key(k), value.map(<[u8]>::to_vec), 1_000)
        };
        let changes = changes.iter().map(change).collect();
        let secret = &self.secrets[writer as usize];
        compose(&self.tip(writer), writer, secret, changes).unwrap().0
    }

    /// The op with which the owner admits a writer.
    pub fn grant(&self, writer: u32, public_key: PublicKey) -> Submission {
        let admission = Admission { writer, public_key, shared: true };
        let (tip, secret) = (self.tip(0), &self.secrets[0]);
        signing::grant(&tip, secret, self.genesis.salt, &admission, NOW).unwrap().0
    }

    pub fn write(&self, writer: u32, changes: &[(&str, Option<&[u8]>)]) -> Ingested {
        self.space.ingest(&self.compose(writer, changes)).unwrap()
    }

    /// A batch without values whose last op alone is signed.
    pub fn signed_at_end(&self, writer: u32, ops: &[Op]) -> LogBatch {
        let tip = self.tip(writer);
        batch_after(&tip, writer, &self.secrets[writer as usize], ops)
    }

    /// The root of a tree that is built from all entries at once.
    pub fn rebuilt(&self) -> F {
        let entries: Result<Vec<Entry>, _> =
            tree::scan(self.space.page_store(), self.space.status().root, ..).unwrap().collect();
        tree::build(&entries.unwrap()).root
    }
}

/// A batch whose last op alone is signed.
pub fn batch_after(tip: &Tip, writer: u32, secret: &SecretKey, ops: &[Op]) -> LogBatch {
    let mut at = *tip;
    let mut signed: Vec<SignedOp> = Vec::new();
    for op in ops {
        let (op, next) = SignedOp::sign(&at, writer, *op, secret).unwrap();
        signed.push(op);
        at = next;
    }
    let last = signed.len() - 1;
    signed[..last].iter_mut().for_each(|op| op.signature = None);
    LogBatch { writer, first_seq: tip.seq(writer).unwrap(), ops: signed }
}

/// A put op and its value.
pub fn put(ts: u64, k: &str, content: &[u8]) -> (Op, Value) {
    let value = Value::user(content.to_vec());
    (Op { more: false, ts, key: key(k), value: value.name.digest }, value)
}

pub fn submission(batch: LogBatch, values: Vec<Value>) -> Submission {
    Submission { batches: vec![batch], values }
}

/// Prints a measured figure, and adds it to the file in `ROOTFOLD_FIGURES` if that is set.
///
/// # Panics
/// If the value exceeds the bound.
pub fn figure(name: &str, value: u64, bound: u64) {
    use std::io::Write;
    println!("FIGURE {name}: {value} (at most {bound})");
    if let Some(path) = std::env::var_os("ROOTFOLD_FIGURES") {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
        writeln!(file, "{name}\t{value}\t{bound}").unwrap();
    }
    assert!(value <= bound, "{name}: {value}, at most {bound} expected");
}
