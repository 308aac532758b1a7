//! The honest space, from which all honest seeds are made: its ops, its proof and its next ops.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use rootfold_core::{
    eddsa::SecretKey,
    key::Key,
    log::{LogBatch, SignedOp, Tip},
    mark::Mark,
    space::{Genesis, Sharing},
    tree::{pages_below, Page},
    F,
};
use rootfold_light::{
    fork::Fork,
    invite::Invite,
    signing::{compose, grant, Admission, Change},
    snapshot::{Snapshot, SnapshotHeader},
    submission::Submission,
    values::{Value, ValueName},
};
use rootfold_node::{
    space::{Policy, Space, Tips},
    store::{dump, Batch, Dump, Durability, MemoryStore, Store},
};
use rootfold_verifier::{PreparedVerifyingKey, VerifyingKey};
use tokio::runtime::Runtime;

/// The encoded proof that the root of the space is the fold of its ops.
pub const PROOF: &[u8] = include_bytes!("../corpus/proof/honest");
/// The encoded verifying key of [`PROOF`].
pub const VERIFYING_KEY: &[u8] = include_bytes!("../corpus/verifying_key/honest");
/// The encoded snapshot header whose statement [`PROOF`] proves.
pub const HEADER: &[u8] = include_bytes!("../corpus/snapshot_header/honest");

/// The term of the marks in the honest space.
pub const TERM: &[u8] = b"cats";

/// A short placeholder for [`PROOF`] inside larger inputs. It keeps their seeds small, and most
/// mutations then change the other bytes. Proofs have separate targets.
pub const PROOF_ALIAS: &[u8] = b"honest";

/// The id of a writer that the owner admitted after genesis.
pub const ADMITTED: u32 = 7;

/// An honest space.
pub struct Honest {
    /// The genesis config.
    pub genesis: Genesis,
    /// The space, with exactly the ops that the proof covers.
    pub space: Space,
    store: Arc<MemoryStore>,
    /// The secret keys of the writers 0 (the owner), 1 and [`ADMITTED`].
    pub secrets: BTreeMap<u32, SecretKey>,
    /// The ends of the logs in [`Honest::space`].
    pub tips: Tips,
    /// The next ops of all three writers, after [`Honest::tips`]. In the last batch, only the last
    /// op is signed.
    pub next: Submission,
    /// The pages of the tree by name, decoded and as the node sends them.
    pub pages: BTreeMap<F, (Page, Vec<u8>)>,
    /// The values of the tree by name.
    pub values: BTreeMap<ValueName, Vec<u8>>,
}

/// The honest space. It is made at the first call.
pub fn honest() -> &'static Honest {
    static HONEST: OnceLock<Honest> = OnceLock::new();
    HONEST.get_or_init(Honest::make)
}

/// The prepared verifying key of the honest proof. It is prepared at the first call.
///
/// # Panics
/// If the committed key is not valid. Then the seeds must be generated again.
pub fn verifying_key() -> &'static Arc<PreparedVerifyingKey> {
    static KEY: OnceLock<Arc<PreparedVerifyingKey>> = OnceLock::new();
    KEY.get_or_init(|| {
        let key = VerifyingKey::decode(VERIFYING_KEY).expect("the committed key decodes");
        Arc::new(PreparedVerifyingKey::new(key).expect("the committed key is valid"))
    })
}

/// The header of the honest snapshot.
///
/// # Panics
/// If the committed header is not valid. Then the seeds must be generated again.
pub fn header() -> SnapshotHeader {
    SnapshotHeader::from_bytes(HEADER).expect("the committed header decodes")
}

/// The invite to the honest space with the parameters of its proof.
pub fn invite() -> Invite {
    let SnapshotHeader { space, parameters, .. } = header();
    Invite { space, parameters }
}

/// Replaces [`PROOF_ALIAS`] by [`PROOF`].
pub fn resolve(mut snapshot: Snapshot) -> Snapshot {
    if snapshot.proof == PROOF_ALIAS {
        snapshot.proof = PROOF.to_vec();
    }
    snapshot
}

/// Runs a future to completion, on a runtime of one thread.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let make = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime of one thread starts")
    };
    RUNTIME.get_or_init(make).block_on(work)
}

fn put(key: &str, value: &[u8]) -> Change {
    Change { value: Some(value.to_vec()), ..delete(key) }
}

fn delete(key: &str) -> Change {
    let key = Key::shared(key.as_bytes()).expect("the keys of the honest space are short");
    Change::new(key, None, 1_000)
}

