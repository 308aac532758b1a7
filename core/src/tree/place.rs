//! Places: the description of a page by its ancestors.

use std::sync::Arc;

use crate::{height::H, item::Entry, key::Key, F};

use super::{
    error::{Misfit, TreeError},
    limits::ROOT_RANK,
    page::Page,
    store::PageStore,
};

/// The description of a page by its ancestors. [`Place::root`] and [`Place::children`] traverse a
/// tree. A replica checks every received page with [`Page::check`] and then with [`Place::check`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The page's name.
    pub name: F,
    /// The page's rank.
    pub rank: u8,
    /// The height of the last key below, not capped.
    pub height: usize,
    /// The last key of the previous page, a hint; `None` for the first page of the tree.
    pub after: Option<Key>,
    /// The last key below: a hint, until the leaf is opened.
    pub last_key: Key,
}

impl Place {
    /// The place of the root page.
    pub fn root(root: F) -> Place {
        Place { name: root, rank: ROOT_RANK, height: H, after: None, last_key: Key::END }
    }

    /// The place of child `index` of `page`, whose place this is.
    ///
    /// # Panics
    /// If `page` has no child of this index.
    pub fn child(&self, page: &Page, index: usize) -> Place {
        let children = page.children();
        let child = &children[index];
        let last = index + 1 == children.len();
        let height = if last { self.height } else { usize::from(child.height) };
        let after = index.checked_sub(1).map(|left| children[left].last_key).or(self.after);
        let rank = self.rank.saturating_sub(1);
        Place { name: child.digest, rank, height, after, last_key: child.last_key }
    }

    /// The places of all children of `page`, whose place this is, in key order.
    pub fn children<'a>(&'a self, page: &'a Page) -> impl Iterator<Item = Place> + 'a {
        (0..page.children().len()).map(move |index| self.child(page, index))
    }

    /// Compares a page with its place. Does not recompute its name.
    ///
    /// # Errors
    /// [`TreeError::Misplaced`] if a hint in an ancestor is wrong, or the root is not the root of a
    /// tree.
    pub fn check(&self, page: &Page) -> Result<(), TreeError> {
        let first = match page {
            Page::Leaf(entries) => entries.first().map(|e| e.key),
            Page::Internal { children, .. } => children.first().map(|c| c.last_key),
        };
        let bounds = |entry: Option<&Entry>, sentinel| entry == Some(&sentinel);
        let entries = page.entries();
        let leaf = page.rank() == 0;
        let misfit = if page.rank() != self.rank {
            Misfit::Rank
        } else if page.last_key() != Some(self.last_key) {
            Misfit::LastKey
        } else if first <= self.after {
            Misfit::FirstKey
        } else if leaf
            && ((self.after.is_none() && !bounds(entries.first(), Entry::start_sentinel()))
                || (self.last_key == Key::END && !bounds(entries.last(), Entry::end_sentinel())))
        {
            Misfit::Sentinel
        } else {
            return Ok(());
        };
        Err(TreeError::Misplaced { name: self.name, misfit })
    }
}

/// Loads the page of a place and checks it with [`Place::check`].
///
/// # Errors
/// [`TreeError::Missing`], [`TreeError::Misplaced`] or the store's own.
pub fn load<S: PageStore + ?Sized>(store: &S, place: &Place) -> Result<Arc<Page>, TreeError> {
    let Place { name, rank, .. } = *place;
    let page = store.page(&name)?.ok_or(TreeError::Missing { name, rank })?;
    place.check(&page)?;
    Ok(page)
}
