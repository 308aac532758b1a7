//! Answers to requests for one key and for several.

use std::collections::BTreeSet;

use rootfold_core::{item::Entry, key::Key, tree};
use rootfold_light::{
    messages,
    query::At,
    values::{Value, ValueName},
};
use rootfold_proto::{
    limits::{TARGET_MESSAGE_BYTES, USUAL_MESSAGE_BYTES},
    reason::Reason,
    v1,
};
use tonic::Status;

use super::super::refusal::refuse;

use super::{
    account,
    pages::{pages, too_large, tree_failed},
};
use crate::space::Space;

/// An upper bound of the framing of a value in a message, in bytes.
const VALUE_COST: usize = 64;

pub(super) fn get(space: &Space, at: At, key: &Key) -> Result<v1::GetResponse, Status> {
    let view = space.view(at)?;
    let root = view.root;
    let entry = tree::lookup(space.pages(), root, key).map_err(tree_failed)?;
    let value = match entry.as_ref().and_then(ValueName::of_entry) {
        Some(name) => space.value(&name)?.ok_or_else(|| {
            refuse(Reason::NotHeld, "no peer has sent the value of this key to this node yet")
        })?,
        None => Vec::new(),
    };
    let names = tree::range_pages(space.pages(), root, *key..=*key).map_err(tree_failed)?;
    let pages = pages(space, &names, value.len(), TARGET_MESSAGE_BYTES)?;
    let (pages, _) = pages.ok_or_else(too_large)?;
    let entry = entry.as_ref().map(messages::entry_out);
    let (snapshot, vouched_by) = account(space, root);
    Ok(v1::GetResponse { root: messages::bytes(&root), entry, value, pages, snapshot, vouched_by })
}

pub(super) fn get_many(space: &Space, at: At, keys: &[Key]) -> Result<v1::GetManyResponse, Status> {
    let view = space.view(at)?;
    let root = view.root;
    let (mut entries, mut names) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for key in keys {
        entries.extend(tree::lookup(space.pages(), root, key).map_err(tree_failed)?);
        let around = tree::range_pages(space.pages(), root, *key..=*key).map_err(tree_failed)?;
        names.extend(around.into_iter().filter(|name| seen.insert(*name)));
    }
    let used = entries.len() * size_of::<Entry>();
    let (pages, used) = pages(space, &names, used, TARGET_MESSAGE_BYTES)?.ok_or_else(too_large)?;
    let values =
        values(space, &entries, used, TARGET_MESSAGE_BYTES.min(used + USUAL_MESSAGE_BYTES))?;
    let (snapshot, vouched_by) = account(space, root);
    Ok(v1::GetManyResponse {
        root: messages::bytes(&root),
        entries: entries.iter().map(messages::entry_out).collect(),
        values,
        pages,
        snapshot,
        vouched_by,
    })
}

/// The values of entries that are too long to be inline in pages, as far as they fit into a message of
/// `most` bytes that has `used` other ones, and are here.
pub(super) fn values(
    space: &Space,
    entries: &[Entry],
    mut used: usize,
    most: usize,
) -> Result<Vec<v1::Value>, Status> {
    let (mut values, mut seen) = (Vec::new(), BTreeSet::new());
    for name in entries.iter().filter_map(ValueName::of_entry) {
        if !seen.insert(name) {
            continue;
        }
        let Some(content) = space.long_value(&name)? else { continue };
        used += content.len() + VALUE_COST;
        if used > most {
            break;
        }
        values.push(messages::value_out(Value { name, content }));
    }
    Ok(values)
}
