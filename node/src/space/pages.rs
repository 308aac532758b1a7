//! The pages of a store, with a cache of decoded pages.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use rootfold_core::{
    tree::{self, Page, PageStore},
    F,
};

use crate::store::{
    records::{damaged, page_key},
    Batch, Column, Store, StoreError,
};

/// The capacity of the cache in bytes, as far as entries and children take them.
const CACHED_BYTES: usize = 64 * 1024 * 1024;

/// Pages by name. Only checked pages are stored, so a read decodes a page and does not hash it.
pub(crate) struct Pages {
    store: Arc<dyn Store>,
    cache: Mutex<Cache>,
}

/// Two generations: a full young generation becomes the old one, and the pages that remain in the old
/// one are dropped.
#[derive(Default)]
struct Cache {
    young: HashMap<F, Arc<Page>>,
    /// The size of the young generation in bytes.
    bytes: usize,
    old: HashMap<F, Arc<Page>>,
}

fn bytes_of(page: &Page) -> usize {
    size_of::<F>() + size_of_val(page.entries()) + size_of_val(page.children())
}

impl Cache {
    fn get(&mut self, name: &F) -> Option<Arc<Page>> {
        if let Some(page) = self.young.get(name) {
            return Some(page.clone());
        }
        let page = self.old.remove(name)?;
        self.put(*name, page.clone());
        Some(page)
    }

    fn put(&mut self, name: F, page: Arc<Page>) {
        let bytes = bytes_of(&page);
        // A page of this size would push out all others.
        if bytes > CACHED_BYTES / 2 {
            return;
        }
        if self.bytes + bytes > CACHED_BYTES / 2 {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        if self.young.insert(name, page).is_none() {
            self.bytes += bytes;
        }
    }

    fn forget(&mut self, name: &F) {
        if let Some(page) = self.young.remove(name) {
            self.bytes = self.bytes.saturating_sub(bytes_of(&page));
        }
        self.old.remove(name);
    }
}

impl Pages {
    pub(crate) fn new(store: Arc<dyn Store>) -> Pages {
        Pages { store, cache: Mutex::default() }
    }

    fn cached<T>(&self, with: impl FnOnce(&mut Cache) -> T) -> T {
        // A poisoned cache is harmless: it still maps names to the right pages.
        with(&mut self.cache.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The page of this name; `None` if the store does not hold it.
    pub(crate) fn read(&self, name: &F) -> Result<Option<Arc<Page>>, StoreError> {
        if let Some(page) = self.cached(|cache| cache.get(name)) {
            return Ok(Some(page));
        }
        let key = page_key(name);
        let Some(bytes) = self.store.get(Column::Pages, &key)? else {
            return Ok(None);
        };
        let page =
            Page::decode_stored(&bytes).map_err(|e| damaged(Column::Pages, &key, e.to_string()))?;
        let page = Arc::new(page);
        self.cached(|cache| cache.put(*name, page.clone()));
        Ok(Some(page))
    }

    /// Removes a page from the cache.
    pub(crate) fn forget(&self, name: &F) {
        self.cached(|cache| cache.forget(name));
    }

    /// Adds a page to a batch.
    pub(crate) fn stage(batch: &mut Batch, name: &F, page: &Page) {
        batch.put(Column::Pages, page_key(name), page.encode(&|_| None));
    }
}

impl PageStore for Pages {
    fn page(&self, name: &F) -> Result<Option<Arc<Page>>, tree::StoreError> {
        self.read(name).map_err(tree::StoreError::new)
    }
}
