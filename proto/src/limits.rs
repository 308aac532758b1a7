//! Limits of messages. Both sides set them on their transport and refuse what is larger before
//! they allocate for it.

/// The largest message in bytes, in either direction.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// The most elements of all repeated fields of one message, at any depth: as many as the longest
/// frontier has, and more than fit into a message as ops that a writer could have signed.
pub const MAX_ELEMENTS: usize = MAX_FRONTIER;
/// The largest number of pages or values in one request.
pub const MAX_NAMES: usize = 64;
/// The largest number of writers in a frontier.
pub const MAX_FRONTIER: usize = 65_536;
/// The largest number of ops in one batch.
pub const MAX_BATCH_OPS: usize = 1024;
/// The largest number of ops in a row without a signature. So a log can be cut into messages of
/// legal size wherever it is long: that many values of the largest size fit into one message.
pub const MAX_UNSIGNED_OPS: usize = 32;
/// The most entries in the answer to a range query.
pub const MAX_RANGE: usize = 1000;
/// A sender closes a message before its values exceed this; what is left of
/// [`MAX_MESSAGE_BYTES`] is room for ops and framing.
pub const TARGET_MESSAGE_BYTES: usize = 3 * 1024 * 1024;
