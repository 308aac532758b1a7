//! Constants of the tree and of encoded pages.

use crate::height::H;

/// Levels of nodes in one page.
pub const LEVELS_PER_PAGE: usize = 3;
/// The rank of the root page. Its items are of level [`H`], and its name is the root.
pub const ROOT_RANK: u8 = (H / LEVELS_PER_PAGE) as u8;
/// The longest value inside a leaf page, in bytes.
pub const MAX_INLINE_VALUE: usize = 256;
/// The most items of a page that is decoded.
///
/// A page has 64 items on average. A writer can make larger pages by choosing keys that end no page,
/// at no cost, so the limit is high. A page beyond this limit or [`MAX_PAGE_BYTES`] cannot be sent,
/// but the nodes that hold it read it; to make one takes about 480,000 ops.
pub const MAX_PAGE_ITEMS: usize = 1 << 20;
/// The longest page that is decoded, in bytes.
pub const MAX_PAGE_BYTES: usize = 64 << 20;
