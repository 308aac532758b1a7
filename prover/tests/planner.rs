//! Plans of random epochs: the native fold, the tree built from all entries, the tree updated in
//! batches and the circuit give the same root.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;

use ark_r1cs_std::{alloc::AllocVar, fields::fp::FpVar, GR1CSVar};
use ark_relations::gr1cs::ConstraintSystem;
use proptest::prelude::*;
use rand::{seq::SliceRandom, Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rootfold_circuits::step::{step as step_gadget, StateVar};
use rootfold_core::{
    eddsa::SecretKey,
    fold::{fold, Epoch},
    head::Head,
    item::Entry,
    key::Key,
    log::{Op, SignedOp, Tip},
    mark::Mark,
    replacement::Replacement,
    run::Run,
    space::{Genesis, Sharing},
    stamp::Stamp,
    step::{Profile, State, StepWitness},
    tree::{build, lookup, update, MemoryStore},
    value::{tombstone, value_digest},
    F,
};
use rootfold_prover::planner::plan;

/// A profile so small that tests can synthesize every step, and that epochs take several steps.
const TINY: Profile = Profile { name: "tiny", segments: 2, slots: 2, rows: 5, tree_rows: 2 };

struct Author {
    secret: SecretKey,
    tip: Tip,
}

/// A space with its authors and the tree so far.
struct World {
    rng: ChaCha20Rng,
    store: MemoryStore,
    state: State,
    authors: BTreeMap<u32, Author>,
    salt: F,
    sharing: Sharing,
    entries: BTreeMap<Key, Entry>,
}

impl World {
    fn new(seed: u64) -> World {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let secrets: Vec<SecretKey> = (0..3).map(|_| SecretKey::random(&mut rng)).collect();
        let salt = F::from(rng.gen::<u128>());
        let writers = secrets.iter().map(|s| s.public_key()).collect();
        let sharing = if rng.gen() { Sharing::Everyone } else { Sharing::Owner };
        let genesis = Genesis { salt, sharing, writers };
        let mut store = MemoryStore::default();
        let built = build(&genesis.entries());
        store.apply(&built);
        let authors = genesis
            .heads()
            .into_iter()
            .zip(secrets)
            .map(|((writer, tip), secret)| (writer, Author { secret, tip }))
            .collect();
        let entries = genesis.entries().into_iter().map(|e| (e.key, e)).collect();
        let state = State::genesis(genesis.space_id());
        World { rng, store, state, authors, salt, sharing, entries }
    }

    /// An epoch in which some writers put, overwrite, delete and mark random keys, in groups, and the owner
    /// may admit a writer and replace heads.
    fn epoch(&mut self) -> Epoch {
        let mut runs = Vec::new();
        let mut admitted = Vec::new();
        let mut replacements: Vec<(Replacement, SecretKey, u64)> = Vec::new();
        let writers: Vec<u32> = self.authors.keys().copied().collect();
        let next_writer = writers.len() as u32;
        for writer in writers {
            if self.rng.gen_ratio(1, 3) && !(runs.is_empty() && writer + 1 == next_writer) {
                continue;
            }
            if replacements.iter().any(|(replacement, ..)| replacement.writer() == writer) {
                continue;
            }
            let before = self.authors[&writer].tip;
            let mut ops = self.ops(writer);
            if writer == 0 {
                self.replace(&mut ops, &mut replacements);
            }
            if writer == 0 && ops.len() > 2 && next_writer < 6 {
                let secret = SecretKey::random(&mut self.rng);
                let shared = self.sharing.allows(next_writer);
                let head = Head::first(self.salt, secret.public_key(), shared);
                let ts = ops.last().unwrap().ts + 1;
                let op = Op { more: false, ts, key: Key::head(next_writer), value: head.digest() };
                let tip = Tip { head, stamp: op.stamp(0) };
                admitted.push((next_writer, Author { secret, tip }));
                ops.push(op);
            }
            if writer == 0 {
                self.replace_own(&mut ops, &mut replacements);
            }
            let author = self.authors.get_mut(&writer).unwrap();
            let mut signature = None;
            for op in &ops {
                let (signed, tip) =
                    SignedOp::sign(&author.tip, writer, *op, &author.secret).unwrap();
                author.tip = tip;
                signature = signed.signature;
            }
            let signature = signature.unwrap();
            let known: Vec<Replacement> = replacements.iter().map(|(new, ..)| *new).collect();
            let open = |digest| known.iter().find(|new| new.digest() == digest).copied();
            runs.push(Run { writer, before, ops, signature }.check_with(&open).unwrap());
        }
        for (replacement, secret, ts) in replacements {
            let author = self.authors.get_mut(&replacement.writer()).unwrap();
            match replacement.after() {
                Some(head) => author.tip = Tip { head, stamp: Stamp { ts, writer: 0 } },
                None => author.tip.head.public_key = replacement.public_key(),
            }
            author.secret = secret;
        }
        // A grant takes effect in the next epoch.
        self.authors.extend(admitted);
        Epoch { runs }
    }

    /// Adds to the ops of the owner replacements of the heads of some writers, at any place between groups.
    fn replace(&mut self, ops: &mut Vec<Op>, made: &mut Vec<(Replacement, SecretKey, u64)>) {
        let others: Vec<u32> = self.authors.keys().copied().filter(|writer| *writer > 0).collect();
        for writer in others {
            if !self.rng.gen_ratio(1, 6) {
                continue;
            }
            let secret = SecretKey::random(&mut self.rng);
            let (before, public_key) = (self.authors[&writer].tip, secret.public_key());
            let shared = self.rng.gen();
            let new = Replacement::Head { writer, before, public_key, shared };
            let starts: Vec<usize> =
                (0..=ops.len()).filter(|at| *at == 0 || !ops[at - 1].more).collect();
            let at = *starts.choose(&mut self.rng).unwrap();
            // All later ops come after this one, which comes after the head.
            let ts = before
                .stamp
                .ts
                .max(at.checked_sub(1).map_or(0, |last| ops[last].ts))
                .max(self.authors[&0].tip.stamp.ts)
                + 1;
            let shift = ops.get(at).map_or(0, |next| (ts + 1).saturating_sub(next.ts));
            ops[at..].iter_mut().for_each(|op| op.ts += shift);
            made.iter_mut()
                .filter(|(.., later)| *later >= ts)
                .for_each(|(.., later)| *later += shift);
            ops.insert(at, Op { more: false, ts, key: new.key(), value: new.digest() });
            made.push((new, secret, ts));
        }
    }

    /// Perhaps adds to the ops of the owner one that replaces their key.
    fn replace_own(&mut self, ops: &mut Vec<Op>, made: &mut Vec<(Replacement, SecretKey, u64)>) {
        if self.rng.gen_ratio(1, 6) {
            let secret = SecretKey::random(&mut self.rng);
            let new = Replacement::OwnerKey(secret.public_key());
            let ts = ops.last().unwrap().ts + 1;
            ops.push(Op { more: false, ts, key: new.key(), value: new.digest() });
            made.push((new, secret, ts));
        }
    }

    /// Ops of a writer. The last one ends its group.
    fn ops(&mut self, writer: u32) -> Vec<Op> {
        let tip = self.authors[&writer].tip;
        let rng = &mut self.rng;
        let mut ts = tip.stamp.ts;
        let mut ops: Vec<Op> = Vec::new();
        for _ in 0..rng.gen_range(1..4) {
            // Sometimes an op with a lower clock than those of others.
            ts += if rng.gen_ratio(1, 4) { 1 } else { rng.gen_range(1..50) };
            let name = [b'k', rng.gen_range(0..60u8)];
            let shared = tip.may_share(writer).unwrap() && rng.gen_ratio(1, 2);
            let key = if shared { Key::shared(&name) } else { Key::owned(writer, &name) }.unwrap();
            let put = rng.gen_ratio(5, 6);
            let value = if put { value_digest(&rng.gen::<[u8; 8]>()) } else { tombstone() };
            let more = rng.gen_ratio(1, 4);
            ops.push(Op { more: true, ts, key, value });
            for _ in 0..rng.gen_range(0..3) {
                let mark = Mark::new(&[b't', rng.gen_range(0..3u8)], &[rng.gen_range(0..2u8)]);
                let key = mark.unwrap().key(&key);
                let value = if rng.gen_ratio(1, 4) { tombstone() } else { value };
                if ops.iter().all(|op| (op.ts, op.key) != (ts, key)) {
                    ops.push(Op { more: true, ts, key, value });
                }
            }
            ops.last_mut().unwrap().more = more;
        }
        ops.last_mut().unwrap().more = false;
        ops
    }

    /// Folds an epoch natively and compares the updated tree with one built from all entries.
    fn fold(&mut self, epoch: &Epoch) -> F {
        let root = self.state.root;
        let written = fold(&|key| lookup(&self.store, root, key), epoch).unwrap();
        self.entries.extend(written.iter().map(|e| (e.key, *e)));
        let updated = update(&self.store, root, &written).unwrap();
        self.store.apply(&updated);
        let all: Vec<Entry> = self.entries.values().copied().collect();
        assert_eq!(build(&all).root, updated.root);
        updated.root
    }
}

/// Synthesizes a step. Returns the next state and whether the constraints are satisfied.
fn synthesize(profile: &Profile, state: &State, witness: &StepWitness) -> ([F; 3], Option<String>) {
    let cs = ConstraintSystem::<F>::new_ref();
    let var = |x: F| FpVar::new_witness(cs.clone(), || Ok(x)).unwrap();
    let z = StateVar { root: var(state.root), ops: var(state.ops), cursor: var(state.cursor) };
    let next = step_gadget(&cs, profile, &z, witness).unwrap();
    let next = [next.root, next.ops, next.cursor].map(|v| v.value().unwrap());
    (next, cs.which_is_unsatisfied().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, ..ProptestConfig::default() })]

    #[test]
    fn all_ways_to_the_root_agree(seed: u64) {
        let mut world = World::new(seed);
        for _ in 0..3 {
            let epoch = world.epoch();
            let plan = plan(&world.store, &world.state, &epoch, &TINY).unwrap();
            let mut state = world.state;
            for (i, witness) in plan.steps.iter().enumerate() {
                let (next, unsatisfied) = synthesize(&TINY, &state, witness);
                prop_assert_eq!(unsatisfied, None, "step {} of {}", i, plan.steps.len());
                let native = rootfold_core::step::step(&TINY, &state, witness).unwrap().0;
                prop_assert_eq!(next, native.to_fields());
                state = native;
            }
            prop_assert_eq!(state, plan.state);
            prop_assert_eq!(plan.update.root, state.root);
            prop_assert_eq!(world.fold(&epoch), state.root);
            world.state = state;
        }
    }

    #[test]
    fn the_root_does_not_depend_on_epochs(seed: u64) {
        // The same ops, with each run split into single ops and folded in another order.
        let mut world = World::new(seed);
        let epoch = world.epoch();
        let mut other = World::new(seed);
        let again = other.epoch();
        prop_assert_eq!(&epoch, &again);
        let root = world.fold(&epoch);

        let mut order: Vec<usize> = (0..epoch.runs.len()).collect();
        order.shuffle(&mut world.rng);
        let mut roots = vec![other.state.root];
        for i in order {
            let one = Epoch { runs: vec![epoch.runs[i].clone()] };
            other.state.root = other.fold(&one);
            roots.push(other.state.root);
        }
        prop_assert_eq!(roots.last(), Some(&root));
    }
}
