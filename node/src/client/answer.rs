//! Checking the answers of the query service against their pages.

use std::collections::BTreeMap;

use rootfold_core::{
    item::Entry,
    key::Key,
    tree::{self, MemoryStore, Page},
    F,
};
use rootfold_proto::{limits::MAX_RANGE, v1};

use super::{reply::inline_values, PeerCause};
use crate::{values::ValueName, wire};

/// A key's entry, shown by pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetAnswer {
    /// The root to which the pages lead. Compare it with one that is proved.
    pub root: F,
    /// The entry; `None` if there is no such key.
    pub entry: Option<Entry>,
    /// Its value; `None` for a tombstone.
    pub value: Option<Vec<u8>>,
}

/// A range of entries, shown by pages to be right and complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeAnswer {
    /// The root to which the pages lead. Compare it with one that is proved.
    pub root: F,
    /// The entries in order, tombstones too.
    pub entries: Vec<Entry>,
    /// Small values that came along, checked.
    pub values: BTreeMap<ValueName, Vec<u8>>,
    /// The key from which to go on; `None` if the range is complete.
    pub next: Option<Key>,
}

/// Checks the answer to a request for `key`.
///
/// # Errors
/// [`PeerCause`] if it does not follow from its pages.
pub fn check_get(key: &Key, reply: v1::GetReply) -> Result<GetAnswer, PeerCause> {
    let root = wire::field("root", &reply.root)?;
    let (pages, _) = receive(&reply.pages)?;
    let shown = tree::lookup(&pages, root, key)?;
    if shown.is_none() {
        // The place where the key is missing is shown only by both sides of it.
        tree::neighbours(&pages, root, key)?;
    }
    let claimed = reply.entry.as_ref().map(wire::entry_in).transpose()?;
    if claimed != shown {
        return Err(PeerCause::OtherAnswer);
    }
    let value = match shown.as_ref().and_then(ValueName::of_entry) {
        Some(name) => {
            name.check(&reply.value)?;
            Some(reply.value)
        }
        None if !reply.value.is_empty() => return Err(PeerCause::OtherAnswer),
        None => None,
    };
    Ok(GetAnswer { root, entry: shown, value })
}

/// Checks the answer to a request for the keys from `from` up to, but not with, `to`.
///
/// # Errors
/// [`PeerCause`] if it does not follow from its pages.
pub fn check_range(from: &Key, to: &Key, reply: v1::RangeReply) -> Result<RangeAnswer, PeerCause> {
    let root = wire::field("root", &reply.root)?;
    wire::at_most("entries", reply.entries.len(), MAX_RANGE)?;
    let next = match reply.next.as_slice() {
        [] => None,
        bytes => Some(wire::key("next key", bytes)?),
    };
    if next.is_some_and(|next| next <= *from || next >= *to) {
        return Err(PeerCause::OtherAnswer);
    }
    let (pages, values) = receive(&reply.pages)?;
    let end = next.unwrap_or(*to);
    let shown: Result<Vec<Entry>, _> = tree::scan(&pages, root, *from..end)?.collect();
    let shown = shown?;
    let claimed: Result<Vec<Entry>, _> = reply.entries.iter().map(wire::entry_in).collect();
    if claimed? != shown {
        return Err(PeerCause::OtherAnswer);
    }
    Ok(RangeAnswer { root, entries: shown, values, next })
}

type Received = (MemoryStore, BTreeMap<ValueName, Vec<u8>>);

/// Pages under the names that they hash to, whatever they are called.
fn receive(pages: &[v1::Page]) -> Result<Received, PeerCause> {
    let refused = |source| PeerCause::Page { source };
    let (mut store, mut values) = (MemoryStore::default(), BTreeMap::new());
    for message in pages {
        let (page, inline) = Page::decode(&message.content).map_err(refused)?;
        values.extend(inline_values(&page, inline).into_iter().map(|v| (v.name, v.content)));
        store.put(page).map_err(refused)?;
    }
    Ok((store, values))
}
