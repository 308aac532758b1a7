//! Reading entries. Tombstones are returned like other entries.

use std::ops::{Bound, Range, RangeBounds};

use crate::{
    item::Entry,
    key::{ApplicationKey, Key},
    F,
};

use super::{error::TreeError, position::Position, store::PageStore};

/// The entry of a key.
///
/// # Errors
/// [`TreeError`] if a page is missing or misplaced.
pub fn lookup<S: PageStore + ?Sized>(
    store: &S,
    root: F,
    key: &Key,
) -> Result<Option<Entry>, TreeError> {
    let entry = Position::seek(store, root, key)?.entry();
    Ok((entry.key == *key).then_some(entry))
}

/// The last entry before `key` and the first entry after it. `key` need not have an entry.
///
/// # Errors
/// [`TreeError::Sentinel`] for a sentinel; otherwise [`TreeError`] if a page is missing or misplaced.
pub fn neighbours<S: PageStore + ?Sized>(
    store: &S,
    root: F,
    key: &Key,
) -> Result<(Entry, Entry), TreeError> {
    if *key == Key::START || *key == Key::END {
        return Err(TreeError::Sentinel { index: 0, key: Box::new(*key) });
    }
    let mut right = Position::seek(store, root, key)?;
    let mut left = right.clone();
    left.previous()?;
    if right.entry().key == *key {
        right.advance()?;
    }
    Ok((left.entry(), right.entry()))
}

/// The entries with keys in `range`, in order, including sentinels and heads. The list is complete:
/// it ends only after an entry beyond the range was read, or with an error.
///
/// # Errors
/// [`TreeError`] if a page is missing or misplaced.
pub fn scan<S: PageStore + ?Sized>(
    store: &S,
    root: F,
    range: impl RangeBounds<Key>,
) -> Result<Scan<'_, S>, TreeError> {
    let start = start_key(&range);
    let position = Position::seek(store, root, &start)?;
    let skip = range.start_bound() == Bound::Excluded(&position.entry().key);
    Ok(Scan { position: Some(position), skip, end: range.end_bound().cloned(), wanted: None })
}

/// The entries of a region whose application keys begin with those of `prefix`; without a prefix all
/// entries with application keys.
///
/// # Errors
/// [`TreeError::Key`] if the prefix is longer than any application key; otherwise [`TreeError`] if
/// a page is missing or misplaced.
pub fn scan_prefix<'s, S: PageStore + ?Sized>(
    store: &'s S,
    root: F,
    prefix: Option<ApplicationKey<'s>>,
) -> Result<Scan<'s, S>, TreeError> {
    let range = prefix.map_or(Ok(ApplicationKey::all()), |prefix| prefix.range())?;
    let scan = scan(store, root, range)?;
    Ok(Scan { wanted: Some(Wanted { prefix }), ..scan })
}

/// The entries with keys in `range`, from the last one back, at most `limit` of them, including
/// sentinels and heads. If there are fewer, the list is complete.
///
/// # Errors
/// [`TreeError`] if a page is missing or misplaced.
pub fn scan_back<S: PageStore + ?Sized>(
    store: &S,
    root: F,
    range: Range<Key>,
    limit: usize,
) -> Result<Vec<Entry>, TreeError> {
    let mut entries = Vec::new();
    if range.start >= range.end {
        return Ok(entries);
    }
    let mut position = Position::seek(store, root, &range.end)?;
    // The position is at the first entry that is not before the end, if there is one.
    if position.entry().key < range.end {
        entries.push(position.entry());
    }
    while entries.len() < limit && position.previous()? && position.entry().key >= range.start {
        entries.push(position.entry());
    }
    entries.truncate(limit);
    Ok(entries)
}

/// The head entries of all writers.
///
/// # Errors
/// [`TreeError`] if a page is missing or misplaced.
pub fn heads<S: PageStore + ?Sized>(store: &S, root: F) -> Result<Scan<'_, S>, TreeError> {
    scan(store, root, Key::head(0)..=Key::head(u32::MAX))
}

/// The smallest key of a range.
pub(super) fn start_key(range: &impl RangeBounds<Key>) -> Key {
    match range.start_bound() {
        Bound::Included(key) | Bound::Excluded(key) => *key,
        Bound::Unbounded => Key::START,
    }
}

/// The entries of a range in order ([`scan`]). Ends after the first error.
pub struct Scan<'s, S: PageStore + ?Sized> {
    position: Option<Position<'s, S>>,
    /// Whether the entry at the position has been returned.
    skip: bool,
    end: Bound<Key>,
    /// Which entries are returned; `None` for all.
    wanted: Option<Wanted<'s>>,
}

/// Entries with application keys, of one prefix if there is one.
struct Wanted<'s> {
    prefix: Option<ApplicationKey<'s>>,
}

impl Wanted<'_> {
    fn has(&self, key: &Key) -> bool {
        let key = key.application_key();
        key.is_some_and(|key| self.prefix.is_none_or(|prefix| key.begins_with(&prefix)))
    }
}

impl<S: PageStore + ?Sized> Scan<'_, S> {
    fn step(&mut self) -> Result<Option<Entry>, TreeError> {
        let Some(position) = &mut self.position else { return Ok(None) };
        loop {
            // No entry can follow the last key of the range, so no page is loaded.
            let ended = self.end == Bound::Included(position.entry().key);
            if self.skip && (ended || !position.advance()?) {
                return Ok(None);
            }
            self.skip = true;
            let entry = position.entry();
            if !(Bound::Unbounded, self.end.as_ref()).contains(&entry.key) {
                return Ok(None);
            }
            if self.wanted.as_ref().is_none_or(|wanted| wanted.has(&entry.key)) {
                return Ok(Some(entry));
            }
        }
    }
}

impl<S: PageStore + ?Sized> Iterator for Scan<'_, S> {
    type Item = Result<Entry, TreeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.step();
        if !matches!(next, Ok(Some(_))) {
            self.position = None;
        }
        next.transpose()
    }
}
