//! Traversal of nodes: the whole tree against its definition.

use rootfold_core::{
    height::H,
    item::Entry,
    key::Key,
    tree::{
        self, chain,
        walk::{root_node, Item, Node, Opened},
        MemoryStore, Misfit, Page, PageError, TreeError,
    },
    F,
};

use crate::support::{entry, numbered, of_height, tall_key, tree_of, whole, TALL};

/// Checks a node against the definition and collects its entries.
fn check(store: &MemoryStore, node: &Node, digest: F, height: usize, out: &mut Vec<Entry>) {
    let Node { level, items } = node;
    assert_eq!(chain::node_digest(*level, items.iter().map(|i| i.digest)), digest);
    let (last, before) = items.split_last().unwrap();
    assert!(before.iter().all(|i| i.height == *level), "only the last ends the node");
    assert_eq!(last.height, height);
    assert!(last.height > *level || *level == H);
    for item in items {
        assert_eq!(item.level, *level);
        assert_eq!(item.after, out.last().map(|e: &Entry| e.key));
        match item.open(store).unwrap() {
            Opened::Entry(entry) => {
                assert_eq!(*level, 0);
                assert_eq!(item.entry(), Some(&entry));
                assert_eq!([(item.digest, item.height)], chain::leaf_items(&[entry])[..]);
                out.push(entry);
            }
            Opened::Node(node) => {
                assert_eq!(node.level + 1, *level);
                assert_eq!(item.entry(), None);
                check(store, &node, item.digest, item.height, out);
            }
        }
        assert_eq!(out.last().map(|e| e.key), Some(item.last_key));
    }
}

#[test]
fn a_walk_sees_every_node_of_the_definition() {
    let tall = TALL.iter().map(|(_, number)| entry(tall_key(*number), 1));
    let entries = whole(numbered(700).chain(tall));
    let (store, root) = tree_of(entries[1..entries.len() - 1].iter().copied());
    let mut walked = Vec::new();
    check(&store, &root_node(&store, root).unwrap(), root, H, &mut walked);
    assert_eq!(walked, entries);
}

/// Descends to the item of level 0 that covers a key.
fn find(store: &MemoryStore, node: Node, key: &Key) -> Item {
    let covering: Vec<&Item> = node.items.iter().filter(|i| i.covers(key)).collect();
    assert_eq!(covering.len(), 1, "items of a node share no key");
    match covering[0].open(store).unwrap() {
        Opened::Entry(_) => covering[0].clone(),
        Opened::Node(below) => find(store, below, key),
    }
}

#[test]
fn a_key_belongs_below_one_item_of_each_level() {
    let (store, root) = tree_of(numbered(300));
    for key in [of_height(5, 0), numbered(9).last().unwrap().key, Key::START, Key::END] {
        let item = find(&store, root_node(&store, root).unwrap(), &key);
        let entry = *item.entry().unwrap();
        let at = tree::Position::seek(&store, root, &key).unwrap().entry();
        assert_eq!(entry, at);
    }
}

#[test]
fn the_page_of_another_name_or_height_is_refused() {
    let (store, root) = tree_of(numbered(10));
    let other = tree_of(numbered(11)).1;
    struct Renamed<'a>(&'a MemoryStore, F);
    impl tree::PageStore for Renamed<'_> {
        fn page(&self, _: &F) -> Result<Option<std::sync::Arc<Page>>, tree::StoreError> {
            self.0.page(&self.1)
        }
    }
    let refused = root_node(&Renamed(&store, root), other).unwrap_err();
    match refused {
        TreeError::Page { name, source: PageError::WrongName { expected, actual } } => {
            assert_eq!((name, expected, actual), (other, other, root));
        }
        other => panic!("{other}"),
    }

    // A root over a leaf whose height differs from the one in its ancestors.
    let leaf = Page::Leaf(whole([]));
    let place = tree::Place { rank: 0, height: 5, ..tree::Place::root(leaf.name().unwrap()) };
    let mut store = MemoryStore::default();
    store.put(leaf).unwrap();
    let refused = tree::walk::open_page(&store, &place).unwrap_err();
    assert!(matches!(refused, TreeError::Misplaced { misfit: Misfit::Height, .. }), "{refused}");
}
