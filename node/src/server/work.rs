//! Blocking work on a bounded number of threads.

use std::{pin::Pin, sync::Arc, time::Duration};

use tokio::sync::{mpsc, Semaphore};
use tokio_stream::{wrappers::ReceiverStream, Stream};
use tonic::Status;

use super::refusal::internal;

/// The number of concurrent pieces of blocking work.
const WORKERS: usize = 16;
/// The time within which a caller must read a message of a stream.
const READ_LIMIT: Duration = Duration::from_secs(30);

/// The messages of a streaming call.
pub type ReplyStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send + 'static>>;

/// A pool of threads for blocking work.
#[derive(Clone)]
pub(super) struct Work {
    workers: Arc<Semaphore>,
}

impl Default for Work {
    fn default() -> Work {
        Work { workers: Arc::new(Semaphore::new(WORKERS)) }
    }
}

impl Work {
    /// Runs `work` on a blocking thread; waits while all are busy.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        let permit = self.workers.clone().acquire_owned().await.map_err(|e| internal(&e))?;
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await.map_err(|e| internal(&e))?
    }

    /// Streams the messages of `source`. A stream occupies a thread only while it makes a message,
    /// and ends if its caller reads too slowly.
    pub(super) fn stream<T, S>(&self, source: S) -> ReplyStream<T>
    where
        T: Send + 'static,
        S: Source<T> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(2);
        let work = self.clone();
        tokio::spawn(async move {
            let mut source = source;
            loop {
                let next = work
                    .run(move || {
                        let next = source.next_message();
                        Ok((source, next))
                    })
                    .await;
                let (message, rest) = match next {
                    Ok((rest, Ok(Some(message)))) => (Ok(message), Some(rest)),
                    Ok((_, Ok(None))) => break,
                    Ok((_, Err(status))) | Err(status) => (Err(status), None),
                };
                if sender.send_timeout(message, READ_LIMIT).await.is_err() {
                    tracing::debug!("a caller has left or reads too slowly");
                    break;
                }
                match rest {
                    Some(rest) => source = rest,
                    None => break,
                }
            }
        });
        Box::pin(ReceiverStream::new(receiver))
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
