//! What can be wrong with a page, a tree or a store.

use rootfold_arith::encoding::DecodeError;
use thiserror::Error;

use crate::{
    field::{to_hex, FieldError},
    key::{Key, KeyError},
    F,
};

use super::{
    codec::{MAX_INLINE_VALUE, MAX_PAGE_BYTES, MAX_PAGE_ITEMS},
    page::ROOT_RANK,
};

/// Why something is not a page, or not the page it is said to be.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PageError {
    /// More bytes than any page has.
    #[error("page of {bytes} bytes is longer than {MAX_PAGE_BYTES}")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The first byte names no known page format.
    #[error("unknown page format {format}")]
    UnknownFormat {
        /// The byte.
        format: u8,
    },
    /// There is no such rank.
    #[error("page rank {rank} is above {ROOT_RANK}")]
    UnknownRank {
        /// The rank.
        rank: u8,
    },
    /// A page has at least one item.
    #[error("page without items")]
    Empty,
    /// More items than any page has, or than the bytes could hold.
    #[error("page claims {count} items in {bytes} bytes (at most {MAX_PAGE_ITEMS} are allowed)")]
    TooManyItems {
        /// The number of items claimed.
        count: u32,
        /// The bytes that are left for them.
        bytes: usize,
    },
    /// The bytes end inside the page, or continue after it.
    #[error("page: {0}")]
    Length(#[from] DecodeError),
    /// A digest or value is not below the modulus.
    #[error("item {index} of the page: {source}")]
    Field {
        /// The item's position.
        index: usize,
        /// What is wrong with it.
        source: FieldError,
    },
    /// A key is not written in its one canonical form.
    #[error("item {index} of the page: key form {form} is not canonical here")]
    KeyForm {
        /// The item's position.
        index: usize,
        /// The byte that names the form.
        form: u8,
    },
    /// Keys do not grow strictly.
    #[error("item {index} of the page: its key is not greater than the one before")]
    Unsorted {
        /// The item's position.
        index: usize,
    },
    /// An item is lower or higher than a page of this rank allows at this position.
    #[error("item {index} of the page of rank {rank} has height {height}")]
    Height {
        /// The item's position.
        index: usize,
        /// The page's rank.
        rank: u8,
        /// The item's height.
        height: usize,
    },
    /// An inline value is too long, or of the wrong length for a head.
    #[error("item {index} of the page: inline value of {length} bytes (limit {MAX_INLINE_VALUE})")]
    InlineLength {
        /// The item's position.
        index: usize,
        /// The length in bytes.
        length: usize,
    },
    /// An inline value is not the one the entry names.
    #[error("item {index} of the page: inline value does not match the value digest")]
    InlineValue {
        /// The item's position.
        index: usize,
    },
    /// An entry names the empty value and does not carry it.
    #[error("item {index} of the page: an empty value must be inline")]
    EmptyValueOmitted {
        /// The item's position.
        index: usize,
    },
    /// The page has another name.
    #[error("page {} arrived under the name {}", to_hex(.actual), to_hex(.expected))]
    WrongName {
        /// The name that was asked for.
        expected: F,
        /// The name of what came.
        actual: F,
    },
}

/// How a page does not fit the place at which its parent names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Misfit {
    /// It is of another rank.
    #[error("its rank is wrong")]
    Rank,
    /// Its last key is not the one the parent hints at.
    #[error("its last key is not the hinted one")]
    LastKey,
    /// It starts at or before the last key of the page on its left.
    #[error("it overlaps the page before it")]
    FirstKey,
    /// Its last item is not as high as the parent says.
    #[error("its height is not the one its parent claims")]
    Height,
    /// It is the first page of the tree and does not begin with the start sentinel, or the last
    /// and does not end with the end sentinel.
    #[error("it bounds the tree without the sentinel")]
    Sentinel,
}

/// A page store failed.
#[derive(Debug, Error)]
#[error("page store: {0}")]
pub struct StoreError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl StoreError {
    /// Wraps the store's own error.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
        StoreError(source.into())
    }
}

/// Why a tree could not be read or changed.
#[derive(Debug, Error)]
pub enum TreeError {
    /// The store has no page of this name.
    #[error("page {} of rank {rank} is missing", to_hex(.name))]
    Missing {
        /// The page's name.
        name: F,
        /// The rank it should have.
        rank: u8,
    },
    /// A page does not fit its place: a hint of a page above it lies, or the root is no tree's.
    #[error("page {} does not fit its place: {misfit}", to_hex(.name))]
    Misplaced {
        /// The page's name.
        name: F,
        /// What does not fit.
        misfit: Misfit,
    },
    /// A page of the store is no page, or another.
    #[error("page {} of the store: {source}", to_hex(.name))]
    Page {
        /// The name under which the store gave it.
        name: F,
        /// What is wrong with it.
        source: PageError,
    },
    /// Entries or upserts are not in strictly increasing order of their keys.
    #[error("entry {index} ({key:?}) is not greater than the one before")]
    Unsorted {
        /// Position of the entry.
        index: usize,
        /// Its key.
        key: Box<Key>,
    },
    /// A sentinel can be neither written nor asked for neighbours.
    #[error("entry {index} ({key:?}) is a sentinel")]
    Sentinel {
        /// Position of the entry.
        index: usize,
        /// Its key.
        key: Box<Key>,
    },
    /// A tree is built only from entries that begin and end with the sentinels.
    #[error("the entries of a tree begin with the start sentinel and end with the end sentinel")]
    NoSentinels,
    /// A prefix that no key can have.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
