//! Lists of pages: all pages of a tree, and the pages that prove an answer.

use std::{collections::BTreeSet, ops::RangeBounds, sync::Arc};

use crate::{key::Key, F};

use super::{
    error::TreeError,
    page::Page,
    place::{load, Place},
    position::Position,
    read::start_key,
    store::PageStore,
};

/// All pages of a tree, parents before children, in key order.
pub fn pages_below<S: PageStore + ?Sized>(store: &S, root: F) -> PagesBelow<'_, S> {
    PagesBelow { store, waiting: vec![Place::root(root)] }
}

/// The pages of a tree ([`pages_below`]). Continues after an error, without the pages below the page
/// that failed: so the errors [`TreeError::Missing`] are the pages that a replica fetches next.
pub struct PagesBelow<'s, S: PageStore + ?Sized> {
    store: &'s S,
    waiting: Vec<Place>,
}

impl<S: PageStore + ?Sized> Iterator for PagesBelow<'_, S> {
    type Item = Result<(Place, Arc<Page>), TreeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let place = self.waiting.pop()?;
        let page = match load(self.store, &place) {
            Ok(page) => page,
            Err(error) => return Some(Err(error)),
        };
        let children = (0..page.children().len()).rev();
        self.waiting.extend(children.map(|index| place.child(&page, index)));
        Some(Ok((place, page)))
    }
}

/// The names of the pages that prove the contents of a range, parents before children: the pages that
/// cover the range and one neighbour on each side. With these pages in a
/// [`MemoryStore`](super::MemoryStore), a client can [`scan`](super::scan) the range; for a range of
/// one key it can read the [`neighbours`](super::neighbours).
///
/// # Errors
/// [`TreeError`] if a page is missing or misplaced.
pub fn range_pages<S: PageStore + ?Sized>(
    store: &S,
    root: F,
    range: impl RangeBounds<Key>,
) -> Result<Vec<F>, TreeError> {
    let start = start_key(&range);
    let mut position = Position::seek(store, root, &start)?;
    position.previous()?;
    let mut seen = BTreeSet::new();
    let mut names = Vec::new();
    loop {
        names.extend(position.path().map(|place| place.name).filter(|name| seen.insert(*name)));
        let last = position.leaf().last_key();
        let beyond = last.is_some_and(|key| key > start && !range.contains(&key));
        if beyond || !position.advance_leaf()? {
            return Ok(names);
        }
    }
}
