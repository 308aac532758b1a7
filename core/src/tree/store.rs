//! Page stores.

use std::{collections::BTreeMap, sync::Arc};

use crate::F;

use super::{
    codec::InlineValues,
    error::{PageError, StoreError},
    page::Page,
};

/// Pages by name. A store returns only pages whose name it has checked or computed.
pub trait PageStore {
    /// The page of this name; `None` if the store does not have it.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    fn page(&self, name: &F) -> Result<Option<Arc<Page>>, StoreError>;
}

impl<S: PageStore + ?Sized> PageStore for &S {
    fn page(&self, name: &F) -> Result<Option<Arc<Page>>, StoreError> {
        (**self).page(name)
    }
}

impl<S: PageStore + ?Sized> PageStore for Arc<S> {
    fn page(&self, name: &F) -> Result<Option<Arc<Page>>, StoreError> {
        (**self).page(name)
    }
}

/// The difference between the pages of an old tree and a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The new root.
    pub root: F,
    /// The pages that only the new tree has, with their names, children before parents: a store that
    /// writes them in this order never has a page without its descendants.
    pub pages: Vec<(F, Page)>,
    /// The names of the pages that only the old tree has.
    pub replaced: Vec<F>,
}

/// A page store in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    pages: BTreeMap<F, Arc<Page>>,
}

impl MemoryStore {
    /// Stores a page and returns its name.
    ///
    /// # Errors
    /// [`PageError`] if the page is not valid.
    pub fn put(&mut self, page: Page) -> Result<F, PageError> {
        let name = page.name()?;
        self.pages.insert(name, Arc::new(page));
        Ok(name)
    }

    /// Decodes an untrusted page and stores it under its name. Returns the name and the inline values.
    /// The caller need not compare the name: reads from a trusted root use only the pages below it.
    ///
    /// # Errors
    /// [`PageError`] if the bytes are not a valid page.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(F, InlineValues), PageError> {
        let (page, inline) = Page::decode(bytes)?;
        Ok((self.put(page)?, inline))
    }

    /// Stores the pages of an update without hashing them again.
    pub fn apply(&mut self, update: &Update) {
        for (name, page) in &update.pages {
            self.pages.insert(*name, Arc::new(page.clone()));
        }
    }

    /// Removes a page. Returns whether it was in the store.
    pub fn remove(&mut self, name: &F) -> bool {
        self.pages.remove(name).is_some()
    }

    /// Number of pages.
    pub fn len(&self) -> usize {
        self.pages.len()
    }

    /// Whether there are no pages.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// All pages in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&F, &Arc<Page>)> {
        self.pages.iter()
    }
}

impl PageStore for MemoryStore {
    fn page(&self, name: &F) -> Result<Option<Arc<Page>>, StoreError> {
        Ok(self.pages.get(name).cloned())
    }
}

/// Uncommitted pages in memory, over a store that does not change.
#[derive(Debug, Clone)]
pub struct Overlay<S> {
    /// The underlying store.
    pub below: S,
    /// The uncommitted pages.
    pub above: MemoryStore,
}

impl<S: PageStore> Overlay<S> {
    /// An overlay without uncommitted pages.
    pub fn new(below: S) -> Overlay<S> {
        Overlay { below, above: MemoryStore::default() }
    }
}

impl<S: PageStore> PageStore for Overlay<S> {
    fn page(&self, name: &F) -> Result<Option<Arc<Page>>, StoreError> {
        match self.above.page(name)? {
            Some(page) => Ok(Some(page)),
            None => self.below.page(name),
        }
    }
}
