//! Positions in a tree.

use std::sync::Arc;

use crate::{item::Entry, key::Key, F};

use super::{
    error::TreeError,
    page::Page,
    place::{load, Place},
    store::PageStore,
};

/// The position of an entry: the entry and the pages on the path from the root. A move loads only the
/// pages that are not on the path. After an error the position is unchanged.
pub struct Position<'s, S: PageStore + ?Sized> {
    store: &'s S,
    /// The path from the root page to a leaf. Each index is below the length of its page.
    steps: Vec<Step>,
}

#[derive(Clone)]
struct Step {
    place: Place,
    page: Arc<Page>,
    index: usize,
}

impl<S: PageStore + ?Sized> Clone for Position<'_, S> {
    fn clone(&self) -> Self {
        Position { store: self.store, steps: self.steps.clone() }
    }
}

impl<'s, S: PageStore + ?Sized> Position<'s, S> {
    /// The first entry whose key is at least `key`. If `key` is between two leaves, loads both, so that
    /// a wrong hint cannot hide an entry.
    ///
    /// # Errors
    /// [`TreeError`] if a page is missing or misplaced.
    pub fn seek(store: &'s S, root: F, key: &Key) -> Result<Self, TreeError> {
        let steps = descend(store, Place::root(root), |page| match page {
            Page::Leaf(entries) => entries.partition_point(|e| e.key < *key),
            Page::Internal { children, .. } => children.partition_point(|c| c.last_key < *key),
        })?;
        let position = Position { store, steps };
        if position.leaf_step().index == 0 && position.entry().key != *key {
            position.clone().previous()?;
        }
        Ok(position)
    }

    /// The entry.
    pub fn entry(&self) -> Entry {
        let Step { page, index, .. } = self.leaf_step();
        page.entries()[*index]
    }

    /// The leaf page of the entry.
    pub fn leaf(&self) -> &Page {
        &self.leaf_step().page
    }

    /// The places of the pages on the path, from the root page to the leaf.
    pub fn path(&self) -> impl Iterator<Item = &Place> {
        self.steps.iter().map(|step| &step.place)
    }

    /// Moves to the next entry. Returns `false` at the last entry.
    ///
    /// # Errors
    /// [`TreeError`] if a page is missing or misplaced.
    pub fn advance(&mut self) -> Result<bool, TreeError> {
        self.shift(1, |_| 0)
    }

    /// Moves to the previous entry. Returns `false` at the first entry.
    ///
    /// # Errors
    /// [`TreeError`] if a page is missing or misplaced.
    pub fn previous(&mut self) -> Result<bool, TreeError> {
        self.shift(-1, |page| page.len() - 1)
    }

    /// Moves to the first entry of the next leaf. Returns `false` in the last leaf.
    ///
    /// # Errors
    /// [`TreeError`] if a page is missing or misplaced.
    pub fn advance_leaf(&mut self) -> Result<bool, TreeError> {
        let above = self.steps.len() - 1;
        self.shift_above(above, 1, |_| 0)
    }

    fn leaf_step(&self) -> &Step {
        self.steps.last().expect("a path ends in a leaf")
    }

    fn shift(&mut self, by: isize, pick: fn(&Page) -> usize) -> Result<bool, TreeError> {
        self.shift_above(self.steps.len(), by, pick)
    }

    /// Moves the lowest possible of the first `above` steps by `by`, and descends from there.
    fn shift_above(
        &mut self,
        above: usize,
        by: isize,
        pick: fn(&Page) -> usize,
    ) -> Result<bool, TreeError> {
        for depth in (0..above).rev() {
            let Step { place, page, index } = &self.steps[depth];
            let Some(index) = index.checked_add_signed(by).filter(|i| *i < page.len()) else {
                continue;
            };
            let below = match **page {
                Page::Leaf(_) => Vec::new(),
                Page::Internal { .. } => descend(self.store, place.child(page, index), pick)?,
            };
            self.steps[depth].index = index;
            self.steps.truncate(depth + 1);
            self.steps.extend(below);
            return Ok(true);
        }
        Ok(false)
    }
}

/// The path from `place` to a leaf. `pick` selects an item of each page.
fn descend<S: PageStore + ?Sized>(
    store: &S,
    mut place: Place,
    pick: impl Fn(&Page) -> usize,
) -> Result<Vec<Step>, TreeError> {
    let mut steps = Vec::new();
    loop {
        let page = load(store, &place)?;
        // A checked page is not empty, and its last key is the one in its parent.
        let index = pick(&page).min(page.len() - 1);
        let below = match *page {
            Page::Leaf(_) => None,
            Page::Internal { .. } => Some(place.child(&page, index)),
        };
        steps.push(Step { place, page, index });
        match below {
            Some(next) => place = next,
            None => return Ok(steps),
        }
    }
}
