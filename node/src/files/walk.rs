//! The files that the published states consist of.

use std::collections::{BTreeSet, HashSet};

use prost::Message;
use rootfold_core::{
    key::KeyKind,
    tree::{self, Page, PageStore, TreeError},
    F,
};
use rootfold_light::{published::TreeFile, values::ValueName};
use rootfold_proto::v1;

use super::error::PublishError;
use crate::space::Space;

/// The pages, values and primary keys of some trees.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Those that are not there yet: values, then keys, then pages, so that a page that is there is complete.
    pub(super) new: Vec<TreeFile>,
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
                let page = tree::load(space.pages(), &place)?;
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
    keys: Vec<TreeFile>,
    pages: Vec<TreeFile>,
}

impl Walk<'_> {
    fn page(&mut self, name: F, page: &Page) -> Result<(), PublishError> {
        for value in page.entries().iter().filter_map(ValueName::of_entry) {
            let file = TreeFile::Value(value);
            // Only values that are not inline in the page have files.
            if self.held.contains(&file.file()) || self.space.has_long_value(&value)? {
                self.live(file);
            }
        }
        if page.entries().iter().any(|entry| entry.key.kind() == KeyKind::Index) {
            self.live(TreeFile::Keys(name));
        }
        self.live(TreeFile::Page(name));
        Ok(())
    }

    fn live(&mut self, file: TreeFile) {
        let name = file.file();
        if !self.held.contains(&name) && !self.wanted.live.contains(&name) {
            match file {
                TreeFile::Value(_) => self.wanted.new.push(file),
                TreeFile::Keys(_) => self.keys.push(file),
                TreeFile::Page(_) => self.pages.push(file),
            }
        }
        self.wanted.live.insert(name);
    }
}

/// The content of a new file; `None` if the space no longer has it.
pub(super) fn content(space: &Space, file: &TreeFile) -> Result<Option<Vec<u8>>, PublishError> {
    Ok(match file {
        TreeFile::Value(name) => space.long_value(name)?,
        TreeFile::Page(name) => space.page_bytes(name)?,
        TreeFile::Keys(page) => {
            let page = space.pages().page(page).map_err(TreeError::from)?;
            let keys = page.map(|page| space.primary_keys(&page)).transpose()?;
            keys.map(|keys| {
                let keys = keys.iter().map(|key| key.as_bytes().to_vec()).collect();
                v1::PrimaryKeys { keys }.encode_to_vec()
            })
        }
    })
}
