//! The files that the published states consist of.

use std::collections::{BTreeSet, HashSet};

use rootfold_core::{
    tree::{self, Page, PageStore},
    F,
};
use rootfold_light::{
    published::{keys_file, page_file, value_file},
    values::ValueName,
};

use super::error::PublishError;
use crate::space::Space;

/// A file that is not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum New {
    Value(ValueName),
    Keys(F),
    Page(F),
}

impl New {
    pub(super) fn name(&self) -> String {
        match self {
            New::Value(name) => value_file(name),
            New::Keys(page) => keys_file(page),
            New::Page(name) => page_file(name),
        }
    }
}

/// The pages, values and primary keys of some trees.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Those that are not there yet: values, then keys, then pages, so that a page that is there is complete.
    pub(super) new: Vec<New>,
    /// The names of all.
    pub(super) live: HashSet<String>,
}

impl Wanted {
    /// The files of the trees with these roots, which `space` has. `held` are the names of the files that are there.
    pub(super) fn of(
        space: &Space,
        roots: &[F],
        held: &HashSet<String>,
    ) -> Result<Wanted, PublishError> {
        let mut walk =
            Walk { space, held, wanted: Wanted::default(), keys: Vec::new(), pages: Vec::new() };
        let mut seen = BTreeSet::new();
        for root in roots {
            let mut waiting = vec![tree::Place::root(*root)];
            while let Some(place) = waiting.pop() {
                if !seen.insert(place.name) {
                    continue;
                }
                let page =
                    tree::load(space.pages(), &place).map_err(crate::space::SpaceError::from)?;
                walk.page(place.name, &page)?;
                waiting.extend((0..page.children().len()).map(|index| place.child(&page, index)));
            }
        }
        let Walk { mut wanted, keys, pages, .. } = walk;
        wanted.new.extend(keys);
        wanted.new.extend(pages);
        Ok(wanted)
    }
}

struct Walk<'a> {
    space: &'a Space,
    held: &'a HashSet<String>,
    wanted: Wanted,
    keys: Vec<New>,
    pages: Vec<New>,
}

impl Walk<'_> {
    fn page(&mut self, name: F, page: &Page) -> Result<(), PublishError> {
        for value in page.entries().iter().filter_map(ValueName::of_entry) {
            let file = value_file(&value);
            // Only values that are not inline in the page have files.
            if self.held.contains(&file) || self.space.has_long_value(&value)? {
                self.live(New::Value(value), file);
            }
        }
        let marked = page
            .entries()
            .iter()
            .any(|entry| entry.key.kind() == rootfold_core::key::KeyKind::Index);
        if marked {
            self.live(New::Keys(name), keys_file(&name));
        }
        self.live(New::Page(name), page_file(&name));
        Ok(())
    }

    fn live(&mut self, file: New, name: String) {
        if !self.held.contains(&name) && !self.wanted.live.contains(&name) {
            match file {
                New::Value(_) => self.wanted.new.push(file),
                New::Keys(_) => self.keys.push(file),
                New::Page(_) => self.pages.push(file),
            }
        }
        self.wanted.live.insert(name);
    }
}

/// The content of a new file; `None` if the space no longer has it.
pub(super) fn content(space: &Space, file: &New) -> Result<Option<Vec<u8>>, PublishError> {
    use prost::Message;
    Ok(match file {
        New::Value(name) => space.long_value(name)?,
        New::Page(name) => space.page_bytes(name)?,
        New::Keys(page) => {
            let page = PageStore::page(space.pages(), page);
            let page =
                page.map_err(|e| crate::space::SpaceError::from(tree::TreeError::from(e)))?;
            let keys = page.map(|page| space.primary_keys(&page)).transpose()?;
            keys.map(|keys| {
                let keys = keys.iter().map(|key| key.as_bytes().to_vec()).collect();
                rootfold_proto::v1::PrimaryKeys { keys }.encode_to_vec()
            })
        }
    })
}
