//! Answers to requests for a range.

use std::ops::Range;

use rootfold_core::{item::Entry, key::Key, tree, F};
use rootfold_light::{
    messages,
    query::{PageToken, RangeQuery},
};
use rootfold_proto::{
    limits::{MAX_RANGE, TARGET_MESSAGE_BYTES, USUAL_MESSAGE_BYTES},
    reason::Reason,
    v1,
};
use tonic::Status;

use super::super::refusal::refuse;

use super::{
    account,
    keys::values,
    pages::{pages, too_large, tree_failed},
};
use crate::space::Space;

/// The first entries of what is left of a range, at most as many as the query allows, whose pages fit into
/// a message.
pub(super) fn range(
    space: &Space,
    root: F,
    query: &RangeQuery,
) -> Result<v1::RangeResponse, Status> {
    let no_answer = || refuse(Reason::InvalidRequest, "an empty range");
    let rest = query.rest().ok_or_else(no_answer)?;
    let mut limit = usize::try_from(query.limit).unwrap_or(MAX_RANGE).min(MAX_RANGE);
    loop {
        let (entries, next) = part(space, root, rest.clone(), query.reverse, limit)?;
        let covered = query.covered(next).ok_or_else(no_answer)?;
        let names = tree::range_pages(space.pages(), root, covered).map_err(tree_failed)?;
        let used = entries.len() * size_of::<Entry>();
        let most = if limit == 1 { TARGET_MESSAGE_BYTES } else { USUAL_MESSAGE_BYTES };
        if let Some((pages, used)) = pages(space, &names, used, most)? {
            let values = match query.values {
                true => values(space, &entries, used, used + USUAL_MESSAGE_BYTES)?,
                false => Vec::new(),
            };
            let (snapshot, vouched_by) = account(space, root);
            let next_page_token =
                next.map(|key| messages::token_out(&PageToken { root, key })).unwrap_or_default();
            return Ok(v1::RangeResponse {
                root: messages::bytes(&root),
                entries: entries.iter().map(messages::entry_out).collect(),
                pages,
                next_page_token,
                values,
                snapshot,
                vouched_by,
            });
        }
        if limit == 1 {
            return Err(too_large());
        }
        limit /= 2;
    }
}

/// At most `limit` entries of a range, in the requested order, and the key at which the rest begins; its end
/// if the order is reversed.
fn part(
    space: &Space,
    root: F,
    rest: Range<Key>,
    reverse: bool,
    limit: usize,
) -> Result<(Vec<Entry>, Option<Key>), Status> {
    if reverse {
        let back = tree::scan_back(space.pages(), root, rest, limit + 1);
        let mut entries = back.map_err(tree_failed)?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        // The last entry that is returned is the end of the rest.
        let next = entries.last().map(|entry| entry.key).filter(|_| more);
        return Ok((entries, next));
    }
    let scan = tree::scan(space.pages(), root, rest).map_err(tree_failed)?;
    let entries: Result<Vec<Entry>, _> = scan.take(limit + 1).collect();
    let mut entries = entries.map_err(tree_failed)?;
    let next = entries.get(limit).map(|entry| entry.key);
    entries.truncate(limit);
    Ok((entries, next))
}
