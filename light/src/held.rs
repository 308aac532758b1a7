//! Queries that are answered from published files at hand.
//!
//! [`Held`] keeps pages, values and primary keys, each checked under the name of its file. A query under a root
//! returns the answer, in the form of [`answer`](crate::answer), or names the files that it needs first. The
//! root has to be a proved one: then whoever serves the files can withhold them, and no more.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use rootfold_core::{
    item::Entry,
    key::{Key, KeyKind, LIMB_BYTES},
    mark::{digests_of, order_of, primary_digest},
    tree::{self, MemoryStore, Page, PageError, PageStore, Position, TreeError},
    value::tombstone,
    F,
};
use rootfold_proto::limits::{MAX_MARKED, MAX_RANGE};
use thiserror::Error;

use crate::{
    answer::{shown, AnswerState, FindAnswer, GetAnswer, Hit, ManyAnswer, RangeAnswer},
    published::{keys_file, page_file, primary_keys, value_file, PublishedError, TreeFile},
    query::{FindQuery, PageToken, RangeQuery},
    response::inline_values,
    values::{ValueError, ValueName},
};

/// The bytes of files above which [`Held::make_room`] drops all of them.
pub const MAX_HELD_BYTES: usize = 64 << 20;

type Digest = [u8; LIMB_BYTES];

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum HeldError {
    /// Files are missing: the query can be repeated once they are added.
    #[error("{} files are missing", .0.len())]
    Missing(BTreeSet<TreeFile>),
    /// Not the page of this name.
    #[error("{name} was altered: {source}")]
    Page {
        /// The name of the file.
        name: String,
        /// What is wrong.
        source: PageError,
    },
    /// Not the value of this name.
    #[error("{name} was altered: {source}")]
    Value {
        /// The name of the file.
        name: String,
        /// What is wrong.
        source: ValueError,
    },
    /// Not a list of keys.
    #[error(transparent)]
    Published(#[from] PublishedError),
    /// Not the primary keys of the entries of the index in this page.
    #[error("{name} was altered: {what}")]
    Keys {
        /// The name of the file.
        name: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The pages contradict each other.
    #[error("the pages do not show the answer: {0}")]
    Pages(#[from] TreeError),
    /// The tree does not hold the primary key of an entry of the index.
    #[error("the primary key of an entry of the index has no entry")]
    NoPrimary,
    /// The query goes on in another state, or outside its range.
    #[error("the query goes on in another state, or outside its range")]
    Query,
}

/// Files at hand.
#[derive(Debug, Default)]
pub struct Held {
    pages: MemoryStore,
    values: BTreeMap<ValueName, Vec<u8>>,
    withheld: BTreeSet<ValueName>,
    /// The primary key that belongs to the last limb of an index key, and whether
    /// [`is_of`](rootfold_core::mark::is_of) holds for the two.
    primaries: BTreeMap<Digest, (Key, bool)>,
    bytes: usize,
}

impl Held {
    /// The bytes of the files.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Drops all files if they have more than [`MAX_HELD_BYTES`], and forgets which values were withheld. To be
    /// called before a query, not while it waits for files.
    pub fn make_room(&mut self) {
        self.withheld.clear();
        if self.bytes > MAX_HELD_BYTES {
            *self = Held::default();
        }
    }

    /// Adds a file. Costs the hash that its name is.
    ///
    /// # Errors
    /// [`HeldError`] if the content does not belong to the name.
    pub fn add(&mut self, file: &TreeFile, content: &[u8]) -> Result<(), HeldError> {
        match file {
            TreeFile::Page(name) => self.add_page(name, content)?,
            TreeFile::Value(name) => self.add_value(name, content)?,
            TreeFile::Keys(page) => self.add_keys(page, content)?,
        }
        self.bytes += content.len();
        Ok(())
    }

    /// Answers of this query lack this value: nobody sends it.
    pub fn withhold(&mut self, name: ValueName) {
        self.withheld.insert(name);
    }

    fn add_page(&mut self, name: &F, content: &[u8]) -> Result<(), HeldError> {
        let refused = |source| HeldError::Page { name: page_file(name), source };
        let (page, inline) = Page::decode(content).map_err(refused)?;
        let values = inline_values(&page, inline);
        let actual = self.pages.put(page).map_err(refused)?;
        if actual != *name {
            self.pages.remove(&actual);
            return Err(refused(PageError::WrongName { expected: *name, actual }));
        }
        self.values.extend(values.into_iter().map(|value| (value.name, value.content)));
        Ok(())
    }

    fn add_value(&mut self, name: &ValueName, content: &[u8]) -> Result<(), HeldError> {
        let refused = |source| HeldError::Value { name: value_file(name), source };
        name.check(content).map_err(refused)?;
        self.values.insert(*name, content.to_vec());
        Ok(())
    }

    /// Adds the primary keys of a page. Without the page they are left out: it comes again before them.
    fn add_keys(&mut self, page: &F, content: &[u8]) -> Result<(), HeldError> {
        let keys = primary_keys(page, content)?;
        let Some(leaf) = self.pages.page(page).map_err(TreeError::from)? else { return Ok(()) };
        let refused = |what| HeldError::Keys { name: keys_file(page), what };
        if !keys.is_sorted_by(|a, b| a < b) {
            return Err(refused("its keys do not ascend"));
        }
        let live = leaf.entries().iter().filter(|entry| is_live_mark(entry));
        let mut wanted: BTreeSet<Digest> = live.map(|entry| digest_in(&entry.key)).collect();
        if keys.len() > wanted.len() {
            return Err(refused("it has keys of no entry of its page"));
        }
        let mut primaries = Vec::new();
        for key in keys {
            let digests = digests_of(&key.digest()).into_iter().enumerate();
            let of = digests.filter(|(_, digest)| wanted.remove(digest));
            let before = primaries.len();
            primaries.extend(of.map(|(form, digest)| (digest, (key, form == 0))));
            if primaries.len() == before {
                return Err(refused("it has a key of no entry of its page"));
            }
        }
        if !wanted.is_empty() {
            return Err(refused("it lacks the key of an entry of its page"));
        }
        self.primaries.extend(primaries);
        Ok(())
    }

    /// The entry of a key.
    ///
    /// # Errors
    /// [`HeldError`].
    pub fn get(&self, root: F, key: &Key) -> Result<GetAnswer, HeldError> {
        let mut answer = self.get_many(root, &[*key], true)?;
        let entry = answer.entries.remove(key).flatten();
        let name = entry.as_ref().and_then(ValueName::of_entry);
        let value = name.and_then(|name| answer.values.remove(&name));
        Ok(GetAnswer { state: state(root), entry, value })
    }

    /// The entries of several keys, if `values` with all values that are not withheld.
    ///
    /// # Errors
    /// [`HeldError`].
    pub fn get_many(&self, root: F, keys: &[Key], values: bool) -> Result<ManyAnswer, HeldError> {
        let mut gaps = Gaps::default();
        let mut entries = BTreeMap::new();
        for key in keys {
            if let Some(entry) = gaps.pass(shown(&self.pages, root, key))? {
                entries.insert(*key, entry);
            }
        }
        let values = self.values_of(entries.values().flatten(), values, &mut gaps);
        gaps.close()?;
        Ok(ManyAnswer { state: state(root), entries, values })
    }

    /// The first entries of what is left of a range.
    ///
    /// # Errors
    /// [`HeldError`].
    pub fn range(&self, root: F, query: &RangeQuery) -> Result<RangeAnswer, HeldError> {
        let limit = limit(query);
        let mut walk = Walk::new(&self.pages, root, query)?;
        let (mut gaps, mut entries) = (Gaps::default(), Vec::new());
        while let Some((entry, _)) = gaps.pass(walk.step())?.flatten() {
            entries.push(entry);
            if entries.len() > limit {
                break;
            }
        }
        let first_left = entries.get(limit).map(|entry: &Entry| entry.key);
        entries.truncate(limit);
        let next = match (first_left, entries.last()) {
            // The last entry that is returned is the end of the rest.
            (Some(_), Some(last)) if query.reverse => Some(last.key),
            (first_left, _) => first_left,
        };
        let values = self.values_of(entries.iter(), query.values, &mut gaps);
        gaps.close()?;
        let next = next.map(|key| PageToken { root, key });
        Ok(RangeAnswer { state: state(root), entries, values, next })
    }

    /// The first current entries of what is left of a term.
    ///
    /// # Errors
    /// [`HeldError`].
    pub fn find(&self, root: F, query: &FindQuery) -> Result<FindAnswer, HeldError> {
        let range = query.range();
        let limit = limit(range);
        let mut walk = Walk::new(&self.pages, root, range)?;
        let (mut gaps, mut hits) = (Gaps::default(), Vec::new());
        let (mut marked, mut unknown) = (0, 0);
        let (mut last, mut next) = (walk.keys.end, None);
        while let Some((index, leaf)) = gaps.pass(walk.step())?.flatten() {
            // What is not known yet may be a hit: files of a longer answer are not fetched.
            if hits.len() + unknown == limit || marked == MAX_MARKED {
                next = Some(if range.reverse { last } else { index.key });
                break;
            }
            last = index.key;
            if !is_live_mark(&index) {
                continue;
            }
            marked += 1;
            match self.primary(root, &index, leaf, &mut gaps)? {
                Some((entry, true)) => {
                    hits.push(Hit { order: order_of(&index.key).to_vec(), entry });
                }
                Some((_, false)) => {}
                None => unknown += 1,
            }
        }
        let values = self.values_of(hits.iter().map(|hit| &hit.entry), range.values, &mut gaps);
        gaps.close()?;
        let next = next.map(|key| PageToken { root, key });
        Ok(FindAnswer { state: state(root), hits, values, next })
    }

    /// The entry of the primary key of an entry of the index, and whether it is current; `None` if a file is
    /// missing.
    fn primary(
        &self,
        root: F,
        index: &Entry,
        leaf: F,
        gaps: &mut Gaps,
    ) -> Result<Option<(Entry, bool)>, HeldError> {
        let Some((key, is_of)) = self.primaries.get(primary_digest(&index.key)) else {
            gaps.0.insert(TreeFile::Keys(leaf));
            return Ok(None);
        };
        let Some(entry) = gaps.pass(tree::lookup(&self.pages, root, key))? else {
            return Ok(None);
        };
        let entry = entry.ok_or(HeldError::NoPrimary)?;
        Ok(Some((entry, *is_of && entry.stamp == index.stamp)))
    }

    /// The values of entries that are at hand. Those that are not are missing, if they are wanted and nobody
    /// withholds them.
    fn values_of<'a>(
        &self,
        entries: impl Iterator<Item = &'a Entry>,
        wanted: bool,
        gaps: &mut Gaps,
    ) -> BTreeMap<ValueName, Vec<u8>> {
        let mut values = BTreeMap::new();
        for name in entries.filter_map(ValueName::of_entry) {
            match self.values.get(&name) {
                Some(content) => {
                    values.insert(name, content.clone());
                }
                None if wanted && !self.withheld.contains(&name) => {
                    gaps.0.insert(TreeFile::Value(name));
                }
                None => {}
            }
        }
        values
    }
}

fn state(root: F) -> AnswerState {
    AnswerState { root, snapshot: None, vouched_by: None }
}

fn limit(query: &RangeQuery) -> usize {
    usize::try_from(query.limit).unwrap_or(MAX_RANGE).clamp(1, MAX_RANGE)
}

fn is_live_mark(entry: &Entry) -> bool {
    entry.key.kind() == KeyKind::Index && entry.value != tombstone()
}

fn digest_in(index: &Key) -> Digest {
    let mut digest = [0; LIMB_BYTES];
    digest.copy_from_slice(primary_digest(index));
    digest
}

/// The files that one query has missed.
#[derive(Debug, Default)]
struct Gaps(BTreeSet<TreeFile>);

impl Gaps {
    /// What was read; `None` if a page is missing.
    fn pass<T>(&mut self, read: Result<T, TreeError>) -> Result<Option<T>, HeldError> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(TreeError::Missing { name, .. }) => {
                self.0.insert(TreeFile::Page(name));
                Ok(None)
            }
            Err(refused) => Err(refused.into()),
        }
    }

    fn close(self) -> Result<(), HeldError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(HeldError::Missing(self.0))
        }
    }
}

