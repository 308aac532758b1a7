//! Where pages are kept.

use std::{collections::BTreeMap, sync::Arc};

use crate::F;

use super::{
    codec::InlineValues,
    error::{PageError, StoreError},
    page::Page,
    update::Update,
};

/// Pages by name. A store gives out only pages whose name it has checked, or made itself.
pub trait PageStore {
    /// The page of this name, if the store has it.
    ///
    /// # Errors
    /// Whatever goes wrong in the store.
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

/// Pages in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    pages: BTreeMap<F, Arc<Page>>,
}

impl MemoryStore {
    /// Stores a page and returns its name.
    ///
    /// # Errors
    /// [`PageError`] if it is no page.
    pub fn put(&mut self, page: Page) -> Result<F, PageError> {
        let name = page.name()?;
        self.pages.insert(name, Arc::new(page));
        Ok(name)
    }

    /// Decodes a page that came from anywhere, stores it under its own name and returns name and
    /// inline values. Enough for a client that checks an answer: reading from the root it trusts
    /// finds the pages it needs, or misses one.
    ///
    /// # Errors
    /// [`PageError`] if the bytes are no page.
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

    /// Forgets a page; whether it was there.
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

/// Pages in memory over a store that stays as it is: trees that are not committed yet.
#[derive(Debug, Clone)]
pub struct Overlay<S> {
    /// The store below.
    pub below: S,
    /// The pages on top.
    pub above: MemoryStore,
}

impl<S: PageStore> Overlay<S> {
    /// An overlay without pages of its own.
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
