//! Checks of answers of the query service against the pages that come with them.

use std::collections::BTreeMap;

use rootfold_core::{
    item::Entry,
    key::Key,
    tree::{self, MemoryStore, Page, PageError},
    F,
};
use rootfold_proto::{limits::MAX_RANGE, v1};

use crate::{
    error::ResponseError,
    messages::{self, MessageError},
    response::inline_values,
    values::ValueName,
};

/// The entry of one key, as pages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetAnswer {
    /// The root to which the pages lead. It is not verified: compare it with a proved root.
    pub root: F,
    /// The entry; `None` if the tree does not hold the key.
    pub entry: Option<Entry>,
    /// The value, checked against its digest; `None` without an entry and for a tombstone.
    pub value: Option<Vec<u8>>,
}

/// The entries of a range, which pages show to be right and complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeAnswer {
    /// The root to which the pages lead. It is not verified: compare it with a proved root.
    pub root: F,
    /// All entries of the range up to `next`, by key, including tombstones.
    pub entries: Vec<Entry>,
    /// The values that the pages hold inline, checked against their digests. A sender may leave out
    /// inline values.
    pub values: BTreeMap<ValueName, Vec<u8>>,
    /// The key at which the next request starts; `None` if the range is complete.
    pub next: Option<Key>,
}

/// Checks the answer to a request for `key`. Costs one page hash for each page.
///
/// # Errors
/// [`ResponseError`] if the answer does not follow from its pages.
pub fn check_get(key: &Key, response: v1::GetResponse) -> Result<GetAnswer, ResponseError> {
    let root = messages::field("root", &response.root)?;
    let (pages, _) = receive(&response.pages)?;
    let shown = tree::lookup(&pages, root, key)?;
    if shown.is_none() {
        // An absent key is shown by the entries before and after it.
        tree::neighbours(&pages, root, key)?;
    }
    let claimed = response.entry.as_ref().map(messages::entry_in).transpose()?;
    if claimed != shown {
        return Err(ResponseError::OtherAnswer);
    }
    let value = match shown.as_ref().and_then(ValueName::of_entry) {
        Some(name) => {
            name.check(&response.value)?;
            Some(response.value)
        }
        None if !response.value.is_empty() => return Err(ResponseError::OtherAnswer),
        None => None,
    };
    Ok(GetAnswer { root, entry: shown, value })
}

/// Checks the answer to a request for the keys in `from..to`. Costs one page hash for each page.
///
/// # Errors
/// [`ResponseError`] if the answer does not follow from its pages.
pub fn check_range(
    from: &Key,
    to: &Key,
    response: v1::RangeResponse,
) -> Result<RangeAnswer, ResponseError> {
    let root = messages::field("root", &response.root)?;
    messages::at_most("entries", response.entries.len(), MAX_RANGE)?;
    let next = match response.next.as_slice() {
        [] => None,
        bytes => Some(messages::key("next key", bytes)?),
    };
    if next.is_some_and(|next| next <= *from || next >= *to) {
        return Err(ResponseError::OtherAnswer);
    }
    let (pages, values) = receive(&response.pages)?;
    let end = next.unwrap_or(*to);
    let shown: Result<Vec<Entry>, _> = tree::scan(&pages, root, *from..end)?.collect();
    let shown = shown?;
    let claimed: Result<Vec<Entry>, _> = response.entries.iter().map(messages::entry_in).collect();
    if claimed? != shown {
        return Err(ResponseError::OtherAnswer);
    }
    Ok(RangeAnswer { root, entries: shown, values, next })
}

type Received = (MemoryStore, BTreeMap<ValueName, Vec<u8>>);

/// Decodes pages and their inline values. Each page must have its own name and come once.
fn receive(pages: &[v1::Page]) -> Result<Received, ResponseError> {
    let refused = |source| ResponseError::Page { source };
    let (mut store, mut values) = (MemoryStore::default(), BTreeMap::new());
    for message in pages {
        if message.more {
            return Err(MessageError::Unexpected { what: "the rest of a page" }.into());
        }
        let name = messages::field("page name", &message.name)?;
        let (page, inline) = Page::decode(&message.content).map_err(refused)?;
        values.extend(inline_values(&page, inline).into_iter().map(|v| (v.name, v.content)));
        let actual = store.put(page).map_err(refused)?;
        if actual != name {
            return Err(refused(PageError::WrongName { expected: name, actual }));
        }
    }
    if store.len() != pages.len() {
        return Err(ResponseError::NotRequested { what: "page" });
    }
    Ok((store, values))
}
