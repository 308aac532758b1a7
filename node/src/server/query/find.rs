//! Answers to requests for the entries of a term.

use std::ops::Range;

use rootfold_core::{
    item::Entry,
    key::Key,
    tree::{self, Inclusion},
    F,
};
use rootfold_light::{
    messages,
    query::{FindQuery, PageToken, RangeQuery},
};
use rootfold_proto::{
    limits::{TARGET_MESSAGE_BYTES, USUAL_MESSAGE_BYTES},
    reason::Reason,
    v1,
};
use tonic::Status;

use super::{
    super::refusal::refuse,
    account,
    keys::values,
    pages::{pages, too_large, tree_failed},
};
use crate::space::{IndexPart, Space};

/// An upper bound of the bytes of a sibling digest in a message.
const DIGEST_COST: usize = 36;
/// An upper bound of the bytes of an entry in a message.
const ENTRY_COST: usize = 256;

/// The first entries of what is left of a term, at most as many as the query allows, whose pages and paths
/// fit into a message.
pub(super) fn find(space: &Space, root: F, query: &FindQuery) -> Result<v1::FindResponse, Status> {
    let mut query = query.clone();
    loop {
        let IndexPart { marked, next } = space.index_part(root, &query)?;
        let range = query.range();
        let covered = covered(range, next)?;
        let names = tree::range_pages(space.pages(), root, covered).map_err(tree_failed)?;
        let (marked, used) = with_paths(space, root, &marked)?;
        let single = range.limit == 1;
        let most = if single { TARGET_MESSAGE_BYTES } else { USUAL_MESSAGE_BYTES };
        if let Some((pages, used)) = pages(space, &names, used, most)? {
            let entries: Vec<Entry> = marked.iter().map(|(entry, _)| *entry).collect();
            let values = match range.values {
                true => values(space, &entries, used, used + USUAL_MESSAGE_BYTES)?,
                false => Vec::new(),
            };
            let (snapshot, vouched_by) = account(space, root);
            let token = next.map(|key| messages::token_out(&PageToken { root, key }));
            return Ok(v1::FindResponse {
                root: messages::bytes(&root),
                pages,
                marked: marked.iter().map(|(e, path)| messages::marked_out(e, path)).collect(),
                next_page_token: token.unwrap_or_default(),
                values,
                snapshot,
                vouched_by,
            });
        }
        if single {
            return Err(too_large());
        }
        query = query.with(|range| RangeQuery { limit: range.limit / 2, ..range });
    }
}

fn covered(range: &RangeQuery, next: Option<Key>) -> Result<Range<Key>, Status> {
    range.covered(next).ok_or_else(|| refuse(Reason::InvalidRequest, "an empty range"))
}

type Marked = Vec<(Entry, Inclusion)>;

/// The path of each entry, and an upper bound of their bytes in a message.
fn with_paths(space: &Space, root: F, marked: &[(Entry, bool)]) -> Result<(Marked, usize), Status> {
    let mut size = 0;
    let mut with_paths = Vec::with_capacity(marked.len());
    for (entry, _) in marked {
        let path = Inclusion::of(space.pages(), root, &entry.key).map_err(tree_failed)?;
        // The entry was read from this tree.
        let Some((entry, path)) = path else { continue };
        let digests = path.levels().iter().map(|siblings| 2 + siblings.after.len());
        size += ENTRY_COST + DIGEST_COST * digests.sum::<usize>();
        with_paths.push((entry, path));
    }
    Ok((with_paths, size))
}
