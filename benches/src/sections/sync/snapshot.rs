//! The pages of a state as a node sends them, and the checks of a new replica.

use std::collections::BTreeMap;

use prost::Message;
use rootfold_core::{
    field,
    tree::{self, build, MemoryStore, Page},
    F,
};
use rootfold_light::values::ValueName;
use rootfold_proto::{limits::MAX_NAMES, v1};

use super::{history::Log, GRPC_PREFIX};

/// A state, encoded as the messages that transfer it.
pub struct Snapshot {
    root: F,
    entries: usize,
    pages: usize,
    messages: Vec<Vec<u8>>,
}

impl Snapshot {
    /// The state after the ops of the logs so far. Small values are inline in the pages.
    pub fn of(log: &Log) -> Snapshot {
        let entries = log.entries();
        let built = build(&entries);
        let inline = |entry: &_| log.value(entry);
        let pages: Vec<v1::Page> = built
            .pages
            .iter()
            .map(|(name, page)| v1::Page {
                name: field::to_bytes(name).to_vec(),
                content: page.encode(&inline),
                more: false,
            })
            .collect();
        let messages = pages.chunks(MAX_NAMES);
        let messages = messages.map(|pages| v1::PagesResponse { pages: pages.to_vec() });
        Snapshot {
            root: built.root,
            entries: entries.len(),
            pages: pages.len(),
            messages: messages.map(|message| message.encode_to_vec()).collect(),
        }
    }

    /// The number of pages.
    pub fn pages(&self) -> usize {
        self.pages
    }

    /// The total length of all messages in bytes, including the gRPC prefixes.
    pub fn bytes(&self) -> u64 {
        self.messages.iter().map(|message| (message.len() + GRPC_PREFIX) as u64).sum()
    }

    /// Checks every page against its name and every value against its digest. Then checks that the
    /// pages form the tree with this root, and that every entry has its value.
    pub fn receive(&self) -> anyhow::Result<()> {
        let mut store = MemoryStore::default();
        let mut values: BTreeMap<F, Vec<u8>> = BTreeMap::new();
        let mut update = tree::Update { root: self.root, pages: Vec::new(), replaced: Vec::new() };
        for message in &self.messages {
            for part in v1::PagesResponse::decode(message.as_slice())?.pages {
                let name: [u8; field::FIELD_BYTES] = part.name.as_slice().try_into()?;
                let name = field::from_bytes(&name)?;
                let (page, inline) = Page::check(&name, &part.content)?;
                values.extend(inline);
                update.pages.push((name, page));
            }
        }
        store.apply(&update);
        let mut entries = 0;
        for page in tree::pages_below(&store, self.root) {
            let (_, page) = page?;
            for entry in page.entries() {
                let named = ValueName::of_entry(entry);
                let held = named.is_none_or(|name| values.contains_key(&name.digest));
                anyhow::ensure!(held, "the value of an entry is missing");
                entries += 1;
            }
        }
        anyhow::ensure!(
            entries == self.entries,
            "expected {} entries, got {entries}",
            self.entries
        );
        Ok(())
    }
}