/// A walk over the entries of a range, in the requested order.
struct Walk<'s> {
    store: &'s MemoryStore,
    root: F,
    keys: Range<Key>,
    reverse: bool,
    position: Option<Position<'s, MemoryStore>>,
}

impl<'s> Walk<'s> {
    fn new(store: &'s MemoryStore, root: F, query: &RangeQuery) -> Result<Walk<'s>, HeldError> {
        let keys = query.rest().ok_or(HeldError::Query)?;
        if query.page.is_some_and(|page| page.root != root) {
            return Err(HeldError::Query);
        }
        Ok(Walk { store, root, keys, reverse: query.reverse, position: None })
    }

    /// The next entry, and the leaf page in which it is; `None` at the end.
    fn step(&mut self) -> Result<Option<(Entry, F)>, TreeError> {
        let more = match &mut self.position {
            Some(position) if self.reverse => position.previous()?,
            Some(position) => position.advance()?,
            None => self.begin()?,
        };
        let Some(position) = self.position.as_ref().filter(|_| more) else { return Ok(None) };
        let entry = position.entry();
        let leaf = position.path().last().map(|place| place.name);
        Ok(leaf.filter(|_| self.keys.contains(&entry.key)).map(|leaf| (entry, leaf)))
    }

    /// Goes to the first entry.
    fn begin(&mut self) -> Result<bool, TreeError> {
        let key = if self.reverse { self.keys.end } else { self.keys.start };
        let mut position = Position::seek(self.store, self.root, &key)?;
        let more = if self.reverse && position.entry().key >= self.keys.end {
            position.previous()?
        } else {
            true
        };
        self.position = Some(position);
        Ok(more)
    }
}

#[cfg(test)]
mod tests;
