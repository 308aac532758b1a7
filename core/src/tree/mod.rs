//! The prolly tree: an ordered map whose shape depends only on its set of keys (design 4).
//!
//! Level-0 items are the item digests of the entries in key order. A node of level l is a maximal
//! run of level-l items that ends with an item of height > l; its chain ([`chain`]) is, together
//! with the height of its last item, an item of level l+1. The root is the chain of level
//! [`H`](crate::height::H).
//!
//! Nodes are small; what is stored and sent is a [`Page`], three levels of nodes. Everything that
//! reads a tree takes pages from a [`PageStore`] and a root, and nothing else.
//!
//! ```
//! use rootfold_core::{item::Entry, key::Key, stamp::Stamp, tree, value::value_digest};
//!
//! let mut store = tree::MemoryStore::default();
//! let empty = tree::build(&[Entry::start_sentinel(), Entry::end_sentinel()]);
//! store.apply(&empty);
//!
//! let entry = Entry {
//!     key: Key::user(b"colour")?,
//!     stamp: Stamp { ts: 1, writer: 0 },
//!     value: value_digest(b"blue"),
//! };
//! let after = tree::update(&store, empty.root, &[entry])?;
//! store.apply(&after);
//! assert_eq!(tree::lookup(&store, after.root, &entry.key)?, Some(entry));
//! assert_eq!(tree::lookup(&store, empty.root, &entry.key)?, None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Trust
//! A page is bound to its name by [`Page::name`], which a store does once, when a page arrives
//! ([`Page::check`]). The `last_key` hints of internal pages are not bound by any name: every page
//! that is opened is compared with the hint that led to it ([`Place::check`]), and an absence is
//! answered only with both neighbours opened. So with pages under the right names and a proven
//! root, a lying hint leads to [`TreeError::Misplaced`] and never to a wrong answer.

pub mod chain;
mod codec;
mod cursor;
mod diff;
mod error;
mod page;
mod pages;
mod place;
mod read;
mod store;
mod update;
pub mod walk;

pub use codec::{InlineValues, MAX_INLINE_VALUE, MAX_PAGE_BYTES, MAX_PAGE_ITEMS};
pub use cursor::Cursor;
pub use diff::{diff, Diff, Difference};
pub use error::{Misfit, PageError, StoreError, TreeError};
pub use page::{Child, Page, LEVELS_PER_PAGE, ROOT_RANK};
pub use pages::{pages_below, range_pages, PagesBelow};
pub use place::{load, Place};
pub use read::{heads, lookup, neighbours, scan, scan_prefix, Scan};
pub use store::{MemoryStore, Overlay, PageStore};
pub use update::{build, try_build, update, Update};
