//! The pages of an answer.

use rootfold_core::{tree::TreeError, F};
use rootfold_light::messages;
use rootfold_proto::{reason::Reason, v1};
use tonic::Status;

use super::super::refusal::{internal, refuse};
use crate::space::Space;

/// Messages of pages and the number of their bytes; `None` if they do not fit into a message of `most`
/// bytes that has `used` other ones.
pub(super) fn pages(
    space: &Space,
    names: &[F],
    used: usize,
    most: usize,
) -> Result<Option<(Vec<v1::Page>, usize)>, Status> {
    let mut size = used;
    let mut pages = Vec::with_capacity(names.len());
    for name in names {
        let content = space
            .page_bytes(name)?
            .ok_or_else(|| internal(&TreeError::Missing { name: *name, rank: 0 }))?;
        size += content.len() + 64;
        if size > most {
            return Ok(None);
        }
        pages.push(v1::Page { name: messages::bytes(name), content, more: false });
    }
    Ok(Some((pages, size)))
}

/// The refusal of an answer whose pages do not fit.
pub(super) fn too_large() -> Status {
    refuse(Reason::TooLarge, "the pages around this key exceed the limit of a message")
}

/// A failure of the tree.
pub(super) fn tree_failed(e: TreeError) -> Status {
    internal(&e)
}
