//! Publishing a space as files.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use futures_util::{stream, StreamExt, TryStreamExt};
use prost::Message;
use rootfold_core::F;
use rootfold_light::{
    invite::Invite,
    messages,
    published::{
        message, ObjectName, Published, TreeFile, MAX_OBJECT_BYTES, MAX_POINTER_BYTES,
        MAX_TAIL_OBJECTS, POINTER,
    },
    response,
    snapshot::{Snapshot, SnapshotHeader},
};
use rootfold_proto::v1;

use super::{
    error::{FilesError, PublishError},
    garbage,
    place::{FilesUrl, Place},
    walk::{content, Wanted},
};
use crate::{
    blocking::blocking,
    server::{frontier, LogMessages},
    space::{seq_of, Space},
};

/// The number of files that are written at once.
const AT_ONCE: usize = 8;
/// How long files stay that no published state needs any more, unless the publisher says otherwise.
const GRACE: Duration = Duration::from_secs(3600);
/// The shortest time between two rounds of [`publish_beside`], and the time after a failure.
const EVERY: Duration = Duration::from_secs(5);
const TRY_AGAIN: Duration = Duration::from_secs(60);

/// Publishes a space as files at one place. Several publishers of one space may write to the same place.
#[derive(Clone)]
pub struct Publisher {
    space: Space,
    place: Place,
    grace: Duration,
}

/// What was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishReport {
    /// The claim of the published snapshot.
    pub header: SnapshotHeader,
    /// The number of objects with ops after the snapshot.
    pub tail: usize,
    /// The number of files that were written, with the pointer.
    pub written: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The number of files that were there already.
    pub unchanged: u64,
    /// The number of files that were removed.
    pub removed: u64,
}

/// What is read from the space at one time.
struct State {
    invite: Invite,
    published: Published,
    header: SnapshotHeader,
    objects: Vec<(ObjectName, Vec<u8>)>,
    wanted: Wanted,
}

impl Publisher {
    /// A publisher of `space` to a place.
    ///
    /// # Errors
    /// [`FilesError`] if the place cannot be used.
    pub fn new(space: Space, url: &FilesUrl) -> Result<Publisher, FilesError> {
        Ok(Publisher { space, place: Place::new(url)?, grace: GRACE })
    }

    /// The same publisher, which removes files when no published state has needed them for `grace`. A reader that
    /// takes longer with an older state has to begin again.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Publisher {
        Publisher { grace, ..self }
    }

    /// Writes the files of the newest snapshot and of the ops after it that are not there yet, and last the pointer.
    /// If it is interrupted, readers have the state before, and the next call goes on.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn publish(&self) -> Result<PublishReport, PublishError> {
        let held: HashSet<String> = self.place.list().await?.into_iter().collect();
        let space = self.space.clone();
        let names = held.clone();
        let state = blocking(move || State::read(&space, &names)).await??;
        self.check_older(&state, &held).await?;
        let written = Written::default();
        self.write_all(&state, &held, &written).await?;
        let pointer = state.published.to_message(&state.invite).encode_to_vec();
        written.note(pointer.len());
        self.place.put(POINTER, pointer, false).await?;
        let mut live = state.wanted.live;
        live.extend(state.published.objects().map(|name| name.file()));
        let now = state.published.published_at;
        let removed = garbage::collect(&self.place, &held, &live, now, self.grace).await?;
        Ok(PublishReport {
            header: state.header,
            tail: state.published.tail.len(),
            written: written.files.into_inner(),
            bytes: written.bytes.into_inner(),
            unchanged: live.iter().filter(|name| held.contains(*name)).count() as u64,
            removed,
        })
    }

    /// Refuses to replace the files of another space, or those of a longer snapshot.
    async fn check_older(&self, state: &State, held: &HashSet<String>) -> Result<(), PublishError> {
        if !held.contains(POINTER) {
            return Ok(());
        }
        let Some(pointer) = self.place.get(POINTER, MAX_POINTER_BYTES).await? else {
            return Ok(());
        };
        let before = Published::read(&pointer, &state.invite)?;
        let name = before.snapshot.file();
        let Some(bytes) = self.place.get(&name, MAX_OBJECT_BYTES).await? else { return Ok(()) };
        // One that was altered is replaced.
        let Ok(response) = message::<v1::LatestSnapshotResponse>(&name, &bytes) else {
            return Ok(());
        };
        let Ok(Snapshot { header, .. }) = response::latest_snapshot(response) else {
            return Ok(());
        };
        let (published, held) = (header.ops, state.header.ops);
        if before.snapshot.check(&bytes).is_ok() && published > held {
            return Err(PublishError::Behind { published, held });
        }
        Ok(())
    }

    async fn write_all(
        &self,
        state: &State,
        held: &HashSet<String>,
        written: &Written,
    ) -> Result<(), PublishError> {
        let new = stream::iter(state.wanted.new.clone());
        let written_now = new.map(|file| self.write(file, written)).buffer_unordered(AT_ONCE);
        written_now.try_collect::<()>().await?;
        for (name, content) in &state.objects {
            if !held.contains(&name.file()) {
                written.note(content.len());
                self.place.put(&name.file(), content.clone(), true).await?;
            }
        }
        Ok(())
    }

    async fn write(&self, file: TreeFile, written: &Written) -> Result<(), PublishError> {
        let space = self.space.clone();
        // A value that nobody has sent yet is left out.
        let Some(content) = blocking(move || content(&space, &file)).await?? else { return Ok(()) };
        written.note(content.len());
        Ok(self.place.put(&file.file(), content, true).await?)
    }
}

