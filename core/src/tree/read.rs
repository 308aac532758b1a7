//! Reading entries. Tombstones are entries like others: a caller that wants live values filters
//! them.

use std::ops::{Bound, RangeBounds};

use crate::{
    item::Entry,
    key::{Key, KeyError, KEY_BYTES, MAX_APPLICATION_KEY, USER_BYTE},
    F,
};

use super::{cursor::Cursor, error::TreeError, store::PageStore};

/// The entry of a key.
///
/// # Errors
/// [`TreeError`] if a page is missing or misplaced.
pub fn lookup<S: PageStore + ?Sized>(
    store: &S,
    root: F,
    key: &Key,
) -> Result<Option<Entry>, TreeError> {
    let entry = Cursor::seek(store, root, key)?.entry();
    Ok((entry.key == *key).then_some(entry))
}

/// The last entry before `key` and the first after it, whether or not `key` has an entry.
///
/// # Errors
/// [`TreeError::Sentinel`] for the two keys without neighbours; otherwise [`TreeError`] if a page
/// is missing or misplaced.
pub fn neighbours<S: PageStore + ?Sized>(
    store: &S,
    root: F,
    key: &Key,
) -> Result<(Entry, Entry), TreeError> {
    if *key == Key::START || *key == Key::END {
        return Err(TreeError::Sentinel { index: 0, key: Box::new(*key) });
    }
    let mut right = Cursor::seek(store, root, key)?;
    let mut left = right.clone();
    left.previous()?;
    if right.entry().key == *key {
        right.advance()?;
    }
    Ok((left.entry(), right.entry()))
}

/// The entries with keys in `range`, in order, sentinels and heads included. Complete: it ends
/// only after an entry beyond the range was opened, or with an error.
///
/// # Errors
/// [`TreeError`] if a page is missing or misplaced.
pub fn scan<S: PageStore + ?Sized>(
    store: &S,
    root: F,
    range: impl RangeBounds<Key>,
) -> Result<Scan<'_, S>, TreeError> {
    let start = start_key(&range);
    let cursor = Cursor::seek(store, root, &start)?;
    let skip = range.start_bound() == Bound::Excluded(&cursor.entry().key);
    Ok(Scan { cursor: Some(cursor), skip, end: range.end_bound().cloned(), prefix: None })
}

/// The entries whose keys are made by [`Key::user`] from application keys that begin with `prefix`.
///
/// # Errors
/// [`TreeError::Key`] if the prefix is longer than any application key; otherwise [`TreeError`] if
/// a page is missing or misplaced.
pub fn scan_prefix<'s, S: PageStore + ?Sized>(
    store: &'s S,
    root: F,
    prefix: &[u8],
) -> Result<Scan<'s, S>, TreeError> {
    let length = prefix.len();
    if length > MAX_APPLICATION_KEY {
        return Err(KeyError::TooLong { length }.into());
    }
    let bound = |fill: u8| {
        let mut bytes = [fill; KEY_BYTES];
        bytes[0] = USER_BYTE;
        bytes[1..=length].copy_from_slice(prefix);
        Key::from_bytes(bytes)
    };
    let scan = scan(store, root, bound(0x00)..=bound(0xff))?;
    Ok(Scan { prefix: Some(prefix.to_vec()), ..scan })
}

/// The head entries of all writers: the frontier of what is folded.
///
/// # Errors
/// [`TreeError`] if a page is missing or misplaced.
pub fn heads<S: PageStore + ?Sized>(store: &S, root: F) -> Result<Scan<'_, S>, TreeError> {
    scan(store, root, Key::head(0)..=Key::head(u32::MAX))
}

/// The smallest key at which entries of a range can be.
pub(super) fn start_key(range: &impl RangeBounds<Key>) -> Key {
    match range.start_bound() {
        Bound::Included(key) | Bound::Excluded(key) => *key,
        Bound::Unbounded => Key::START,
    }
}

/// Entries of a range in order ([`scan`]). Ends after the first error.
pub struct Scan<'s, S: PageStore + ?Sized> {
    cursor: Option<Cursor<'s, S>>,
    /// Whether the entry at the cursor is done with.
    skip: bool,
    end: Bound<Key>,
    prefix: Option<Vec<u8>>,
}

impl<S: PageStore + ?Sized> Scan<'_, S> {
    fn step(&mut self) -> Result<Option<Entry>, TreeError> {
        let Some(cursor) = &mut self.cursor else { return Ok(None) };
        loop {
            // Behind a last key that is in the range nothing can follow, so no page is opened.
            let ended = self.end == Bound::Included(cursor.entry().key);
            if self.skip && (ended || !cursor.advance()?) {
                return Ok(None);
            }
            self.skip = true;
            let entry = cursor.entry();
            if !(Bound::Unbounded, self.end.as_ref()).contains(&entry.key) {
                return Ok(None);
            }
            let key = entry.key.application_key();
            match &self.prefix {
                Some(prefix) if !key.is_some_and(|key| key.starts_with(prefix)) => {}
                _ => return Ok(Some(entry)),
            }
        }
    }
}

impl<S: PageStore + ?Sized> Iterator for Scan<'_, S> {
    type Item = Result<Entry, TreeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.step();
        if !matches!(next, Ok(Some(_))) {
            self.cursor = None;
        }
        next.transpose()
    }
}
