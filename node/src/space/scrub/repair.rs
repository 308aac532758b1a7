//! Records of a space that a scrub has found damaged, and what is remembered of scrubbing.

use rootfold_core::{
    field::{self, FIELD_BYTES},
    tree::Page,
    F,
};

use super::{
    super::{garbage, holes, Pages, Space, SpaceError},
    pass::wrong,
    state::ScrubState,
};
use crate::store::{
    records::{damaged, page_key, parse_value_key},
    Batch, Column, Durability, StoreError,
};

const STATE: &[u8] = b"scrub";
const DAMAGED_PAGE: &[u8] = b"damaged-page/";

fn damaged_page(name: &[u8]) -> Vec<u8> {
    [DAMAGED_PAGE, name].concat()
}

impl Space {
    /// What is remembered of scrubbing.
    ///
    /// # Errors
    /// [`SpaceError::Store`].
    pub fn scrub_state(&self) -> Result<ScrubState, SpaceError> {
        let Some(bytes) = self.store().get(Column::Meta, STATE)? else {
            return Ok(ScrubState::default());
        };
        let state = serde_json::from_slice(&bytes);
        Ok(state.map_err(|e| damaged(Column::Meta, STATE, e.to_string()))?)
    }

    /// Changes what is remembered of scrubbing.
    ///
    /// # Errors
    /// [`SpaceError::Store`].
    pub fn change_scrub_state(
        &self,
        change: impl FnOnce(&mut ScrubState),
    ) -> Result<(), SpaceError> {
        let _change = self.begin_change();
        let mut state = self.scrub_state()?;
        change(&mut state);
        let bytes =
            serde_json::to_vec(&state).map_err(|e| damaged(Column::Meta, STATE, e.to_string()))?;
        let mut batch = Batch::new();
        batch.put(Column::Meta, STATE, bytes);
        Ok(self.store().write(batch, Durability::Buffered)?)
    }

    /// Marks a damaged record, so that the next sync asks peers for what it was. Returns whether they can be
    /// asked; `None` if the record is not damaged any more.
    pub(crate) fn request_again(
        &self,
        column: Column,
        key: &[u8],
    ) -> Result<Option<bool>, SpaceError> {
        let _change = self.begin_change();
        match self.store().get(column, key) {
            Ok(None) => return Ok(None),
            Ok(Some(value)) if column != Column::Ops && wrong(column, key, &value).is_none() => {
                return Ok(None);
            }
            Ok(Some(_)) | Err(StoreError::Damaged { .. }) => {}
            Err(e) => return Err(e.into()),
        }
        let mut batch = Batch::new();
        let requested = match column {
            Column::Pages => {
                batch.put(Column::Meta, damaged_page(key), []);
                true
            }
            Column::Values | Column::LargeValues => match parse_value_key(key) {
                Some(name) => {
                    batch.delete(column, key);
                    if garbage::is_needed(self, &name)? {
                        holes::stage(&mut batch, &name);
                    }
                    true
                }
                None => false,
            },
            _ => false,
        };
        if !batch.is_empty() {
            self.store().write(batch, Durability::Synced)?;
        }
        Ok(Some(requested))
    }

    /// The names of the pages that a scrub has found damaged and no peer has sent since.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn damaged_pages(&self) -> Result<Vec<F>, StoreError> {
        let mut names = Vec::new();
        self.store().scan(Column::Meta, DAMAGED_PAGE, &mut |key, _| {
            let Some(name) = key.strip_prefix(DAMAGED_PAGE) else { return false };
            let name: Option<&[u8; FIELD_BYTES]> = name.try_into().ok();
            names.extend(name.and_then(|name| field::from_bytes(name).ok()));
            true
        })?;
        Ok(names)
    }

    /// Replaces a damaged page by one that was checked against its name. Its separator keys, which the name
    /// does not bind, are taken from the pages below. Returns `false` if one of these is damaged too.
    pub(crate) fn replace_page(&self, name: &F, page: Page) -> Result<bool, SpaceError> {
        let _change = self.begin_change();
        let page = match page {
            Page::Internal { rank, mut children } => {
                for child in &mut children {
                    let below = match self.pages().read(&child.digest) {
                        Ok(Some(below)) => below,
                        Ok(None) | Err(StoreError::Damaged { .. }) => return Ok(false),
                        Err(e) => return Err(e.into()),
                    };
                    child.last_key = below.last_key().unwrap_or(child.last_key);
                }
                Page::Internal { rank, children }
            }
            leaf @ Page::Leaf(_) => leaf,
        };
        let mut batch = Batch::new();
        Pages::stage(&mut batch, name, &page);
        batch.delete(Column::Meta, damaged_page(&page_key(name)));
        self.store().write(batch, Durability::Synced)?;
        self.pages().forget(name);
        Ok(true)
    }
}
