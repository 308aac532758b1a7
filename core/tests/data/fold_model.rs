//! The fold against a model: random logs in random epochs result in the state of a plain map, and in
//! the tree of that state.

use std::{collections::BTreeMap, convert::Infallible};

use ark_ff::AdditiveGroup;
use proptest::{collection::vec, prelude::*, sample::Index};
use rootfold_core::{
    fold::{fold, Epoch},
    head::Head,
    item::Entry,
    key::Key,
    log::{Op, SignedOp, Tip},
    run::Run,
    space::{Genesis, Sharing},
    stamp::Stamp,
    tree, F,
};

use crate::common::{key, salt, secret_of, Writer};

/// The writers of the genesis config. The owner's first op admits one more.
const GENESIS_WRITERS: u32 = 3;
const ADMITTED: u32 = GENESIS_WRITERS;

type State = BTreeMap<Key, Entry>;

/// One writer's whole log: signed ops, the tip before each op, and the last tip.
struct Log {
    writer: u32,
    ops: Vec<SignedOp>,
    tips: Vec<Tip>,
}

/// An op before signing: increase of the clock, key, value (0 is a tombstone).
type Draft = (u8, u8, u8);

fn genesis() -> Genesis {
    let keys = (0..GENESIS_WRITERS).map(|w| secret_of(w).public_key()).collect();
    Genesis::new(salt(), Sharing::Everyone, keys).unwrap()
}

fn grant() -> Op {
    let head = Head::first(salt(), secret_of(ADMITTED).public_key(), true);
    Op { more: false, ts: 1, key: Key::head(ADMITTED), value: head.digest() }
}

fn write(mut writer: Writer, first: Option<Op>, drafts: &[Draft]) -> Log {
    let mut ts = first.map_or(writer.tip.stamp.ts, |op| op.ts);
    let drafted = drafts.iter().map(|(step, name, value)| {
        ts += 1 + u64::from(step % 4);
        let key = key(&format!("key {}", name % 8));
        Op { more: false, ts, key, value: F::from(u64::from(*value)) }
    });
    let (mut ops, mut tips) = (vec![], vec![writer.tip]);
    for op in first.into_iter().chain(drafted) {
        ops.push(writer.append(op));
        tips.push(writer.tip);
    }
    Log { writer: writer.id, ops, tips }
}

fn logs(drafts: &[Vec<Draft>]) -> Vec<Log> {
    let head = Head::first(salt(), secret_of(ADMITTED).public_key(), true);
    let tip = Tip { head, stamp: Stamp { ts: 1, writer: 0 } };
    (0u32..)
        .zip(drafts)
        .map(|(id, drafts)| match id {
            0 => write(Writer::genesis(0), Some(grant()), drafts),
            ADMITTED => write(Writer { id, secret: secret_of(id), tip }, None, drafts),
            _ => write(Writer::genesis(id), None, drafts),
        })
        .collect()
}

/// Cuts each log into one part per epoch.
fn epochs(logs: &[Log], cuts: &[Vec<Index>]) -> Vec<Epoch> {
    let count = cuts[0].len() + 1;
    let mut epochs = vec![Epoch::default(); count];
    for (log, cuts) in logs.iter().zip(cuts) {
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(log.ops.len() + 1)).collect();
        ends.sort_unstable();
        // The first epoch folds the grant, and later epochs the ops of the admitted writer.
        match log.writer {
            0 => ends.iter_mut().for_each(|end| *end = (*end).max(1)),
            ADMITTED => ends[0] = 0,
            _ => {}
        }
        ends.push(log.ops.len());
        let mut from = 0;
        for (epoch, to) in epochs.iter_mut().zip(ends) {
            if from < to {
                let run = Run {
                    writer: log.writer,
                    before: log.tips[from],
                    ops: log.ops[from..to].iter().map(|signed| signed.op).collect(),
                    signature: log.ops[to - 1].signature.unwrap(),
                };
                epoch.runs.push(run.check().unwrap());
                assert_eq!(epoch.runs.last().unwrap().after(), log.tips[to]);
            }
            from = to;
        }
    }
    epochs
}

