//! Hints are not bound by names: a wrong hint is detected and never leads to a wrong answer.

use rand::Rng;
use rootfold_core::{
    key::Key,
    tree::{self, MemoryStore, Misfit, Page, PageStore, Place, TreeError},
    F,
};

use crate::support::{entry, numbered, rng, some_key, tree_of, user, whole};

/// The store with one hint of one internal page changed.
fn lying(store: &MemoryStore, name: &F, index: usize, hint: Key) -> Option<MemoryStore> {
    let Page::Internal { rank, mut children } = crate::support::page(store, name) else {
        return None;
    };
    children[index].last_key = hint;
    let mut store = store.clone();
    let page = Page::Internal { rank, children };
    // A page with hints out of order is not valid.
    page.name().ok().map(|same| {
        assert_eq!(same, *name);
        store.put(page).unwrap();
        store
    })
}

#[test]
fn a_lying_hint_never_gives_a_wrong_answer() {
    let rng = &mut rng("lying hints");
    let entries: Vec<_> = numbered(900).collect();
    let (honest, root) = tree_of(entries.iter().copied());
    let internal: Vec<_> =
        honest.iter().filter(|(_, p)| p.rank() > 0).map(|(n, p)| (*n, p.len())).collect();
    let (mut found_out, mut unharmed) = (0, 0);
    for _ in 0..150 {
        let (name, length) = internal[rng.gen_range(0..internal.len())];
        let index = rng.gen_range(0..length);
        let children = crate::support::page(&honest, &name).children().to_vec();
        // Just before, just after, and anywhere.
        let truth = children[index].last_key;
        let mut bytes = *truth.as_bytes();
        let hint = match rng.gen_range(0..3) {
            0 => {
                bytes[92] ^= 1;
                Key::from_bytes(bytes)
            }
            1 => entries[rng.gen_range(0..entries.len())].key,
            _ => some_key(rng),
        };
        let Some(store) = lying(&honest, &name, index, hint) else { continue };
        if hint == truth {
            continue;
        }
        let mut keys = vec![hint, truth, some_key(rng)];
        keys.extend((0..20).map(|_| entries[rng.gen_range(0..entries.len())].key));
        for key in keys {
            match tree::lookup(&store, root, &key) {
                Ok(found) => {
                    assert_eq!(found, tree::lookup(&honest, root, &key).unwrap());
                    unharmed += 1;
                }
                Err(TreeError::Misplaced { .. }) => found_out += 1,
                Err(other) => panic!("{other}"),
            }
            if let Ok(beside) = tree::neighbours(&store, root, &key) {
                assert_eq!(beside, tree::neighbours(&honest, root, &key).unwrap());
            }
            if let Ok(new) = tree::update(&store, root, &[entry(key, 5)]) {
                let expected = tree::update(&honest, root, &[entry(key, 5)]).unwrap();
                assert_eq!(new.root, expected.root);
            }
        }
        let all: Result<Vec<_>, _> = tree::scan(&store, root, ..).and_then(|scan| scan.collect());
        assert!(matches!(all, Err(TreeError::Misplaced { .. })), "a full scan finds every lie");
    }
    println!("{found_out} lies found out, {unharmed} reads unharmed");
    assert!(found_out > 0 && unharmed > 0);
}

#[test]
fn pages_out_of_place_are_told_apart() {
    let (store, root) = tree_of(numbered(900));
    let place = Place::root(root);
    let top = crate::support::page(&store, &root);
    place.check(&top).unwrap();
    let misfit = |place: &Place, page: &Page| match place.check(page) {
        Err(TreeError::Misplaced { name, misfit }) if name == place.name => misfit,
        other => panic!("{other:?}"),
    };
    let child = place.child(&top, 0);
    let below = crate::support::page(&store, &child.name);
    child.check(&below).unwrap();
    assert_eq!(misfit(&child, &top), Misfit::Rank);
    assert_eq!(misfit(&Place { last_key: user("k"), ..child }, &below), Misfit::LastKey);
    let after = Some(Key::END);
    assert_eq!(misfit(&Place { after, ..child }, &below), Misfit::FirstKey);
    let leaf = |entries| (Place { rank: 0, ..place }, Page::Leaf(entries));
    let all = whole(numbered(3));
    let (bottom, page) = leaf(all.clone());
    bottom.check(&page).unwrap();
    let (bottom, page) = leaf(all[1..].to_vec());
    assert_eq!(misfit(&bottom, &page), Misfit::Sentinel);
    let mut touched = all;
    touched[4].value = F::from(1u64);
    let (bottom, page) = leaf(touched);
    assert_eq!(misfit(&bottom, &page), Misfit::Sentinel);
    let (bottom, page) = leaf(vec![]);
    assert_eq!(misfit(&bottom, &page), Misfit::LastKey);
}

#[test]
fn a_missing_page_is_named() {
    let (mut store, root) = tree_of(numbered(300));
    let path: Vec<F> =
        tree::Position::seek(&store, root, &user("k7")).unwrap().path().map(|p| p.name).collect();
    assert_eq!(path.len(), 5);
    assert_eq!(path[0], root);
    store.remove(&path[4]);
    match tree::lookup(&store, root, &user("k7")) {
        Err(TreeError::Missing { name, rank: 0 }) => assert_eq!(name, path[4]),
        other => panic!("{other:?}"),
    }
    assert!(tree::update(&store, root, &[entry(user("k7"), 1)]).is_err());
    let errors: Vec<_> = tree::pages_below(&store, root).filter_map(Result::err).collect();
    let [TreeError::Missing { name, .. }] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!(*name, path[4]);
}

/// A store that always fails.
struct Broken;

impl PageStore for Broken {
    fn page(&self, _: &F) -> Result<Option<std::sync::Arc<Page>>, tree::StoreError> {
        Err(tree::StoreError::new("disk on fire"))
    }
}

#[test]
fn a_failing_store_is_reported() {
    let error = tree::lookup(&Broken, F::from(1u64), &user("k")).unwrap_err();
    assert!(matches!(&error, TreeError::Store(_)));
    assert!(error.to_string().contains("disk on fire"));
    let dynamic: &dyn PageStore = &Broken;
    assert!(tree::update(dynamic, F::from(1u64), &[entry(user("k"), 1)]).is_err());
    assert_eq!(tree::diff(dynamic, F::from(1u64), F::from(2u64)).count(), 1);
}
