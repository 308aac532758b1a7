//! A search for variables that no constraint determines. Every witness variable of an honest step
//! is overwritten, and the values that depend on it are recomputed as a cheating prover would. If
//! all constraints hold then, the variable is free.
//!
//! `free_variables_*.txt` count the free variables by the rules of the constraint that mentions
//! them first, and [`REASONS`] says why they are harmless. After an intended change, rewrite the
//! files by `ROOTFOLD_BLESS=1 cargo nextest run --release -p rootfold-circuits --test soundness
//! under_constrained`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::Path,
};

use ark_ff::{AdditiveGroup, Field, UniformRand};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rootfold_core::{
    key::Key,
    mark::Mark,
    tree::chain::{absorb, iv},
    F,
};

use crate::{
    draft::{opaque, skip, Draft},
    system::Open,
    world::{key, put, Put, World, MALLORY, OWNER},
};

use Freedom::{OtherState, SameState};

/// Why free variables are harmless, by the rules of the constraint that mentions them first.
const REASONS: &[(&str, Freedom, &str)] = &[
    ("L1", SameState, "the writer of a segment that starts no run"),
    ("L2", SameState, "head and stamp of a segment that starts no run"),
    ("L2/Accumulator", SameState, "j and y of a head that is not read"),
    ("L3", SameState, "the ts of an unused slot"),
    ("L4/Accumulator", SameState, "j and y of the point of an unused slot"),
    ("L5", SameState, "the signature of a segment that ends no run: its R8 is on the curve"),
    ("L6/Accumulator", SameState, "j and y of a head that is not written"),
    ("L9", SameState, "the sign of every square root"),
    ("L10", SameState, "the value of an unused slot: its item goes nowhere"),
    ("L11", SameState, "whether the group of an unused slot goes on"),
    ("L12", SameState, "the key and the right that no op puts in place"),
    ("M1", SameState, "key and stamp of a PAD row"),
    ("M2/Accumulator", SameState, "j and y of a row that accumulates nothing: PAD, OLD unread"),
    ("M7", SameState, "the height of a row that accumulates nothing"),
    ("Skip", SameState, "beginnings of nodes that a row does not open, or opens fresh"),
    ("no rule", SameState, "the digest of a tree row that is not OPAQUE, `last` of PAD rows"),
    ("no rule", OtherState, "the seal's bit: nobody must seal; in mid-epoch also `last`, values"),
    (
        "L2",
        OtherState,
        "in mid-epoch: the stamp that is read; acc must meet the tree's at the seal",
    ),
    ("L2/Accumulator", OtherState, "in mid-epoch: j and y; the other lane must meet the point"),
    ("L4/Accumulator", OtherState, "in mid-epoch: j and y; the other lane must meet the point"),
    ("L6/Accumulator", OtherState, "in mid-epoch: j and y; the other lane must meet the point"),
    ("M2/Accumulator", OtherState, "in mid-epoch: j and y; the other lane must meet the point"),
    ("M7", OtherState, "in mid-epoch: a row's height; the other lane must meet the point"),
    ("M1", OtherState, "in mid-epoch: the stamp of an OLD row; co must meet the root at the seal"),
];

/// A whole epoch in one step, with every kind of slot and row, used and unused.
fn sealed() -> Draft {
    let keys = [key('a', 1), key('c', 0), key('e', 0), key('1', 0), key('2', 0)];
    let world = World::new(&[OWNER, MALLORY], &keys);
    let grant = put(200, Key::head(9), "an opening");
    let own = Key::owned(MALLORY, b"post").unwrap();
    let index = Mark::new(b"cats", b"1").unwrap().key(&own);
    let post = Put { more: true, ..put(202, own, "post") };
    let tagged = put(202, index, "post");
    let runs = [
        world.run(OWNER, &[grant]),
        world.run(
            MALLORY,
            &[put(200, keys[2], "new"), put(201, key('f', 1), "an insert"), post, tagged],
        ),
    ];
    let mut draft = Draft::new(&world, &runs);
    // The start sentinel is not opened, nor is 2, and c begins the node that follows a.
    draft.cut(&Key::START);
    let first = absorb(iv(0), world.entry(Key::START).item());
    skip(&mut draft, &Key::head(OWNER), first);
    let at = draft.at(&keys[4]);
    draft.cut(&keys[4]);
    draft.insert(at, [opaque(world.entry(keys[4]).item())]);
    draft.cut(&keys[1]);
    skip(&mut draft, &keys[2], absorb(iv(0), world.entry(keys[1]).item()));
    draft
}

/// The first step of an epoch: a run and the first rows.
fn unsealed() -> Draft {
    let world = World::small();
    let run = world.run(MALLORY, &[put(200, key('a', 0), "new")]);
    let mut draft = Draft::new(&world, &[run]);
    draft.actions.truncate(draft.at(&key('c', 0)));
    draft.seal = false;
    draft
}

/// Whether another value of a free variable leads to another state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Freedom {
    SameState,
    OtherState,
}

