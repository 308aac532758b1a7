//! Pages: three levels of nodes, the unit of storage and transfer.

use crate::{height::H, item::Entry, key::Key, F};

use super::{
    chain::{fold_page, leaf_items},
    error::PageError,
    limits::{LEVELS_PER_PAGE, ROOT_RANK},
};

/// The nodes below one item of level `3 * rank + 3`, down to the items of level `3 * rank`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// Rank 0: entries in key order. Only the last one has height 3 or more.
    Leaf(Vec<Entry>),
    /// A higher rank: the pages of the next lower rank.
    Internal {
        /// 1 to [`ROOT_RANK`].
        rank: u8,
        /// The child pages in key order. Only the last one has height `3 * rank + 3` or more.
        children: Vec<Child>,
    },
}

/// An item of an internal page: a child page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Child {
    /// The digest of the item, which is the name of the child page.
    pub digest: F,
    /// The height of the last key below, capped at `3 * rank + 3` ([`Page::cap`]).
    pub height: u8,
    /// The last key below: a hint, which the page's name does not bind.
    pub last_key: Key,
}

impl Page {
    /// The page's rank: 0 for a leaf.
    pub fn rank(&self) -> u8 {
        match self {
            Page::Leaf(_) => 0,
            Page::Internal { rank, .. } => *rank,
        }
    }

    /// The entries of a leaf; empty for an internal page.
    pub fn entries(&self) -> &[Entry] {
        match self {
            Page::Leaf(entries) => entries,
            Page::Internal { .. } => &[],
        }
    }

    /// The children of an internal page; empty for a leaf.
    pub fn children(&self) -> &[Child] {
        match self {
            Page::Leaf(_) => &[],
            Page::Internal { children, .. } => children,
        }
    }

    /// Number of items: entries or children.
    pub fn len(&self) -> usize {
        self.entries().len() + self.children().len()
    }

    /// Whether there are no items. A valid page has items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The last key below the page: authenticated for a leaf, a hint otherwise.
    pub fn last_key(&self) -> Option<Key> {
        match self {
            Page::Leaf(entries) => entries.last().map(|e| e.key),
            Page::Internal { children, .. } => children.last().map(|c| c.last_key),
        }
    }

    /// The height from which an item ends a page of this rank, at which recorded heights are capped:
    /// `3 * rank + 3`, or [`H`] for the root page, where all items have height [`H`].
    pub fn cap(rank: u8) -> usize {
        (LEVELS_PER_PAGE * (usize::from(rank) + 1)).min(H)
    }

    /// The page's name, recomputed from its items.
    ///
    /// Costs about 1.3 Poseidon permutations per item, and 2 more per entry of a leaf.
    ///
    /// # Errors
    /// [`PageError`] if the page is not valid: it has no items, its keys do not increase strictly, or
    /// its heights belong to another rank or to several pages.
    pub fn name(&self) -> Result<F, PageError> {
        let items = self.items()?;
        Ok(fold_page(self.rank(), &items).name)
    }

    /// The lowest items as (digest, height); heights of an internal page are capped.
    pub(super) fn items(&self) -> Result<Vec<(F, usize)>, PageError> {
        self.check_shape()?;
        let items: Vec<_> = match self {
            Page::Leaf(entries) => leaf_items(entries),
            Page::Internal { children, .. } => {
                children.iter().map(|c| (c.digest, usize::from(c.height))).collect()
            }
        };
        for (index, (_, height)) in items.iter().enumerate() {
            self.check_height(index, *height)?;
        }
        Ok(items)
    }

    /// The checks that require no hashing.
    pub(super) fn check_shape(&self) -> Result<(), PageError> {
        if self.is_empty() {
            return Err(PageError::Empty);
        }
        match self {
            Page::Leaf(entries) => check_sorted(entries.iter().map(|e| &e.key)),
            Page::Internal { rank, .. } if *rank == 0 || *rank > ROOT_RANK => {
                Err(PageError::UnknownRank { rank: *rank })
            }
            Page::Internal { children, .. } => {
                check_sorted(children.iter().map(|c| &c.last_key))?;
                let mut heights = children.iter().map(|c| usize::from(c.height)).enumerate();
                heights.try_for_each(|(index, height)| self.check_height(index, height))
            }
        }
    }

    fn check_height(&self, index: usize, height: usize) -> Result<(), PageError> {
        let rank = self.rank();
        let cap = Page::cap(rank);
        let ends = index + 1 == self.len();
        let fits = match rank {
            0 => (height >= cap) == ends,
            ROOT_RANK => height == H,
            _ if ends => height == cap,
            _ => (LEVELS_PER_PAGE * usize::from(rank)..cap).contains(&height),
        };
        if fits {
            Ok(())
        } else {
            Err(PageError::Height { index, rank, height })
        }
    }
}

fn check_sorted<'a>(keys: impl Iterator<Item = &'a Key>) -> Result<(), PageError> {
    let mut last = None;
    for (index, key) in keys.enumerate() {
        if last.is_some_and(|last| last >= key) {
            return Err(PageError::Unsorted { index });
        }
        last = Some(key);
    }
    Ok(())
}