/// Folds all epochs. Returns the state and the root of the tree.
fn fold_all(epochs: &[Epoch]) -> (State, F) {
    let entries = genesis().entries();
    let mut state: State = entries.iter().map(|entry| (entry.key, *entry)).collect();
    let mut store = tree::MemoryStore::default();
    let built = tree::build(&entries);
    let mut root = built.root;
    assert_eq!(root, genesis().space_id());
    store.apply(&built);
    for epoch in epochs {
        let from_map = |key: &Key| Ok::<_, Infallible>(state.get(key).copied());
        let upserts = fold(&from_map, epoch).unwrap();
        let from_tree = |key: &Key| tree::lookup(&store, root, key);
        assert_eq!(fold(&from_tree, epoch).unwrap(), upserts);
        assert!(upserts.windows(2).all(|pair| pair[0].key < pair[1].key));
        let update = tree::update(&store, root, &upserts).unwrap();
        root = update.root;
        store.apply(&update);
        for entry in upserts {
            let old = state.insert(entry.key, entry);
            assert!(old.is_none_or(|old| old.stamp < entry.stamp));
        }
    }
    (state, root)
}

/// The expected state: the latest op of each key, and the last tip of each log.
fn model(logs: &[Log]) -> State {
    let mut state: State = genesis().entries().iter().map(|e| (e.key, *e)).collect();
    for log in logs {
        for signed in &log.ops {
            let stamp = Stamp { ts: signed.op.ts, writer: log.writer };
            let entry = Entry { key: signed.op.key, stamp, value: signed.op.value };
            let stays = state.get(&entry.key).is_some_and(|old| old.stamp > stamp);
            if !stays {
                state.insert(entry.key, entry);
            }
        }
    }
    for log in logs.iter().filter(|log| !log.ops.is_empty()) {
        let tip = log.tips.last().unwrap();
        let key = Key::head(log.writer);
        state.insert(key, Entry { key, stamp: tip.stamp, value: tip.head.digest() });
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn cuts_and_order_do_not_matter(
        drafts in vec(vec(any::<Draft>(), 0..8), GENESIS_WRITERS as usize + 1),
        fine in vec(vec(any::<Index>(), 4), GENESIS_WRITERS as usize + 1),
        coarse in vec(vec(any::<Index>(), 1), GENESIS_WRITERS as usize + 1),
    ) {
        let logs = logs(&drafts);
        let expected = model(&logs);
        let entries: Vec<Entry> = expected.values().copied().collect();
        let expected_root = tree::build(&entries).root;
        for cuts in [&fine, &coarse] {
            let (state, root) = fold_all(&epochs(&logs, cuts));
            prop_assert_eq!(&state, &expected);
            prop_assert_eq!(root, expected_root);
        }
    }
}

#[test]
fn an_epoch_without_runs_writes_nothing() {
    let nothing = |_: &Key| Ok::<_, Infallible>(None);
    assert_eq!(fold(&nothing, &Epoch::default()), Ok(vec![]));
}

#[test]
fn an_op_that_loses_leaves_only_its_head() {
    let young = write(Writer::genesis(1), None, &[(3, 0, 9)]);
    let old = write(Writer::genesis(0), None, &[(0, 0, 8)]);
    let all = |log: &Log| Run {
        writer: log.writer,
        before: log.tips[0],
        ops: log.ops.iter().map(|signed| signed.op).collect(),
        signature: log.ops.last().unwrap().signature.unwrap(),
    };
    let (young, old) = (all(&young).check().unwrap(), all(&old).check().unwrap());
    let mut state: State = genesis().entries().iter().map(|e| (e.key, *e)).collect();
    let epoch = Epoch { runs: vec![young.clone()] };
    for entry in fold(&|key: &Key| Ok::<_, Infallible>(state.get(key).copied()), &epoch).unwrap() {
        state.insert(entry.key, entry);
    }
    let epoch = Epoch { runs: vec![old.clone()] };
    let upserts = fold(&|key: &Key| Ok::<_, Infallible>(state.get(key).copied()), &epoch).unwrap();
    assert_eq!(upserts, vec![old.after().entry(0)]);
    // In one epoch the later op wins, in either order of the writers.
    let genesis: State = genesis().entries().iter().map(|e| (e.key, *e)).collect();
    let read = |key: &Key| Ok::<_, Infallible>(genesis.get(key).copied());
    let upserts = fold(&read, &Epoch { runs: vec![old.clone(), young.clone()] }).unwrap();
    let expected = vec![old.after().entry(0), young.after().entry(1), young.ops()[0].entry(1)];
    assert_eq!(upserts, expected);
    assert_ne!(young.ops()[0].value, F::ZERO);
}
