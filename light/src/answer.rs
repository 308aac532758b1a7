//! Checks of answers of the query service against the pages that come with them.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use rootfold_core::{
    item::Entry,
    key::Key,
    mark::{belongs_to, is_of, order_of},
    tree::{self, Inclusion, MemoryStore, Page, PageError, Rooted, TreeError},
    value::tombstone,
    F,
};
use rootfold_proto::{
    limits::{MAX_MARKED, MAX_RANGE},
    v1,
};

use crate::{
    error::ResponseError,
    messages::{self, MessageError},
    query::{FindQuery, PageToken, RangeQuery, Voucher},
    response::inline_values,
    snapshot::SnapshotHeader,
    values::ValueName,
};

/// What every answer says besides its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerState {
    /// The root to which the pages lead. It is not verified: compare it with a proved root, as
    /// [`Voucher::of`] does.
    pub root: F,
    /// The newest snapshot of the node; `None` without one. Its proof is not verified.
    pub snapshot: Option<SnapshotHeader>,
    /// What vouches for the answer, by the node's account.
    pub vouched_by: Option<Voucher>,
}

/// The entry of one key, as pages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetAnswer {
    /// The state.
    pub state: AnswerState,
    /// The entry; `None` if the tree does not hold the key.
    pub entry: Option<Entry>,
    /// The value, checked against its digest; `None` without an entry and for a tombstone.
    pub value: Option<Vec<u8>>,
}

/// The entries of several keys, as pages show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManyAnswer {
    /// The state.
    pub state: AnswerState,
    /// The entry of each key; `None` if the tree does not hold it.
    pub entries: BTreeMap<Key, Option<Entry>>,
    /// Values of the entries, checked against their digests. The sender may leave out some.
    pub values: BTreeMap<ValueName, Vec<u8>>,
}

/// The entries of a range, which pages show to be right and complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeAnswer {
    /// The state.
    pub state: AnswerState,
    /// All entries of the range up to `next`, in the requested order, including tombstones.
    pub entries: Vec<Entry>,
    /// Values of the entries, checked against their digests. The sender may leave out some.
    pub values: BTreeMap<ValueName, Vec<u8>>,
    /// Where the next page begins; `None` if the range is complete.
    pub next: Option<PageToken>,
}

/// Checks the answer to a request for `key`. Costs one page hash for each page.
///
/// # Errors
/// [`ResponseError`] if the answer does not follow from its pages.
pub fn check_get(key: &Key, response: v1::GetResponse) -> Result<GetAnswer, ResponseError> {
    let v1::GetResponse { root, entry, value, pages, snapshot, vouched_by } = response;
    let state = state(&root, snapshot.as_ref(), vouched_by)?;
    let (pages, _) = receive(&pages)?;
    let shown = shown(&pages, state.root, key)?;
    let claimed = entry.as_ref().map(messages::entry_in).transpose()?;
    if claimed != shown {
        return Err(ResponseError::OtherAnswer);
    }
    let value = match shown.as_ref().and_then(ValueName::of_entry) {
        Some(name) => {
            name.check(&value)?;
            Some(value)
        }
        None if !value.is_empty() => return Err(ResponseError::OtherAnswer),
        None => None,
    };
    Ok(GetAnswer { state, entry: shown, value })
}

/// Checks the answer to a request for `keys`, which are ascending. Costs one page hash for each page.
///
/// # Errors
/// [`ResponseError`] if the answer does not follow from its pages.
pub fn check_get_many(
    keys: &[Key],
    response: v1::GetManyResponse,
) -> Result<ManyAnswer, ResponseError> {
    let v1::GetManyResponse { root, entries, values, pages, snapshot, vouched_by } = response;
    let state = state(&root, snapshot.as_ref(), vouched_by)?;
    let (pages, inline) = receive(&pages)?;
    let each: Result<BTreeMap<Key, Option<Entry>>, ResponseError> =
        keys.iter().map(|key| Ok((*key, shown(&pages, state.root, key)?))).collect();
    let shown = each?;
    let claimed: Result<Vec<Entry>, _> = entries.iter().map(messages::entry_in).collect();
    if !claimed?.iter().eq(shown.values().flatten()) {
        return Err(ResponseError::OtherAnswer);
    }
    let values = with_values(inline, shown.values().flatten(), values)?;
    Ok(ManyAnswer { state, entries: shown, values })
}

/// Checks the answer to a query. Costs one page hash for each page.
///
/// # Errors
/// [`ResponseError`] if the answer does not follow from its pages.
pub fn check_range(
    query: &RangeQuery,
    response: v1::RangeResponse,
) -> Result<RangeAnswer, ResponseError> {
    let v1::RangeResponse { root, entries, pages, next_page_token, values, .. } = response;
    let state = state(&root, response.snapshot.as_ref(), response.vouched_by)?;
    messages::at_most("entries", entries.len(), MAX_RANGE.min(query.limit as usize))?;
    let (next, covered) = covered(query, &state, &next_page_token)?;
    let (pages, inline) = receive(&pages)?;
    let shown: Result<Vec<Entry>, _> = tree::scan(&pages, state.root, covered)?.collect();
    let mut shown = shown?;
    if query.reverse {
        shown.reverse();
    }
    let claimed: Result<Vec<Entry>, _> = entries.iter().map(messages::entry_in).collect();
    if claimed? != shown {
        return Err(ResponseError::OtherAnswer);
    }
    let values = with_values(inline, shown.iter(), values)?;
    Ok(RangeAnswer { state, entries: shown, values, next })
}