/// Sets some columns and repairs the rest.
fn attempt(open: &mut Open, changes: &[(usize, F)]) -> Option<Freedom> {
    let state = open.next_state();
    for (column, value) in changes {
        open.set(*column, *value);
    }
    let whole = !changes.iter().any(|(column, _)| open.is_lost(*column)) && open.repair(true);
    let same = open.next_state() == state;
    open.undo();
    whole.then_some(if same { SameState } else { OtherState })
}

/// Values other than the current one.
fn others(open: &Open, column: usize, rng: &mut ChaCha20Rng) -> Vec<F> {
    let now = open.values[column];
    let mut others = vec![F::ONE - now];
    if !open.is_boolean(column) {
        others.extend([now + F::ONE, F::ZERO, -now, F::rand(rng)]);
    }
    others.retain(|other| *other != now);
    others
}

fn home(open: &Open, column: usize) -> String {
    match open.home(column) {
        None => "no constraint".into(),
        Some([]) => "no rule".into(),
        Some(rules) => rules.iter().map(|r| format!("{r:?}")).collect::<Vec<_>>().join("/"),
    }
}

/// The free variables of a step.
fn free(open: &mut Open, rng: &mut ChaCha20Rng) -> BTreeMap<usize, Freedom> {
    let mut found = BTreeMap::new();
    for column in open.inputs..open.values.len() {
        for other in others(open, column, rng) {
            if let Some(freedom) = attempt(open, &[(column, other)]) {
                let worst = found.entry(column).or_insert(freedom);
                *worst = freedom.max(*worst);
            }
        }
    }
    found
}

/// Random small sets of neighbouring variables. Variables that are free together must be in places
/// where one is free alone, with the same effect.
fn sets(open: &mut Open, free: &BTreeMap<usize, Freedom>, rng: &mut ChaCha20Rng) {
    let places: BTreeSet<(String, Freedom)> =
        free.iter().map(|(column, freedom)| (home(open, *column), *freedom)).collect();
    for _ in 0..10_000 {
        let first = rng.gen_range(open.inputs..open.values.len());
        let mut changes = BTreeMap::new();
        for _ in 0..rng.gen_range(2..5) {
            let column = (first + rng.gen_range(0..12)).min(open.values.len() - 1);
            let others = others(open, column, rng);
            changes.insert(column, others[rng.gen_range(0..others.len())]);
        }
        let changes: Vec<(usize, F)> = changes.into_iter().collect();
        let Some(freedom) = attempt(open, &changes) else { continue };
        let homes = changes.iter().map(|(column, _)| home(open, *column));
        let known = |home: &String| {
            (SameState == freedom && places.contains(&(home.clone(), SameState)))
                || places.contains(&(home.clone(), OtherState))
        };
        let strange: Vec<String> = homes.filter(|home| !known(home)).collect();
        assert!(strange.is_empty(), "free together, {freedom:?}: {strange:?}, {changes:?}");
    }
}

/// The search in one step, against its golden file.
fn search(draft: &Draft, golden: &str) -> (Open, BTreeMap<usize, Freedom>) {
    let seed = 1;
    println!("seed {seed}");
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    draft.accepted();
    let mut open = draft.system().open();
    let free = free(&mut open, &mut rng);

    let mut counts: BTreeMap<(String, Freedom), usize> = BTreeMap::new();
    for (column, freedom) in &free {
        *counts.entry((home(&open, *column), *freedom)).or_default() += 1;
    }
    let columns = open.values.len() - open.inputs;
    let mut table = format!("{} of {columns} variables are free\n", free.len());
    for ((home, freedom), count) in &counts {
        let reason = REASONS.iter().find(|(at, kind, _)| at == home && kind == freedom);
        let reason = reason.map_or("NO REASON GIVEN", |(.., reason)| reason);
        writeln!(table, "{home}, {freedom:?}, {count}: {reason}").unwrap();
    }
    println!("{table}");
    assert!(!table.contains("NO REASON"), "free, and nobody says why that is harmless");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/soundness").join(golden);
    if std::env::var_os("ROOTFOLD_BLESS").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    assert_eq!(table, std::fs::read_to_string(&path).unwrap(), "see the head of this file");
    sets(&mut open, &free, &mut rng);
    (open, free)
}

/// In a step that is a whole epoch, the bit of the seal is the only free variable that leads to
/// another state.
#[test]
fn what_is_free_in_a_whole_epoch() {
    let (open, free) = search(&sealed(), "free_variables_sealed.txt");
    let decisive: Vec<usize> =
        free.iter().filter(|(_, freedom)| **freedom == OtherState).map(|(c, _)| *c).collect();
    assert_eq!(decisive.len(), 1, "{decisive:?}");
    let bit = decisive[0];
    assert!(open.is_boolean(bit) && open.values[bit] == F::ONE, "{decisive:?}");
}

/// Inside an epoch, further variables are free that the seal checks later.
#[test]
fn what_is_free_in_mid_epoch() {
    search(&unsealed(), "free_variables_unsealed.txt");
}
