//! Keys that change.

use rootfold_core::key::Key;
use rootfold_light::{
    messages,
    query::{At, KeyPrefix},
};
use rootfold_proto::{limits::MAX_CHANGED, v1};
use tokio::sync::watch;
use tonic::Status;

use super::super::work::{ResponseStream, Work};
use crate::space::{Space, View};

/// The path of the call. Its messages are small, so that many callers can watch.
pub(crate) const PATH: &str = "/rootfold.v1.QueryService/Watch";

/// A caller that watches.
pub(super) struct Watched {
    space: Space,
    prefix: KeyPrefix,
    changed: watch::Receiver<()>,
    /// What the caller knows.
    before: View,
    /// A state of which the caller has been told the changes up to this key.
    telling: Option<(View, Key)>,
    begun: bool,
}

impl Watched {
    pub(super) fn new(space: Space, prefix: KeyPrefix) -> Result<Watched, Status> {
        let changed = space.subscribe();
        let before = space.view(At::Latest)?;
        Ok(Watched { space, prefix, changed, before, telling: None, begun: false })
    }

    /// The messages. Each is made when the caller has room for it, so a caller that is slow misses states
    /// in between, and no key.
    pub(super) fn into_messages(self, work: Work) -> ResponseStream<v1::WatchResponse> {
        Box::pin(futures_util::stream::try_unfold(self, move |watched| {
            let work = work.clone();
            async move {
                let mut watched = watched;
                if !watched.begun {
                    watched.begun = true;
                    let root = messages::bytes(&watched.before.root);
                    return Ok(Some((v1::WatchResponse { root, entries: Vec::new() }, watched)));
                }
                loop {
                    if watched.telling.is_none() && watched.changed.changed().await.is_err() {
                        return Ok(None);
                    }
                    let made = work.run(move || {
                        let message = watched.next_message()?;
                        Ok((message, watched))
                    });
                    let (message, back) = made.await?;
                    watched = back;
                    if let Some(message) = message {
                        return Ok(Some((message, watched)));
                    }
                }
            }
        }))
    }

    /// The next changes; `None` if nothing with the prefix has changed.
    fn next_message(&mut self) -> Result<Option<v1::WatchResponse>, Status> {
        let (after, told) = match self.telling.take() {
            Some((after, told)) => (after, Some(told)),
            None => (self.space.view(At::Latest)?, None),
        };
        if after.root == self.before.root {
            return Ok(None);
        }
        let changes = self.space.changed_entries(&self.before, &after, self.prefix.get());
        let new = changes.filter(|entry| match (entry, &told) {
            (Ok(entry), Some(told)) => entry.key > *told,
            _ => true,
        });
        let entries: Result<Vec<_>, _> = new.take(MAX_CHANGED).collect();
        let entries = entries?;
        let root = messages::bytes(&after.root);
        match entries.last() {
            // There may be more.
            Some(last) if entries.len() == MAX_CHANGED => self.telling = Some((after, last.key)),
            _ => self.before = after,
        }
        let entries: Vec<_> = entries.iter().map(messages::entry_out).collect();
        Ok((!entries.is_empty()).then_some(v1::WatchResponse { root, entries }))
    }
}
