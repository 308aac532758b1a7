//! Queries: what is asked, and of which state.

use std::ops::Range;

use rootfold_core::{
    key::{ApplicationKey, Key, KeyError},
    mark::{self, Mark, MarkError},
    F,
};

use crate::snapshot::SnapshotHeader;

/// The state of a space that a query reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The fold of all ops that the node holds.
    Latest,
    /// The newest snapshot; genesis if there is none.
    Snapshot,
    /// The state with this root, if the node keeps it.
    Root(F),
}

/// What vouches for data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voucher {
    /// A proof that was checked: the data belong to the root of a verified snapshot. Genesis, whose root
    /// is the space's id, needs no proof.
    Proven,
    /// Signatures that were checked: the data come from ops after the newest snapshot.
    Signed,
    /// Nothing that was checked here.
    Unverified,
}

impl Voucher {
    /// The word for users.
    pub fn name(self) -> &'static str {
        match self {
            Voucher::Proven => "proven",
            Voucher::Signed => "signed",
            Voucher::Unverified => "unverified",
        }
    }

    /// What vouches for an answer under `root` to a client that has verified this snapshot and no ops.
    pub fn of(root: F, verified: &SnapshotHeader) -> Voucher {
        if root == verified.root {
            Voucher::Proven
        } else {
            Voucher::Unverified
        }
    }
}

/// A prefix of application keys; or all of them, if neither an owner nor bytes are given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyPrefix {
    /// The owner of the keys; without one, and with bytes, shared keys.
    pub owner: Option<u32>,
    /// What their application keys begin with.
    pub bytes: Vec<u8>,
}

impl KeyPrefix {
    /// A prefix that application keys can have.
    ///
    /// # Errors
    /// [`KeyError::TooLong`].
    pub fn new(owner: Option<u32>, bytes: Vec<u8>) -> Result<KeyPrefix, KeyError> {
        ApplicationKey { owner, bytes: &bytes }.range()?;
        Ok(KeyPrefix { owner, bytes })
    }

    /// The prefix; `None` for all keys.
    pub fn get(&self) -> Option<ApplicationKey<'_>> {
        let KeyPrefix { owner, bytes } = self;
        let all = owner.is_none() && bytes.is_empty();
        (!all).then_some(ApplicationKey { owner: *owner, bytes })
    }
}

/// A question for the entries of a range of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeQuery {
    /// The keys.
    pub keys: Range<Key>,
    /// The largest number of entries, at least 1.
    pub limit: u32,
    /// Whether the entries come from the last one back.
    pub reverse: bool,
    /// Whether values come too that are not inline in pages.
    pub values: bool,
    /// Where the page begins; `None` for the first page.
    pub page: Option<PageToken>,
}

impl RangeQuery {
    /// The entries of these keys in ascending order, at most `limit`, with the values that are inline in
    /// pages.
    pub fn new(keys: Range<Key>, limit: u32) -> RangeQuery {
        RangeQuery { keys, limit, reverse: false, values: false, page: None }
    }

    /// The entries of a region whose application keys begin with those of `prefix`. The answer may have
    /// entries of shorter application keys too.
    ///
    /// # Errors
    /// [`KeyError::TooLong`].
    pub fn prefix(prefix: ApplicationKey<'_>, limit: u32) -> Result<RangeQuery, KeyError> {
        Ok(RangeQuery::new(prefix.range()?, limit))
    }

    /// The same query from the last entry back.
    #[must_use]
    pub fn reversed(self) -> RangeQuery {
        RangeQuery { reverse: true, ..self }
    }

    /// The same query with all values.
    #[must_use]
    pub fn with_values(self) -> RangeQuery {
        RangeQuery { values: true, ..self }
    }

    /// The page that begins at a token.
    #[must_use]
    pub fn page(&self, token: PageToken) -> RangeQuery {
        RangeQuery { page: Some(token), ..self.clone() }
    }

    /// The keys that are left from the page on; `None` if the token is not one of this range.
    pub fn rest(&self) -> Option<Range<Key>> {
        let Range { start, end } = self.keys.clone();
        let rest = match &self.page {
            None => start..end,
            Some(token) if self.reverse => start..token.key,
            Some(token) => token.key..end,
        };
        let within = rest.start >= start && rest.end <= end && rest.start < rest.end;
        within.then_some(rest)
    }

    /// The keys that a page covers after which the rest goes on at `next`; `None` as for [`Self::rest`].
    pub fn covered(&self, next: Option<Key>) -> Option<Range<Key>> {
        let rest = self.rest()?;
        Some(match next {
            None => rest,
            Some(next) if self.reverse => next..rest.end,
            Some(next) => rest.start..next,
        })
    }
}

/// A question for the entries with a mark of a term, in the order of their marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindQuery {
    term: Vec<u8>,
    range: RangeQuery,
}

impl FindQuery {
    /// The first entries of a term, at most `limit`, with the values that are inline in pages.
    ///
    /// # Errors
    /// [`MarkError::TermTooLong`].
    pub fn new(term: &[u8], limit: u32) -> Result<FindQuery, MarkError> {
        Mark::new(term, b"")?;
        let range = RangeQuery::new(mark::term_range(term), limit);
        Ok(FindQuery { term: term.to_vec(), range })
    }

    /// The same query, whose range of the index is changed: its order, values or page.
    #[must_use]
    pub fn with(self, change: impl FnOnce(RangeQuery) -> RangeQuery) -> FindQuery {
        FindQuery { range: change(self.range), ..self }
    }

    /// The term.
    pub fn term(&self) -> &[u8] {
        &self.term
    }

    /// The range of the index.
    pub fn range(&self) -> &RangeQuery {
        &self.range
    }
}

/// Where a page of a range begins, and in which state: so all pages of a range are of one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageToken {
    /// The root of the state.
    pub root: F,
    /// The first key of the rest of the range, or its end if the order is reversed.
    pub key: Key,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key::shared(text.as_bytes()).expect("a short key")
    }

    #[test]
    fn pages_stay_within_their_range() {
        let query = RangeQuery::new(key("b")..key("m"), 5);
        let token = |text| PageToken { root: F::from(1u64), key: key(text) };
        assert_eq!(query.rest(), Some(key("b")..key("m")));
        assert_eq!(query.page(token("c")).rest(), Some(key("c")..key("m")));
        assert_eq!(query.clone().reversed().page(token("c")).rest(), Some(key("b")..key("c")));
        for text in ["a", "m", "z"] {
            assert_eq!(query.page(token(text)).rest(), None, "{text}");
        }
        for text in ["a", "b", "z"] {
            assert_eq!(query.clone().reversed().page(token(text)).rest(), None, "{text}");
        }
    }
}
