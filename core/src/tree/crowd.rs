//! Nodes that have grown too large, and keys that divide them.
//!
//! The shape of the tree follows from its keys, so a writer can choose keys of height 0 until one node
//! has any number of items. Whoever then writes a key in that node pays for all items after it, since the
//! merge lane passes them one by one. (The items before it are skipped.) A key of sufficient height right
//! after one's own ends the node there.

use crate::{
    fence::{fence_after, MAX_FENCE},
    height::key_height,
    key::Key,
    F,
};

use super::{
    error::TreeError,
    limits::LEVELS_PER_PAGE,
    page::Page,
    place::{load, Place},
    store::PageStore,
};

/// The number of items that may follow a key in its node. In a tree of random keys more follow with
/// probability `(3/4)^32`, one in 10,000: as seldom a node is divided that nobody has made large.
pub const CROWD: usize = 32;

/// A key in nodes with many items after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowd {
    /// The number of items after the key, in all such nodes.
    pub items: u64,
    /// The height of a key that ends these nodes.
    pub height: usize,
}

impl Crowd {
    /// A key that divides these nodes behind `key`, as far as that can be found: see [`fence_after`].
    pub fn fence(&self, key: &Key) -> Option<Key> {
        fence_after(key, self.height.min(MAX_FENCE))
    }
}

/// The nodes that cover `key` in which more than [`CROWD`] items come after it; `None` without any. `key` need
/// not have an entry. Reads a page of each rank, and hashes the keys after it in its leaf page.
///
/// # Errors
/// [`TreeError`] if a page is missing or misplaced.
pub fn crowd<S: PageStore + ?Sized>(
    store: &S,
    root: F,
    key: &Key,
) -> Result<Option<Crowd>, TreeError> {
    let mut place = Place::root(root);
    let mut found: Option<Crowd> = None;
    loop {
        let page = load(store, &place)?;
        let at = match &*page {
            Page::Leaf(entries) => entries.partition_point(|entry| entry.key < *key),
            Page::Internal { children, .. } => {
                children.partition_point(|child| child.last_key < *key)
            }
        };
        if page.len().saturating_sub(at) > CROWD {
            let mut heights: Vec<usize> = match &*page {
                Page::Leaf(entries) => entries[at..].iter().map(|e| key_height(&e.key)).collect(),
                Page::Internal { children, .. } => {
                    children[at..].iter().map(|child| usize::from(child.height)).collect()
                }
            };
            if let Some(last) = heights.last_mut() {
                *last = place.height;
            }
            for level in levels(&page) {
                let after = items_after(&heights, level);
                if after > CROWD {
                    let before = found.map_or(0, |crowd| crowd.items);
                    let height = found.map_or(0, |crowd| crowd.height).max(level + 1);
                    found = Some(Crowd { items: before + after as u64, height });
                }
            }
        }
        match &*page {
            Page::Leaf(_) => return Ok(found),
            Page::Internal { children, .. } if at == children.len() => return Ok(found),
            Page::Internal { .. } => place = place.child(&page, at),
        }
    }
}

/// The levels of the nodes of a page.
fn levels(page: &Page) -> std::ops::Range<usize> {
    let lowest = LEVELS_PER_PAGE * usize::from(page.rank());
    lowest..lowest + LEVELS_PER_PAGE
}

/// The number of items of this level from the first to the end of its node. `heights` are those of the
/// lowest items of a page.
fn items_after(heights: &[usize], level: usize) -> usize {
    let end = heights.iter().position(|height| *height > level).unwrap_or(heights.len());
    heights[..end].iter().filter(|height| **height >= level).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        item::Entry,
        stamp::Stamp,
        tree::{build, update, MemoryStore},
        value::value_digest,
    };

    fn entry(key: Key) -> Entry {
        Entry { key, stamp: Stamp { ts: 1, writer: 0 }, value: value_digest(b"x") }
    }

    /// The keys among those numbered whose height is this one.
    fn ground(height: usize, count: usize) -> Vec<Key> {
        let key = |n: u32| Key::shared(&n.to_be_bytes()).expect("short");
        (0..).map(key).filter(|key| key_height(key) == height).take(count).collect()
    }

    #[test]
    fn a_large_node_is_divided_behind_a_key() {
        for height in [0, 1, 2] {
            let keys = ground(height, 3 * CROWD);
            let mut entries: Vec<Entry> = keys.iter().map(|key| entry(*key)).collect();
            entries.insert(0, Entry::start_sentinel());
            entries.push(Entry::end_sentinel());
            let built = build(&entries);
            let mut store = MemoryStore::default();
            store.apply(&built);
            let first = keys[0];
            let found = crowd(&store, built.root, &first).unwrap().expect("many follow");
            assert_eq!(found.height, height + 1);
            assert!(found.items > 2 * CROWD as u64);
            assert_eq!(crowd(&store, built.root, &keys[keys.len() - 4]).unwrap(), None);

            let fence = found.fence(&first).unwrap();
            let divided = update(&store, built.root, &[entry(fence)]).unwrap();
            store.apply(&divided);
            assert_eq!(crowd(&store, divided.root, &first).unwrap(), None);
        }
    }
}
