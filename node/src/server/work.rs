//! Blocking work on a bounded number of threads.

use std::{pin::Pin, sync::Arc};

use tokio::sync::Semaphore;
use tokio_stream::Stream;
use tonic::Status;

use super::refusal::internal;
use crate::blocking::blocking;

/// The messages of a streaming call.
pub type ResponseStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send + 'static>>;

/// A pool of threads for blocking work. Reads, writes and checks have pools of their own, so that none
/// keeps the others waiting.
#[derive(Clone)]
pub(super) struct Work {
    workers: Arc<Semaphore>,
}

impl Work {
    /// A pool for reads.
    pub(super) fn reads() -> Work {
        Work { workers: Arc::new(Semaphore::new(16)) }
    }

    /// A pool for writes, which take turns in any case: a few check signatures beside each other.
    pub(super) fn writes() -> Work {
        Work { workers: Arc::new(Semaphore::new(4)) }
    }

    /// A pool for checks of proofs, each of which takes a core for some milliseconds.
    pub(super) fn checks() -> Work {
        Work { workers: Arc::new(Semaphore::new(2)) }
    }

    /// Runs `work` on a blocking thread; waits while all are busy.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        let permit = self.workers.clone().acquire_owned().await.map_err(|e| internal(&e))?;
        let done = blocking(move || {
            let _permit = permit;
            work()
        });
        done.await.map_err(|e| internal(&e))?
    }

    /// Streams the messages of `source`. A message is made when the reader has room for it, so a stream
    /// whose reader does not read holds none.
    pub(super) fn stream<T, S>(&self, source: S) -> ResponseStream<T>
    where
        T: Send + 'static,
        S: Source<T> + Send + 'static,
    {
        let work = self.clone();
        Box::pin(futures_util::stream::try_unfold(source, move |mut source| {
            let work = work.clone();
            async move {
                let made = work.run(move || Ok((source.next_message()?, source)));
                let (message, source) = made.await?;
                Ok(message.map(|message| (message, source)))
            }
        }))
    }
}

/// A source of the messages of a stream. It may block.
pub(super) trait Source<T> {
    /// The next message; `None` at the end.
    fn next_message(&mut self) -> Result<Option<T>, Status>;
}

impl<T, S: FnMut() -> Result<Option<T>, Status>> Source<T> for S {
    fn next_message(&mut self) -> Result<Option<T>, Status> {
        self()
    }
}
