//! The query service. Each answer comes with the pages that prove it.

use rootfold_core::{
    item::Entry,
    key::Key,
    tree::{self, TreeError},
    F,
};
use rootfold_light::{messages, values::ValueName};
use rootfold_proto::{
    limits::{MAX_RANGE, TARGET_MESSAGE_BYTES, USUAL_MESSAGE_BYTES},
    v1::{self, query_service_server::QueryService as Query},
};
use tonic::{Request, Response, Status};

use super::{
    refusal::{check_space, internal, invalid},
    work::Work,
};
use crate::space::Space;

/// Answers queries of clients that check the answers.
pub struct QueryService {
    space: Space,
    work: Work,
}

impl QueryService {
    /// A query service of `space`.
    pub fn new(space: Space) -> QueryService {
        QueryService { space, work: Work::reads() }
    }
}

#[tonic::async_trait]
impl Query for QueryService {
    async fn get(
        &self,
        request: Request<v1::GetRequest>,
    ) -> Result<Response<v1::GetResponse>, Status> {
        let request = request.into_inner();
        check_space(&self.space, &request.space)?;
        let at = messages::at_in(request.at).map_err(invalid)?;
        let key = messages::key("key", &request.key).map_err(invalid)?;
        let space = self.space.clone();
        let response = self.work.run(move || {
            let view = space.view(at)?;
            let root = view.root;
            let entry = tree::lookup(space.pages(), root, &key).map_err(tree_failed)?;
            let value = match entry.as_ref().and_then(ValueName::of_entry) {
                Some(name) => space.value(&name)?.ok_or_else(|| {
                    Status::not_found("no peer has sent the value of this key to this node yet")
                })?,
                None => Vec::new(),
            };
            let names = tree::range_pages(space.pages(), root, key..=key).map_err(tree_failed)?;
            let pages =
                pages(&space, &names, value.len(), TARGET_MESSAGE_BYTES)?.ok_or_else(|| {
                    Status::resource_exhausted(
                        "the pages around this key exceed the limit of a message",
                    )
                })?;
            let entry = entry.as_ref().map(messages::entry_out);
            Ok(v1::GetResponse { root: messages::bytes(&root), entry, value, pages })
        });
        response.await.map(Response::new)
    }

    async fn range(
        &self,
        request: Request<v1::RangeRequest>,
    ) -> Result<Response<v1::RangeResponse>, Status> {
        let request = request.into_inner();
        check_space(&self.space, &request.space)?;
        let at = messages::at_in(request.at).map_err(invalid)?;
        let from = messages::key("first key", &request.from).map_err(invalid)?;
        let to = messages::key("end key", &request.to).map_err(invalid)?;
        if from >= to {
            return Err(Status::invalid_argument(
                "the range is empty: its end must be greater than its start",
            ));
        }
        if request.limit == 0 {
            return Err(Status::invalid_argument("limit: expected at least 1"));
        }
        let limit = usize::try_from(request.limit).unwrap_or(MAX_RANGE).min(MAX_RANGE);
        let space = self.space.clone();
        let response = self.work.run(move || {
            let view = space.view(at)?;
            range(&space, view.root, from, to, limit)
        });
        response.await.map(Response::new)
    }
}

/// The longest prefix of a range, of at most `limit` entries, whose pages fit into a message.
fn range(
    space: &Space,
    root: F,
    from: Key,
    to: Key,
    mut limit: usize,
) -> Result<v1::RangeResponse, Status> {
    loop {
        let scan = tree::scan(space.pages(), root, from..to).map_err(tree_failed)?;
        let entries: Result<Vec<Entry>, _> = scan.take(limit + 1).collect();
        let mut entries = entries.map_err(tree_failed)?;
        let next = entries.get(limit).map(|entry| entry.key);
        entries.truncate(limit);
        let end = next.unwrap_or(to);
        let names = tree::range_pages(space.pages(), root, from..end).map_err(tree_failed)?;
        let used = entries.len() * std::mem::size_of::<Entry>();
        let most = if limit == 1 { TARGET_MESSAGE_BYTES } else { USUAL_MESSAGE_BYTES };
        if let Some(pages) = pages(space, &names, used, most)? {
            return Ok(v1::RangeResponse {
                root: messages::bytes(&root),
                entries: entries.iter().map(messages::entry_out).collect(),
                pages,
                next: next.map(|key| key.as_bytes().to_vec()).unwrap_or_default(),
            });
        }
        if limit == 1 {
            return Err(Status::resource_exhausted(
                "the pages around this key exceed the limit of a message",
            ));
        }
        limit /= 2;
    }
}

/// Messages of pages; `None` if they do not fit into a message of `most` bytes that has `used` other
/// ones.
fn pages(
    space: &Space,
    names: &[F],
    used: usize,
    most: usize,
) -> Result<Option<Vec<v1::Page>>, Status> {
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
    Ok(Some(pages))
}

fn tree_failed(e: TreeError) -> Status {
    internal(&e)
}
