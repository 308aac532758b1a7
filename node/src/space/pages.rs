//! The pages of a store as trees read them, with a cache of decoded ones.

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

/// Pages kept decoded: about 1 MiB for every 100.
const CACHED_PAGES: usize = 8192;

/// Pages by name. Only checked pages get into the store, so those that come out of it are decoded
/// and not hashed again.
pub(crate) struct Pages {
    store: Arc<dyn Store>,
    cache: Mutex<Cache>,
}

/// Two generations: when the young one is full it becomes the old one, whose unused pages go.
#[derive(Default)]
struct Cache {
    young: HashMap<F, Arc<Page>>,
    old: HashMap<F, Arc<Page>>,
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
        if self.young.len() >= CACHED_PAGES / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(name, page);
    }
}

impl Pages {
    pub(crate) fn new(store: Arc<dyn Store>) -> Pages {
        Pages { store, cache: Mutex::default() }
    }

    fn cached<T>(&self, with: impl FnOnce(&mut Cache) -> T) -> T {
        // A cache that a panic left behind still maps names to the right pages.
        with(&mut self.cache.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The page of this name, if the store has it.
    pub(crate) fn read(&self, name: &F) -> Result<Option<Arc<Page>>, StoreError> {
        if let Some(page) = self.cached(|cache| cache.get(name)) {
            return Ok(Some(page));
        }
        let key = page_key(name);
        let Some(bytes) = self.store.get(Column::Pages, &key)? else {
            return Ok(None);
        };
        let (page, _) =
            Page::decode(&bytes).map_err(|e| damaged(Column::Pages, &key, e.to_string()))?;
        let page = Arc::new(page);
        self.cached(|cache| cache.put(*name, page.clone()));
        Ok(Some(page))
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
