//! Keys of chosen heights: pages that split at every rank.

use rootfold_core::{
    height::{key_height, H},
    key::Key,
    tree::{self, chain, Page},
};

use crate::support::{entry, numbered, of_height, tall_key, tree_of, whole, TALL};

/// The heights in the table.
fn heights() -> impl Iterator<Item = usize> {
    (3..=H).filter(|height| TALL.iter().any(|(h, _)| h == height))
}

#[test]
fn the_table_of_heights_is_right() {
    for (height, number) in TALL {
        let key = tall_key(*number);
        assert_eq!(key_height(&key), *height, "h{number}");
        assert_eq!(chain::leaf_items(&[entry(key, 1)]), [(entry(key, 1).item(), *height)]);
    }
    for height in 3..H {
        assert!(TALL.iter().any(|(h, _)| *h == height), "a key of height {height}");
    }
    for sentinel in whole([]) {
        let expected = (sentinel.item(), key_height(&sentinel.key));
        assert_eq!(chain::leaf_items(&[sentinel]), [expected]);
    }
}

#[test]
fn a_key_splits_every_page_it_is_high_enough_for() {
    for height in heights() {
        let tall = entry(of_height(height, 0), 1);
        let others = || numbered(40).filter(|e| key_height(&e.key) < 3);
        let (store, root) = tree_of(others());
        assert_eq!(store.len(), 5, "one page of each rank");
        let update = tree::update(&store, root, &[tall]).unwrap();
        assert_eq!(update.root, tree::build(&whole(others().chain([tall]))).root);
        let split = |rank: u8| update.pages.iter().filter(|p| p.1.rank() == rank).count();
        for rank in 0..=3u8 {
            let expected = if height >= 3 * usize::from(rank) + 3 { 2 } else { 1 };
            assert_eq!(split(rank), expected, "height {height}, rank {rank}");
        }
        assert_eq!(split(4), 1);
        let Page::Internal { children, .. } = &update.pages[update.pages.len() - 1].1 else {
            panic!("the root page comes last");
        };
        assert_eq!(children.len(), if height == H { 2 } else { 1 });
    }
}

#[test]
fn splits_come_in_any_order() {
    let all: Vec<_> = TALL.iter().map(|(_, number)| entry(tall_key(*number), *number)).collect();
    let expected = tree_of(all.iter().copied()).1;
    let (mut store, mut root) = tree_of([]);
    // In increasing order of height, so that each page exists before it splits; and in decreasing order.
    for order in [1, -1] {
        let mut sorted = all.clone();
        sorted.sort_by_key(|e| (order * key_height(&e.key) as i32, e.key));
        for upsert in sorted {
            let update = tree::update(&store, root, &[upsert]).unwrap();
            store.apply(&update);
            root = update.root;
        }
        assert_eq!(root, expected);
        (store, root) = tree_of([]);
    }
}

#[test]
fn the_smallest_tree_by_hand() {
    let (store, root) = tree_of([]);
    let [start, end] = [whole([])[0].item(), whole([])[1].item()];
    let mut item = chain::node_digest(0, [start, end]);
    for level in 1..=H {
        item = chain::node_digest(level, [item]);
    }
    assert_eq!(root, item);
    assert_eq!(store.len(), 5);
    assert_eq!(tree::lookup(&store, root, &Key::END).unwrap(), Some(whole([])[1]));
}

#[test]
fn a_tree_by_hand_with_a_boundary_on_every_level() {
    // start, one key of height h, end: nodes of levels below h have one boundary inside.
    for height in heights() {
        let tall = entry(of_height(height, 0), 1);
        let [start, end] = [whole([])[0].item(), whole([])[1].item()];
        let mut left = chain::node_digest(0, [start, tall.item()]);
        let mut right = chain::node_digest(0, [end]);
        for level in 1..height {
            left = chain::node_digest(level, [left]);
            right = chain::node_digest(level, [right]);
        }
        let mut top = chain::node_digest(height, [left, right]);
        for level in height + 1..=H {
            top = chain::node_digest(level, [top]);
        }
        assert_eq!(tree_of([tall]).1, top, "height {height}");
    }
}
