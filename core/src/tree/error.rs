//! Errors of pages, trees and stores.

use rootfold_arith::encoding::DecodeError;
use thiserror::Error;

use crate::{
    field::{to_hex, FieldError},
    key::{Key, KeyError},
    F,
};

use super::limits::{MAX_INLINE_VALUE, MAX_PAGE_BYTES, MAX_PAGE_ITEMS, ROOT_RANK};

/// Not a valid page, or not the requested page.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PageError {
    /// The page is longer than the limit.
    #[error("page of {bytes} bytes is longer than {MAX_PAGE_BYTES}")]
    TooLong {
        /// The length in bytes.
        bytes: usize,
    },
    /// The page format is unknown.
    #[error("unknown page format {format}")]
    UnknownFormat {
        /// The byte.
        format: u8,
    },
    /// The rank does not exist.
    #[error("page rank {rank} is above {ROOT_RANK}")]
    UnknownRank {
        /// The rank.
        rank: u8,
    },
    /// The page has no items.
    #[error("page without items")]
    Empty,
    /// The page claims more items than the limit, or more than the bytes can hold.
    #[error("page claims {count} items in {bytes} bytes (at most {MAX_PAGE_ITEMS} are allowed)")]
    TooManyItems {
        /// The number of items claimed.
        count: u32,
        /// Length of the items in bytes.
        bytes: usize,
    },
    /// The bytes end inside the page, or continue after it.
    #[error("page: {0}")]
    Length(#[from] DecodeError),
    /// A digest or value is not below the modulus.
    #[error("item {index} of the page: {source}")]
    Field {
        /// Index of the item.
        index: usize,
        /// The error of the field element.
        source: FieldError,
    },
    /// A key does not have its canonical form.
    #[error("item {index} of the page: key form {form} is not canonical here")]
    KeyForm {
        /// Index of the item.
        index: usize,
        /// The byte that names the form.
        form: u8,
    },
    /// Keys do not increase strictly.
    #[error("item {index} of the page: its key is not greater than the one before")]
    Unsorted {
        /// Index of the item.
        index: usize,
    },
    /// The height of an item is not possible at this index in a page of this rank.
    #[error("item {index} of the page of rank {rank} has height {height}")]
    Height {
        /// Index of the item.
        index: usize,
        /// The page's rank.
        rank: u8,
        /// The item's height.
        height: usize,
    },
    /// An inline value is too long, or does not have the length of a head.
    #[error("item {index} of the page: inline value of {length} bytes (limit {MAX_INLINE_VALUE})")]
    InlineLength {
        /// Index of the item.
        index: usize,
        /// The length in bytes.
        length: usize,
    },
    /// An inline value does not match the entry's value digest.
    #[error("item {index} of the page: inline value does not match the value digest")]
    InlineValue {
        /// Index of the item.
        index: usize,
    },
    /// An empty value is not inline.
    #[error("item {index} of the page: an empty value must be inline")]
    EmptyValueOmitted {
        /// Index of the item.
        index: usize,
    },
    /// The page is not the requested one.
    #[error("requested page {}, got page {}", to_hex(.expected), to_hex(.actual))]
    WrongName {
        /// The requested name.
        expected: F,
        /// The name of the page.
        actual: F,
    },
}

/// How a page contradicts its [`Place`](super::Place).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Misfit {
    /// The rank.
    #[error("its rank is wrong")]
    Rank,
    /// The last key is not the hint of the parent.
    #[error("its last key is not the one in its parent")]
    LastKey,
    /// The first key is not greater than the last key of the previous page.
    #[error("it overlaps the previous page")]
    FirstKey,
    /// The height of the last item is not the one in the parent.
    #[error("its height is not the one in its parent")]
    Height,
    /// The first page does not begin with the start sentinel, or the last page does not end with the
    /// end sentinel.
    #[error("it is the first or last page of the tree and lacks the sentinel")]
    Sentinel,
}

/// An error of a page store.
#[derive(Debug, Error)]
#[error("page store: {0}")]
pub struct StoreError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl StoreError {
    /// Wraps the store's own error.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
        StoreError(source.into())
    }
}

/// A tree could not be read or changed.
#[derive(Debug, Error)]
pub enum TreeError {
    /// The store has no page of this name.
    #[error("page {} of rank {rank} is missing", to_hex(.name))]
    Missing {
        /// The page's name.
        name: F,
        /// The rank by its parent.
        rank: u8,
    },
    /// A page contradicts its place: a hint in an ancestor is wrong, or the root is not the root of a
    /// tree.
    #[error("page {} contradicts its parent: {misfit}", to_hex(.name))]
    Misplaced {
        /// The page's name.
        name: F,
        /// The contradiction.
        misfit: Misfit,
    },
    /// A page of the store is not valid, or has another name.
    #[error("page {} of the store: {source}", to_hex(.name))]
    Page {
        /// The name under which it is stored.
        name: F,
        /// The error of the page.
        source: PageError,
    },
    /// The keys of entries or upserts do not increase strictly.
    #[error("entry {index} ({key:?}) is not greater than the one before")]
    Unsorted {
        /// Index of the entry.
        index: usize,
        /// Its key.
        key: Box<Key>,
    },
    /// A sentinel cannot be written and has no two neighbours.
    #[error("entry {index} ({key:?}) is a sentinel")]
    Sentinel {
        /// Index of the entry.
        index: usize,
        /// Its key.
        key: Box<Key>,
    },
    /// The entries of a tree do not begin and end with the sentinels.
    #[error("the entries of a tree begin with the start sentinel and end with the end sentinel")]
    NoSentinels,
    /// The prefix is longer than any key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// An error of the store.
    #[error(transparent)]
    Store(#[from] StoreError),
}
