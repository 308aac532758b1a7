//! A position in a tree.

use std::sync::Arc;

use crate::{item::Entry, key::Key, F};

use super::{
    error::TreeError,
    page::Page,
    place::{load, Place},
    store::PageStore,
};

/// An entry of a tree, and the pages from the root to it. Moving opens only the pages that are not
/// open yet; a move that fails leaves the cursor where it was.
pub struct Cursor<'s, S: PageStore + ?Sized> {
    store: &'s S,
    /// From the root page to a leaf; every index is below the length of its page.
    steps: Vec<Step>,
}

#[derive(Clone)]
struct Step {
    place: Place,
    page: Arc<Page>,
    index: usize,
}

impl<S: PageStore + ?Sized> Clone for Cursor<'_, S> {
    fn clone(&self) -> Self {
        Cursor { store: self.store, steps: self.steps.clone() }
    }
}

impl<'s, S: PageStore + ?Sized> Cursor<'s, S> {
    /// The first entry whose key is `key` or greater. Also opens the leaf before it if `key` falls
    /// between the two, so that no lying hint can hide an entry.
    ///
    /// # Errors
    /// [`TreeError`] if a page is missing or misplaced.
    pub fn seek(store: &'s S, root: F, key: &Key) -> Result<Self, TreeError> {
        let steps = descend(store, Place::root(root), |page| match page {
            Page::Leaf(entries) => entries.partition_point(|e| e.key < *key),
            Page::Internal { children, .. } => children.partition_point(|c| c.last_key < *key),
        })?;
        let cursor = Cursor { store, steps };
        if cursor.leaf_step().index == 0 && cursor.entry().key != *key {
            cursor.clone().previous()?;
        }
        Ok(cursor)
    }

    /// The entry here.
    pub fn entry(&self) -> Entry {
        let Step { page, index, .. } = self.leaf_step();
        page.entries()[*index]
    }

    /// The leaf page here.
    pub fn leaf(&self) -> &Page {
        &self.leaf_step().page
    }

    /// The places of the pages from the root page to the leaf.
    pub fn path(&self) -> impl Iterator<Item = &Place> {
        self.steps.iter().map(|step| &step.place)
    }

    /// Moves to the next entry; `false` at the last.
    ///
    /// # Errors
    /// [`TreeError`] if a page is missing or misplaced.
    pub fn advance(&mut self) -> Result<bool, TreeError> {
        self.shift(1, |_| 0)
    }

    /// Moves to the entry before; `false` at the first.
    ///
    /// # Errors
    /// [`TreeError`] if a page is missing or misplaced.
    pub fn previous(&mut self) -> Result<bool, TreeError> {
        self.shift(-1, |page| page.len() - 1)
    }

    /// Moves to the first entry of the next leaf; `false` in the last.
    ///
    /// # Errors
    /// [`TreeError`] if a page is missing or misplaced.
    pub fn advance_leaf(&mut self) -> Result<bool, TreeError> {
        let above = self.steps.len() - 1;
        self.shift_above(above, 1, |_| 0)
    }

    fn leaf_step(&self) -> &Step {
        self.steps.last().expect("a cursor always ends in a leaf")
    }

    fn shift(&mut self, by: isize, pick: fn(&Page) -> usize) -> Result<bool, TreeError> {
        self.shift_above(self.steps.len(), by, pick)
    }

    /// Moves one of the first `above` steps, the lowest that can, and goes down again from there.
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

/// The way from `place` down to a leaf. `pick` chooses an item of each page.
fn descend<S: PageStore + ?Sized>(
    store: &S,
    mut place: Place,
    pick: impl Fn(&Page) -> usize,
) -> Result<Vec<Step>, TreeError> {
    let mut steps = Vec::new();
    loop {
        let page = load(store, &place)?;
        // A page in its place is not empty, and ends with the key its parent says.
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