#[derive(Default)]
struct Written {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Written {
    fn note(&self, bytes: usize) {
        self.files.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// An object with this message.
fn object<M: Message>(objects: &mut Vec<(ObjectName, Vec<u8>)>, message: &M) -> ObjectName {
    let content = message.encode_to_vec();
    let name = ObjectName::of(&content);
    objects.push((name, content));
    name
}

impl State {
    fn read(space: &Space, held: &HashSet<String>) -> Result<State, PublishError> {
        let snapshot = space.latest_snapshot()?.ok_or(PublishError::NoSnapshot)?;
        let header = snapshot.header;
        let key = space.verifying_key()?.ok_or(PublishError::NoKey)?;
        let kept: Vec<F> = space.state().kept.iter().map(|header| header.root).collect();
        let roots: Vec<F> = std::iter::once(header.root).chain(kept).collect();
        let _pinned: Vec<_> = roots.iter().map(|root| space.keep_readable(*root)).collect();
        let mut objects = Vec::new();
        let genesis = space.genesis()?.map(|genesis| {
            object(&mut objects, &v1::GenesisResponse { genesis: genesis.to_bytes() })
        });
        let verifying_key = v1::VerifyingKeyResponse { verifying_key: key.encode() };
        let verifying_key = object(&mut objects, &verifying_key);
        let response =
            v1::LatestSnapshotResponse { snapshot: Some(messages::snapshot_out(&snapshot)) };
        let snapshot = object(&mut objects, &response);
        // The ops are read after the frontier, which must not name ops that are not there.
        let frontier = frontier_pages(space, &header, &mut objects)?;
        let tail = tail(space, header.root, &mut objects)?;
        let published_at = space.policy().clock.now_ms();
        let published =
            Published { published_at, genesis, verifying_key, snapshot, frontier, tail };
        let invite = Invite { space: header.space, parameters: header.parameters };
        Ok(State { invite, published, header, objects, wanted: Wanted::of(space, &roots, held)? })
    }
}

/// The pages of the frontier, as if the space had no ops before the snapshot.
fn frontier_pages(
    space: &Space,
    header: &SnapshotHeader,
    objects: &mut Vec<(ObjectName, Vec<u8>)>,
) -> Result<Vec<ObjectName>, PublishError> {
    let (mut names, mut first) = (Vec::new(), 0);
    loop {
        let page = frontier(space, None, first)?;
        first = page.next;
        let page = v1::FrontierResponse {
            snapshot_ops: header.ops,
            full_history: false,
            forked: Vec::new(),
            ..page
        };
        names.push(object(objects, &page));
        if first == 0 {
            return Ok(names);
        }
    }
}

/// The ops after the snapshot with this root.
fn tail(
    space: &Space,
    root: F,
    objects: &mut Vec<(ObjectName, Vec<u8>)>,
) -> Result<Vec<ObjectName>, PublishError> {
    let below = space.tips_below(root)?;
    let writers = space.writers();
    let logs = writers.keys().map(|writer| (*writer, seq_of(below.get(writer)))).collect();
    let mut messages = LogMessages::new(space.clone(), logs)?;
    let mut names = Vec::new();
    while let Some(message) = messages.next_message()? {
        if names.len() == MAX_TAIL_OBJECTS {
            tracing::warn!(
                event = "tail-too-long",
                "too many ops after the snapshot: the newest are not published"
            );
            break;
        }
        names.push(object(objects, &message));
    }
    Ok(names)
}

/// Keeps the files of a space current until it is dropped. Errors are logged, and the work is tried again.
pub async fn publish_beside(publisher: Publisher) {
    let mut changed = publisher.space.subscribe();
    loop {
        changed.mark_unchanged();
        let wait = match publisher.publish().await {
            Ok(report) => {
                tracing::debug!(written = report.written, "published as files");
                EVERY
            }
            Err(PublishError::NoSnapshot) => EVERY,
            Err(e) => {
                tracing::warn!(event = "files-failed", error = %e, "publishing as files failed; trying again");
                TRY_AGAIN
            }
        };
        tokio::time::sleep(wait).await;
        if wait == EVERY && changed.changed().await.is_err() {
            return;
        }
    }
}
