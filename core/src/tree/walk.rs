//! Walking the nodes of a tree, level by level and across the borders of pages.
//!
//! [`root_node`] gives the node of level [`H`]; an item of level l is opened
//! into the node of level l-1 it stands for, an item of level 0 into its entry. Pages are loaded
//! when an item leads into them, and their names are recomputed then.

use std::sync::Arc;

use crate::{height::H, item::Entry, key::Key, F};

use super::{
    chain::{fold_page, FoldedPage, PageItem},
    error::{Misfit, PageError, TreeError},
    page::{Page, LEVELS_PER_PAGE},
    place::{load, Place},
    store::PageStore,
};

/// A node: a maximal run of items of one level that ends with an item of greater height.
#[derive(Debug, Clone)]
pub struct Node {
    /// The level of its items and of its chain.
    pub level: usize,
    /// Its items in key order; at least one.
    pub items: Vec<Item>,
}

/// An item of some level: an entry at level 0, a node of one level less above.
#[derive(Debug, Clone)]
pub struct Item {
    /// The level of the node that it belongs to.
    pub level: usize,
    /// Its digest.
    pub digest: F,
    /// The height of its last entry, not capped.
    pub height: usize,
    /// The last key before it; `None` at the start of the tree. At the border of an unopened
    /// page a hint, see [`Place`].
    pub after: Option<Key>,
    /// The last key below it; exact inside a leaf page, otherwise a hint.
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

/// What an item stands for.
#[derive(Debug, Clone)]
pub enum Opened {
    /// An item of level 0.
    Entry(Entry),
    /// An item of any other level.
    Node(Node),
}

/// The node of level [`H`], whose chain is the root.
///
/// # Errors
/// [`TreeError`] if the root page is missing, misplaced or not the one named.
pub fn root_node<S: PageStore + ?Sized>(store: &S, root: F) -> Result<Node, TreeError> {
    open_page(store, &Place::root(root))
}

/// The topmost node inside the page at a place: of level 3 * rank + 2, or [`H`] for the root page.
///
/// # Errors
/// [`TreeError`] if the page is missing, misplaced or not the one named.
pub fn open_page<S: PageStore + ?Sized>(store: &S, place: &Place) -> Result<Node, TreeError> {
    let page = load(store, place)?;
    let nodes = PageNodes::new(place, page)?;
    let k = nodes.levels.len() - 1;
    Ok(Arc::new(nodes).node(k, None))
}

impl Item {
    /// What the item stands for.
    ///
    /// # Errors
    /// [`TreeError`] if a page is needed and is missing, misplaced or not the one named.
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

    /// Whether `key`, present or not, belongs below this item: after everything before it and not
    /// after its last key.
    pub fn covers(&self, key: &Key) -> bool {
        self.after.as_ref() < Some(key) && *key <= self.last_key
    }
}

/// The items of all levels of a page.
#[derive(Debug)]
struct PageNodes {
    place: Place,
    page: Arc<Page>,
    /// Heights of the lowest items, not capped.
    heights: Vec<usize>,
    /// The items of level 3 * rank + k.
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

    /// The node of level 3 * rank + k which is item `of` one level up, or all items of level k if
    /// that is the page itself.
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

    /// The last key below lowest item `index`.
    fn last_key(&self, index: usize) -> Key {
        match &*self.page {
            Page::Leaf(entries) => entries[index].key,
            Page::Internal { children, .. } => children[index].last_key,
        }
    }
}
