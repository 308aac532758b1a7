//! Traversal of the nodes of a tree, level by level, across pages.
//!
//! [`root_node`] returns the node of level [`H`]. [`Item::open`] returns the node of level l-1 of an
//! item of level l, or the entry of an item of level 0. It loads pages as needed and recomputes their
//! names.

use std::sync::Arc;

use crate::{height::H, item::Entry, key::Key, F};

use super::{
    chain::{fold_page, FoldedPage, PageItem},
    error::{Misfit, PageError, TreeError},
    limits::LEVELS_PER_PAGE,
    page::Page,
    place::{load, Place},
    store::PageStore,
};

/// A node: a maximal run of items of one level that ends with an item of greater height.
#[derive(Debug, Clone)]
pub struct Node {
    /// The level of the node and of its items.
    pub level: usize,
    /// The items in key order, at least one.
    pub items: Vec<Item>,
}

/// An item: an entry at level 0, a node of level l-1 at level l.
#[derive(Debug, Clone)]
pub struct Item {
    /// The level of the item.
    pub level: usize,
    /// The digest.
    pub digest: F,
    /// The height of the last key below, not capped.
    pub height: usize,
    /// The last key before the item; `None` at the start of the tree. It is a hint if it belongs to a
    /// page that is not loaded, see [`Place`].
    pub after: Option<Key>,
    /// The last key below: exact in a leaf page, otherwise a hint.
    pub last_key: Key,
    below: Below,
}

#[derive(Debug, Clone)]
enum Below {
    Entry(Entry),
    Page(Place),
    /// Item `index` of level `k` of the page.
    Node {
        nodes: Arc<PageNodes>,
        k: usize,
        index: usize,
    },
}

/// The entry or node of an item.
#[derive(Debug, Clone)]
pub enum Opened {
    /// The entry of an item of level 0.
    Entry(Entry),
    /// The node of an item of a higher level.
    Node(Node),
}

/// The node of level [`H`], whose digest is the root.
///
/// # Errors
/// [`TreeError`] if the root page is missing or misplaced, or has another name.
pub fn root_node<S: PageStore + ?Sized>(store: &S, root: F) -> Result<Node, TreeError> {
    open_page(store, &Place::root(root))
}

/// The highest node in the page of a place: of level `3 * rank + 2`, or [`H`] for the root page.
///
/// # Errors
/// [`TreeError`] if the page is missing or misplaced, or has another name.
pub fn open_page<S: PageStore + ?Sized>(store: &S, place: &Place) -> Result<Node, TreeError> {
    let page = load(store, place)?;
    let nodes = PageNodes::new(place, page)?;
    let k = nodes.levels.len() - 1;
    Ok(Arc::new(nodes).node(k, None))
}

impl Item {
    /// The entry or node of the item.
    ///
    /// # Errors
    /// [`TreeError`] if a page is missing or misplaced, or has another name.
    pub fn open<S: PageStore + ?Sized>(&self, store: &S) -> Result<Opened, TreeError> {
        match &self.below {
            Below::Entry(entry) => Ok(Opened::Entry(*entry)),
            Below::Page(place) => open_page(store, place).map(Opened::Node),
            Below::Node { nodes, k, index } => {
                Ok(Opened::Node(nodes.clone().node(k - 1, Some(*index))))
            }
        }
    }

    /// The entry of an item of level 0.
    pub fn entry(&self) -> Option<&Entry> {
        match &self.below {
            Below::Entry(entry) => Some(entry),
            Below::Page(_) | Below::Node { .. } => None,
        }
    }

    /// Whether `key` is in the key range of the item. The key need not have an entry.
    pub fn covers(&self, key: &Key) -> bool {
        self.after.as_ref() < Some(key) && *key <= self.last_key
    }
}

/// A page with the items of all its levels.
#[derive(Debug)]
struct PageNodes {
    place: Place,
    page: Arc<Page>,
    /// The heights of the items of the lowest level, not capped.
    heights: Vec<usize>,
    /// `levels[k]` are the items of level `3 * rank + k`.
    levels: Vec<Vec<PageItem>>,
}

impl PageNodes {
    fn new(place: &Place, page: Arc<Page>) -> Result<PageNodes, TreeError> {
        let refused = |source| TreeError::Page { name: place.name, source };
        let items = page.items().map_err(refused)?;
        let FoldedPage { levels, name: actual } = fold_page(place.rank, &items);
        if actual != place.name {
            return Err(refused(PageError::WrongName { expected: place.name, actual }));
        }
        let mut heights: Vec<usize> = items.iter().map(|i| i.1).collect();
        if let Some(last) = heights.last_mut() {
            if *last != place.height.min(if place.rank == 0 { H } else { Page::cap(place.rank) }) {
                return Err(TreeError::Misplaced { name: place.name, misfit: Misfit::Height });
            }
            *last = place.height;
        }
        Ok(PageNodes { place: *place, page, heights, levels })
    }

    /// The node of level `3 * rank + k` that is item `of` of the next higher level; `None` for the
    /// highest node of the page.
    fn node(self: Arc<PageNodes>, k: usize, of: Option<usize>) -> Node {
        let level = LEVELS_PER_PAGE * usize::from(self.place.rank) + k;
        let records = &self.levels[k];
        let end_of = |last: usize| records.partition_point(|r| r.last <= last);
        let (start, end) = match of {
            None => (0, records.len()),
            Some(index) => {
                let upper = &self.levels[k + 1];
                let start = index.checked_sub(1).map_or(0, |left| end_of(upper[left].last));
                (start, end_of(upper[index].last))
            }
        };
        let items = (start..end).map(|index| self.item(level, k, index)).collect();
        Node { level, items }
    }

    fn item(self: &Arc<PageNodes>, level: usize, k: usize, index: usize) -> Item {
        let records = &self.levels[k];
        let PageItem { digest, last } = records[index];
        let left = index.checked_sub(1).map(|left| records[left].last);
        Item {
            level,
            digest,
            height: self.heights[last],
            after: left.map(|left| self.last_key(left)).or(self.place.after),
            last_key: self.last_key(last),
            below: match &*self.page {
                _ if k > 0 => Below::Node { nodes: self.clone(), k, index },
                Page::Leaf(entries) => Below::Entry(entries[index]),
                Page::Internal { .. } => Below::Page(self.place.child(&self.page, index)),
            },
        }
    }

    /// The last key below item `index` of the lowest level.
    fn last_key(&self, index: usize) -> Key {
        match &*self.page {
            Page::Leaf(entries) => entries[index].key,
            Page::Internal { children, .. } => children[index].last_key,
        }
    }
}
