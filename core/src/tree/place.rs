//! Places: where a page stands in a tree, as its parents say.

use std::sync::Arc;

use crate::{height::H, item::Entry, key::Key, F};

use super::{
    error::{Misfit, TreeError},
    page::{Page, ROOT_RANK},
    store::PageStore,
};

/// What the pages above a page say about it. Following [`Place::root`] and [`Place::children`]
/// visits a whole tree; a replica that fetches one checks every page that arrives with
/// [`Page::check`] and then with [`Place::check`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The page's name.
    pub name: F,
    /// Its rank.
    pub rank: u8,
    /// The height of its last item, not capped.
    pub height: usize,
    /// The last key of the page on its left, a hint; `None` for the first page of the tree.
    pub after: Option<Key>,
    /// Its own last key, a hint until a leaf is opened.
    pub last_key: Key,
}

impl Place {
    /// The place of the root page.
    pub fn root(root: F) -> Place {
        Place { name: root, rank: ROOT_RANK, height: H, after: None, last_key: Key::END }
    }

    /// The place of child `index` of `page`, which stands here.
    ///
    /// # Panics
    /// If `page` has no such child.
    pub fn child(&self, page: &Page, index: usize) -> Place {
        let children = page.children();
        let child = &children[index];
        let last = index + 1 == children.len();
        let height = if last { self.height } else { usize::from(child.height) };
        let after = index.checked_sub(1).map(|left| children[left].last_key).or(self.after);
        let rank = self.rank.saturating_sub(1);
        Place { name: child.digest, rank, height, after, last_key: child.last_key }
    }

    /// The places of all children of `page`, which stands here, in key order.
    pub fn children<'a>(&'a self, page: &'a Page) -> impl Iterator<Item = Place> + 'a {
        (0..page.children().len()).map(move |index| self.child(page, index))
    }

    /// Compares a page with its place. Does not recompute its name.
    ///
    /// # Errors
    /// [`TreeError::Misplaced`]: a hint of a page above lies, or the root is no tree's.
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

/// The page at a place.
///
/// # Errors
/// [`TreeError::Missing`], [`TreeError::Misplaced`] or the store's own.
pub fn load<S: PageStore + ?Sized>(store: &S, place: &Place) -> Result<Arc<Page>, TreeError> {
    let Place { name, rank, .. } = *place;
    let page = store.page(&name)?.ok_or(TreeError::Missing { name, rank })?;
    place.check(&page)?;
    Ok(page)
}
