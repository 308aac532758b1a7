//! Limits of messages. Both sides configure their transport with them, and refuse a message that
//! exceeds one before they allocate memory for it.

/// The largest message in bytes, in either direction.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// The largest number of elements of all repeated fields of a message, at any depth. The signed ops
/// that fit into a message are fewer.
pub const MAX_ELEMENTS: usize = 65_536;
/// The largest number of pages or values in a request.
pub const MAX_NAMES: usize = 64;
/// The largest number of writers in a page of a frontier, and of logs in a request for ops.
pub const MAX_FRONTIER: usize = 4096;
/// The largest number of ops in a batch.
pub const MAX_BATCH_OPS: usize = MAX_GROUP_OPS;
/// The largest number of ops that one signature covers, and so of a group. Batches end at signatures, so
/// every log can be cut into messages.
pub const MAX_GROUP_OPS: usize = 4096;
/// The largest number of bytes of the values of ops that one signature covers, each value counted once.
pub const MAX_GROUP_BYTES: usize = 2 * 1024 * 1024;
/// The largest number of entries in a response to a range query.
pub const MAX_RANGE: usize = 1000;
/// The largest number of marked entries in a response, with those that are not current.
pub const MAX_MARKED: usize = 2000;
/// The largest number of keys in a request for the entries of several.
pub const MAX_KEYS: usize = 64;
/// The largest number of entries in a message about changed keys. Such a message is small, since a node
/// keeps room for one for each caller that watches.
pub const MAX_CHANGED: usize = 16;
/// A sender closes a message before it exceeds this number of bytes, unless a single part of it does:
/// ops that one signature covers, or the pages of one entry.
pub const USUAL_MESSAGE_BYTES: usize = 448 * 1024;
/// No sender makes a message whose values exceed this number of bytes. The rest of
/// [`MAX_MESSAGE_BYTES`] is for ops and framing.
pub const TARGET_MESSAGE_BYTES: usize = 3 * 1024 * 1024;