/// An entry that is found by a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The order of the mark, without zero bytes at its end.
    pub order: Vec<u8>,
    /// The entry.
    pub entry: Entry,
}

/// The entries of a term, which pages and paths show to be right, current and complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindAnswer {
    /// The state.
    pub state: AnswerState,
    /// All current entries with a mark of the term, up to `next`, in the requested order.
    pub hits: Vec<Hit>,
    /// Values of the entries, checked against their digests. The sender may leave out some.
    pub values: BTreeMap<ValueName, Vec<u8>>,
    /// Where the next page begins; `None` if all entries of the term are covered.
    pub next: Option<PageToken>,
}

/// Checks the answer to a query for the entries of a term. An entry of the index that is a tombstone, or
/// whose primary entry has another stamp, is not current and left out. Costs one page hash for each page, and
/// about 40 hashes for each entry.
///
/// # Errors
/// [`ResponseError`] if the answer does not follow from its pages and paths.
pub fn check_find(
    query: &FindQuery,
    response: v1::FindResponse,
) -> Result<FindAnswer, ResponseError> {
    let v1::FindResponse { root, pages, marked, next_page_token, values, .. } = response;
    let state = state(&root, response.snapshot.as_ref(), response.vouched_by)?;
    let range = query.range();
    messages::at_most("marked entries", marked.len(), MAX_MARKED)?;
    let (next, covered) = covered(range, &state, &next_page_token)?;
    let (pages, inline) = receive(&pages)?;
    let index: Result<Vec<Entry>, _> = tree::scan(&pages, state.root, covered)?.collect();
    let mut index = index?;
    if range.reverse {
        index.reverse();
    }
    let live = index.iter().filter(|entry| entry.value != tombstone());
    let claimed: Result<Vec<(Entry, Inclusion)>, _> =
        marked.iter().map(messages::marked_in).collect();
    let claimed = claimed?;
    if live.clone().count() != claimed.len() {
        return Err(ResponseError::OtherAnswer);
    }
    let mut hits = Vec::new();
    let rooted = tree::roots(&claimed);
    for (index, ((entry, _), Rooted { kappa, root })) in live.zip(claimed.iter().zip(rooted)) {
        if !belongs_to(&index.key.limbs(), kappa) || root != state.root {
            return Err(ResponseError::OtherAnswer);
        }
        if is_of(&index.key, &kappa) && entry.stamp == index.stamp {
            hits.push(Hit { order: order_of(&index.key).to_vec(), entry: *entry });
        }
    }
    if hits.len() > range.limit as usize {
        return Err(ResponseError::OtherAnswer);
    }
    let values = with_values(inline, hits.iter().map(|hit| &hit.entry), values)?;
    Ok(FindAnswer { state, hits, values, next })
}

/// The token of the next page, and the keys that this page covers. All pages of a range are of one state,
/// and each leads further.
fn covered(
    query: &RangeQuery,
    state: &AnswerState,
    token: &[u8],
) -> Result<(Option<PageToken>, Range<Key>), ResponseError> {
    let next = messages::page_in(token)?;
    let rest = query.rest().ok_or(ResponseError::OtherAnswer)?;
    let other_state = |token: &PageToken| token.root != state.root;
    let strays = |token: &PageToken| token.key <= rest.start || token.key >= rest.end;
    if query.page.as_ref().is_some_and(other_state)
        || next.as_ref().is_some_and(|next| other_state(next) || strays(next))
    {
        return Err(ResponseError::OtherAnswer);
    }
    let covered = query.covered(next.map(|next| next.key)).ok_or(ResponseError::OtherAnswer)?;
    Ok((next, covered))
}

fn state(
    root: &[u8],
    snapshot: Option<&v1::SnapshotHeader>,
    vouched_by: i32,
) -> Result<AnswerState, ResponseError> {
    let root = messages::field("root", root)?;
    let snapshot = snapshot.map(|header| messages::header_in(Some(header.clone()))).transpose()?;
    Ok(AnswerState { root, snapshot, vouched_by: messages::voucher_in(vouched_by)? })
}

/// The entry of a key. An absent key is shown by the entries before and after it.
pub(crate) fn shown(pages: &MemoryStore, root: F, key: &Key) -> Result<Option<Entry>, TreeError> {
    let shown = tree::lookup(pages, root, key)?;
    if shown.is_none() {
        tree::neighbours(pages, root, key)?;
    }
    Ok(shown)
}

/// Adds values that came beside pages to those that are inline. Each must belong to an entry, and come
/// once.
fn with_values<'a>(
    mut values: BTreeMap<ValueName, Vec<u8>>,
    entries: impl Iterator<Item = &'a Entry>,
    beside: Vec<v1::Value>,
) -> Result<BTreeMap<ValueName, Vec<u8>>, ResponseError> {
    if beside.is_empty() {
        return Ok(values);
    }
    let mut wanted: BTreeSet<ValueName> = entries.filter_map(ValueName::of_entry).collect();
    for value in beside {
        let value = messages::value_in(value)?;
        if !wanted.remove(&value.name) {
            return Err(ResponseError::NotRequested { what: "value" });
        }
        value.check()?;
        values.insert(value.name, value.content);
    }
    Ok(values)
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
