//! Equal sets of entries have equal trees, and reads agree with a `BTreeMap`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Included, Unbounded};

use proptest::prelude::*;
use rand::{seq::SliceRandom, Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rootfold_core::{
    height::key_height,
    item::Entry,
    key::{ApplicationKey, Key},
    tree::{self, Difference, MemoryStore, TreeError},
    F,
};

use crate::support::{
    entry, numbered, of_height, rng, runner, seed, some_key, tree_of, user, whole,
};

type Model = BTreeMap<Key, Entry>;

fn names(store: &MemoryStore, root: F) -> BTreeSet<F> {
    tree::pages_below(store, root).map(|found| found.unwrap().0.name).collect()
}

fn model_of(entries: &[Entry]) -> Model {
    entries.iter().map(|e| (e.key, *e)).collect()
}

fn differences(before: &Model, after: &Model) -> Vec<Difference> {
    let keys: BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
    keys.into_iter()
        .map(|k| Difference {
            key: *k,
            before: before.get(k).copied(),
            after: after.get(k).copied(),
        })
        .filter(|d| d.before != d.after)
        .collect()
}

/// Runs one random history. Panics if tree and model disagree.
fn history(seed: u64, batches: usize, batch: usize) {
    let rng = &mut ChaCha20Rng::seed_from_u64(seed);
    let (mut store, mut root) = tree_of([]);
    let mut model = model_of(&whole([]));
    let mut versions = vec![(root, model.clone())];
    for step in 0..batches {
        let mut upserts = Model::new();
        for _ in 0..rng.gen_range(0..=batch) {
            // Sometimes the existing entry.
            let old = model.values().nth(rng.gen_range(1..model.len()));
            let new = match old.filter(|e| rng.gen_bool(0.1) && e.key != Key::END) {
                Some(old) => *old,
                None => entry(some_key(rng), step as u64),
            };
            upserts.insert(new.key, new);
        }
        let upserts: Vec<Entry> = upserts.into_values().collect();
        let pages_before = names(&store, root);
        let update = tree::update(&store, root, &upserts).unwrap();
        store.apply(&update);
        model.extend(upserts.iter().map(|e| (e.key, *e)));

        // The tree is the one that is built at once, and the update lists exactly the changed pages.
        let entries: Vec<Entry> = model.values().copied().collect();
        let built = tree::build(&entries);
        assert_eq!(update.root, built.root, "seed {seed}, batch {step}");
        let created: BTreeSet<F> = update.pages.iter().map(|p| p.0).collect();
        let replaced: BTreeSet<F> = update.replaced.iter().copied().collect();
        assert_eq!(created.len(), update.pages.len());
        assert_eq!(replaced.len(), update.replaced.len());
        let pages_after = names(&store, update.root);
        assert_eq!(pages_after, built.pages.iter().map(|p| p.0).collect());
        assert_eq!(
            pages_after.difference(&pages_before).copied().collect::<BTreeSet<F>>(),
            created
        );
        assert_eq!(
            pages_before.difference(&pages_after).copied().collect::<BTreeSet<F>>(),
            replaced
        );
        for (name, page) in &update.pages {
            assert_eq!(page.name().unwrap(), *name);
        }
        root = update.root;
        versions.push((root, model.clone()));
    }
    reads(rng, &store, root, &model);
    for _ in 0..4 {
        let (a, before) = versions.choose(rng).unwrap();
        let (b, after) = versions.choose(rng).unwrap();
        let found: Vec<_> = tree::diff(&store, *a, *b).map(Result::unwrap).collect();
        assert_eq!(found, differences(before, after), "seed {seed}");
    }
}

fn reads(rng: &mut ChaCha20Rng, store: &MemoryStore, root: F, model: &Model) {
    let mut keys: Vec<Key> = (0..40).map(|_| some_key(rng)).collect();
    keys.extend(model.keys().copied().take(20));
    keys.extend([Key::START, Key::END]);
    for key in &keys {
        assert_eq!(tree::lookup(store, root, key).unwrap(), model.get(key).copied());
        let beside = tree::neighbours(store, root, key);
        if *key == Key::START || *key == Key::END {
            assert!(matches!(beside, Err(TreeError::Sentinel { .. })));
        } else {
            let left = *model.range(..key).next_back().unwrap().1;
            let right = *model.range((Excluded(key), Unbounded)).next().unwrap().1;
            assert_eq!(beside.unwrap(), (left, right));
        }
    }
    for _ in 0..20 {
        let (a, b) = (*keys.choose(rng).unwrap(), *keys.choose(rng).unwrap());
        let bounds = match rng.gen_range(0..5) {
            0 => (Unbounded, Unbounded),
            1 => (Included(a.min(b)), Included(a.max(b))),
            2 if a != b => (Excluded(a.min(b)), Excluded(a.max(b))),
            3 => (Excluded(a.min(b)), Included(a.max(b))),
            _ => (Included(a.min(b)), Excluded(a.max(b))),
        };
        let expected: Vec<Entry> = model.range(bounds).map(|(_, e)| *e).collect();
        let scan = |store: &MemoryStore| {
            tree::scan(store, root, bounds)?.collect::<Result<Vec<_>, TreeError>>()
        };
        assert_eq!(scan(store).unwrap(), expected);

        // The pages that prove a range suffice, and each one is needed.
        let names = tree::range_pages(store, root, bounds).unwrap();
        let mut client = MemoryStore::default();
        for name in &names {
            let bytes = crate::support::page(store, name).encode(&|_| None);
            assert_eq!(client.receive(&bytes).unwrap().0, *name);
        }
        assert_eq!(client.len(), names.len());
        assert_eq!(scan(&client).unwrap(), expected);
        let missing = names.choose(rng).unwrap();
        client.remove(missing);
        if let Ok(found) = scan(&client) {
            // Exception: if the range begins with the first entry of a leaf, the previous leaf is
            // needed only for the neighbour.
            assert_eq!(found, expected);
        }
    }
    let (from, to) = (Key::head(0), Key::head(u32::MAX));
    let heads: Vec<Entry> = tree::heads(store, root).unwrap().map(Result::unwrap).collect();
    assert_eq!(heads, model.range(from..=to).map(|(_, e)| *e).collect::<Vec<_>>());
    for prefix in [&b""[..], b"k", b"k1", b"h", b"\0", b"\0\0\0", b"nothing"] {
        let found = tree::scan_prefix(store, root, Some(ApplicationKey::shared(prefix))).unwrap();
        let found: Vec<Entry> = found.map(Result::unwrap).collect();
        let fits = |k: &Key| k.application_key().is_some_and(|k| k.bytes.starts_with(prefix));
        let expected: Vec<Entry> = model.iter().filter(|(k, _)| fits(k)).map(|(_, e)| *e).collect();
        assert_eq!(found, expected, "prefix {prefix:?}");
    }
}

#[test]
fn any_history_gives_the_tree_of_the_model() {
    let mut runner = runner("many small histories", 24);
    let cases = (any::<u64>(), 1usize..8, 1usize..60);
    let outcome = runner.run(&cases, |(seed, batches, batch)| {
        history(seed, batches, batch);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn a_long_history_gives_the_tree_of_the_model() {
    history(seed("a long history"), 12, 400);
}

#[test]
fn entries_one_by_one_in_any_order_give_one_root() {
    let rng = &mut rng("one by one");
    let mut entries: Vec<Entry> = numbered(150).collect();
    let at_once = tree_of(entries.iter().copied()).1;
    entries.shuffle(rng);
    let (mut store, mut root) = tree_of([]);
    for entry in entries {
        let update = tree::update(&store, root, &[entry]).unwrap();
        store.apply(&update);
        for replaced in &update.replaced {
            assert!(store.remove(replaced));
        }
        root = update.root;
    }
    assert_eq!(root, at_once);
    assert_eq!(store.len(), names(&store, root).len());
}

#[test]
fn disorder_and_sentinels_are_refused() {
    let (store, root) = tree_of(numbered(5));
    let (a, b) = (entry(user("a"), 1), entry(user("b"), 1));
    let refusal = |upserts: &[Entry]| tree::update(&store, root, upserts).unwrap_err();
    assert!(matches!(refusal(&[b, a]), TreeError::Unsorted { index: 1, .. }));
    assert!(matches!(refusal(&[a, b, b]), TreeError::Unsorted { index: 2, .. }));
    let end = refusal(&[a, Entry::end_sentinel()]);
    assert!(matches!(end, TreeError::Sentinel { index: 1, .. }), "{end}");
    let start = refusal(&[Entry::start_sentinel()]);
    assert!(matches!(start, TreeError::Sentinel { index: 0, .. }), "{start}");
    assert_eq!(tree::update(&store, root, &[]).unwrap().root, root);

    let (start, end) = (Entry::start_sentinel(), Entry::end_sentinel());
    for entries in [&[][..], &[start], &[end], &[start, a], &[a, end], &[end, start]] {
        assert!(matches!(tree::try_build(entries), Err(TreeError::NoSentinels)));
    }
    let twice = tree::try_build(&[start, a, a, end]);
    assert!(matches!(twice, Err(TreeError::Unsorted { index: 2, .. })));
}

#[test]
fn a_page_that_a_split_leaves_as_it_was_stays() {
    // A new key before the first entry of the last leaf ends a page: the only change is a new leaf.
    let (mut store, root) = tree_of([]);
    let (first, second) = (entry(of_height(3, 0), 1), entry(user("zz"), 1));
    let update = tree::update(&store, root, &[first, second]).unwrap();
    store.apply(&update);
    let before = names(&store, update.root);
    let between =
        entry((0..).map(|n| user(&format!("x{n}"))).find(|k| key_height(k) == 3).unwrap(), 1);
    let last = tree::update(&store, update.root, &[between]).unwrap();
    assert_eq!((last.pages.len(), last.replaced.len()), (5, 4));
    assert!(last.pages.iter().all(|(name, _)| !before.contains(name)));
}

#[test]
fn a_small_change_touches_few_pages() {
    let (store, root) = tree_of(numbered(4000));
    let pages = names(&store, root).len();
    assert!(pages > 40, "{pages} pages");
    let one = tree::update(&store, root, &[entry(user("k77"), 9)]).unwrap();
    assert_eq!((one.pages.len(), one.replaced.len()), (5, 5), "one page of each rank");
    // Neighbours are mostly in the same leaf.
    let near: Vec<Entry> = (0..10).map(|n| entry(user(&format!("k77{n}")), 9)).collect();
    let few = tree::update(&store, root, &near).unwrap();
    assert!(few.pages.len() <= 10, "{} pages", few.pages.len());
    let same = numbered(4000).find(|e| e.key == user("k5")).unwrap();
    let none = tree::update(&store, root, &[same]).unwrap();
    assert_eq!((none.root, none.pages.len(), none.replaced.len()), (root, 0, 0));
}

#[test]
fn a_diff_opens_only_what_differs() {
    let (mut store, before) = tree_of(numbered(4000));
    let new = [entry(user("k100x"), 1), entry(user("k2000"), 9)];
    let update = tree::update(&store, before, &new).unwrap();
    store.apply(&update);
    // Without the pages that both trees have, the diff is the same.
    let shared: Vec<F> = {
        let after = names(&store, update.root);
        names(&store, before).intersection(&after).copied().collect()
    };
    assert!(shared.len() > 40);
    for name in &shared {
        store.remove(name);
    }
    let found: Vec<_> = tree::diff(&store, before, update.root).map(Result::unwrap).collect();
    assert_eq!(found.iter().map(|d| d.after.unwrap()).collect::<Vec<_>>(), new);
    assert_eq!((found[0].before.is_none(), found[1].before.is_some()), (true, true));
    // A replica with the old tree requests only the new pages.
    assert_eq!(tree::diff(&store, before, before).count(), 0);
}

#[test]
fn a_replica_fetches_top_down_what_it_misses() {
    let (server, root) = tree_of(numbered(1500));
    let mut replica = MemoryStore::default();
    let mut rounds = 0;
    loop {
        let missing: Vec<F> = tree::pages_below(&replica, root)
            .filter_map(|found| match found {
                Err(TreeError::Missing { name, .. }) => Some(name),
                found => found.map(|_| None).unwrap(),
            })
            .collect();
        if missing.is_empty() {
            break;
        }
        for name in missing {
            let page = crate::support::page(&server, &name);
            assert_eq!(replica.put(page).unwrap(), name);
        }
        rounds += 1;
    }
    assert!(rounds > 4);
    assert_eq!(names(&replica, root), names(&server, root));
}
