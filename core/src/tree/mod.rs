//! The prolly tree: an ordered map whose shape depends only on its set of keys (`docs/design.md`,
//! section 4).
//!
//! The items of level 0 are the item digests of the entries in key order. A node of level l is a
//! maximal sequence of items of level l that ends with an item of height above l. Its digest
//! ([`chain`]), with the height of its last item, is an item of level l+1. The root is the digest of
//! the node of level [`H`](crate::height::H).
//!
//! The unit of storage and transfer is a [`Page`] of three levels of nodes. A reader needs a
//! [`PageStore`] and a root only.
//!
//! ```
//! use rootfold_core::{item::Entry, key::Key, stamp::Stamp, tree, value::value_digest};
//!
//! let mut store = tree::MemoryStore::default();
//! let empty = tree::build(&[Entry::start_sentinel(), Entry::end_sentinel()]);
//! store.apply(&empty);
//!
//! let entry = Entry {
//!     key: Key::shared(b"colour")?,
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
//! A store checks the name of a page once, when it receives the page ([`Page::check`]). No name binds
//! the `last_key` hints of internal pages. Therefore every loaded page is compared with the hint in
//! its parent ([`Place::check`]), and absence is reported only after both neighbours are loaded. With
//! checked names and a proven root, a wrong hint leads to [`TreeError::Misplaced`], never to a wrong
//! answer.

pub mod chain;
mod codec;
mod crowd;
mod diff;
mod error;
mod inclusion;
mod limits;
mod page;
mod pages;
mod place;
mod position;
mod read;
mod store;
mod update;
pub mod walk;

pub use codec::{InlineValues, PAGE_VERSION};
pub use crowd::{crowd, Crowd, CROWD};
pub use diff::{diff, Diff, Difference};
pub use error::{Misfit, PageError, StoreError, TreeError};
pub use inclusion::{roots, Inclusion, Rooted, Siblings};
pub use limits::{LEVELS_PER_PAGE, MAX_INLINE_VALUE, MAX_PAGE_BYTES, MAX_PAGE_ITEMS, ROOT_RANK};
pub use page::{Child, Page};
pub use pages::{pages_below, range_pages, PagesBelow};
pub use place::{load, Place};
pub use position::Position;
pub use read::{heads, lookup, neighbours, scan, scan_back, scan_prefix, Scan};
pub use store::{MemoryStore, Overlay, PageStore, Update};
pub use update::{build, try_build, update};