impl Honest {
    fn make() -> Honest {
        let secrets: BTreeMap<u32, SecretKey> =
            [0, 1, ADMITTED].map(|w| (w, SecretKey::from_bytes([w as u8 + 1; 32]))).into();
        let first = [&secrets[&0], &secrets[&1]].map(SecretKey::public_key).to_vec();
        let genesis = Genesis::new(F::from(2026u64), Sharing::Everyone, first)
            .expect("the honest keys are valid");
        let store = Arc::new(MemoryStore::new());
        let space = Space::create(store.clone(), &genesis).expect("the store is empty");

        let said = |writer: u32, changes: Vec<Change>| {
            let tip = space.tip(writer).expect("the honest writer is admitted");
            compose(&tip, writer, &secrets[&writer], changes)
                .expect("the honest ops extend the log")
                .0
        };
        let take = |submission: &Submission| {
            space.ingest(submission).expect("honest ops are valid");
        };
        take(&said(0, vec![put("colour", b"blue"), put("long", &[7; 300]), put("gone", b"soon")]));
        take(&said(0, vec![delete("gone")]));
        let (owner, admitted) =
            (space.tip(0).expect("the space has an owner"), &secrets[&ADMITTED]);
        let admission =
            Admission { writer: ADMITTED, public_key: admitted.public_key(), shared: true };
        let granted = grant(&owner, &secrets[&0], genesis.salt, &admission, 1_000);
        take(&granted.expect("the owner can grant").0);
        take(&said(1, vec![put("colour", b"green"), put("empty", b"")]));
        let tagged = |name: &[u8], order: &[u8], text: &[u8]| {
            let key = Key::owned(1, name).expect("the keys of the honest space are short");
            let mark = Mark::new(TERM, order).expect("the mark is short");
            Change { marks: vec![mark], ..Change::new(key, Some(text.to_vec()), 1_000) }
        };
        take(&said(1, vec![tagged(b"one", b"1", b"first"), tagged(b"two", b"2", b"second")]));
        // An entry that is no longer current, and one that is withdrawn.
        take(&said(1, vec![tagged(b"three", b"3", b"third"), tagged(b"four", b"4", &[9; 300])]));
        let stale = Change { marks: Vec::new(), ..tagged(b"two", b"2", b"edited") };
        let withdrawn = tagged(b"three", b"3", b"third");
        let withdrawn = Change {
            withdrawn: withdrawn.marks.iter().map(|mark| mark.key(&withdrawn.key)).collect(),
            ..Change::new(withdrawn.key, None, 1_000)
        };
        take(&said(1, vec![stale, withdrawn]));

        let last = said(ADMITTED, vec![put("n", b"first"), put("o", &[8; 40])]);
        // Two ops of the owner, each signed.
        let after = |tip: &Tip, change| {
            compose(tip, 0, &secrets[&0], vec![change]).expect("the honest ops extend the log")
        };
        let tip = space.tip(0).expect("the space has an owner");
        let (mut next, tip) = after(&tip, put("colour", b"red"));
        let (mut second, _) = after(&tip, put("a", b"one"));
        next.batches[0].ops.append(&mut second.batches[0].ops);
        next.values.append(&mut second.values);
        let next = joined(joined(next, said(1, vec![delete("long")])), last);

        let root = space.status().root;
        let (mut pages, mut values) = (BTreeMap::new(), BTreeMap::new());
        for page in pages_below(space.page_store(), root) {
            let (place, page) = page.expect("the honest tree is complete");
            for name in page.entries().iter().filter_map(ValueName::of_entry) {
                let value = space.value(&name).expect("reading from memory succeeds");
                values.insert(name, value.expect("the space has the value"));
            }
            let bytes = space.page_bytes(&place.name).expect("reading from memory succeeds");
            let bytes = bytes.expect("the space has the page");
            pages.insert(place.name, (Page::clone(&page), bytes));
        }
        let tips = space.writers();
        Honest { genesis, space, store, secrets, tips, next, pages, values }
    }

    /// A copy of the space, which can be changed.
    pub fn copy(&self) -> Space {
        let store = MemoryStore::new();
        let mut batch = Batch::new();
        for (column, key, value) in self.dump() {
            batch.put(column, key, value);
        }
        store.write(batch, Durability::Buffered).expect("writing to memory succeeds");
        let space = Space::open(Arc::new(store)).expect("the copy is a valid space");
        // Without the rule about clocks, more hostile ops reach the rules of logs.
        space.set_policy(Policy { max_ahead: Duration::MAX, ..Policy::default() });
        space
    }

    /// Evidence that writer 1 has signed two continuations of the log in [`Honest::space`].
    pub fn fork(&self) -> Fork {
        let tip = self.tips[&1];
        let branch = |value: &[u8]| {
            let other = compose(&tip, 1, &self.secrets[&1], vec![put("forked", value)]);
            other.expect("the ops extend the log").0.batches.remove(0)
        };
        Fork { writer: 1, base: tip.head, branches: [branch(b"one"), branch(b"two")] }
    }

    /// All records of the store.
    pub fn dump(&self) -> Dump {
        dump(&*self.store).expect("reading from memory succeeds")
    }

    /// The honest log of a writer, including its ops in [`Honest::next`].
    pub fn log(&self, writer: u32) -> Vec<SignedOp> {
        let held = self.space.log(writer, 0, usize::MAX).expect("reading from memory succeeds");
        let batches = self.next.batches.iter().filter(|batch| batch.writer == writer);
        let held = held.into_iter().map(|(_, op)| op);
        held.chain(batches.flat_map(|batch| batch.ops.iter().copied())).collect()
    }

    /// The batch of a writer in [`Honest::next`], and the values of all batches.
    pub fn next_of(&self, writer: u32) -> (&LogBatch, &[Value]) {
        let batch = self.next.batches.iter().find(|batch| batch.writer == writer);
        (batch.expect("every honest writer has next ops"), &self.next.values)
    }
}

fn joined(mut one: Submission, other: Submission) -> Submission {
    one.batches.extend(other.batches);
    one.values.extend(other.values);
    one
}
