//! Calls whose readers stall.
//!
//! The transport runs each call as a future of its own, which waits while the reader has no room for
//! the next part of the response. The executor here drops the future of a call that has waited too long;
//! that resets the stream of the call and frees what it holds, and the connection goes on.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{sleep_until, Instant};

/// How far the response of a call has come.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    waiting_since: Arc<Mutex<Option<Instant>>>,
}

tokio::task_local! {
    static CURRENT: Progress;
}

impl Progress {
    /// The progress of the call whose future runs now.
    pub(super) fn current() -> Progress {
        CURRENT.try_with(Progress::clone).unwrap_or_default()
    }

    /// Runs a future in which this is the current progress.
    pub(super) fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self.clone(), future)
    }

    fn set(&self, since: Option<Instant>) {
        *self.waiting_since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    /// A part of the response waits for the reader.
    pub(super) fn wait_for_reader(&self) {
        self.set(Some(Instant::now()));
    }

    /// The reader has made room.
    pub(super) fn go_on(&self) {
        self.set(None);
    }

    fn waiting_since(&self) -> Option<Instant> {
        *self.waiting_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Completes when the reader has stalled for `limit`.
    pub(super) async fn stalled(&self, limit: Duration) {
        loop {
            let since = self.waiting_since().unwrap_or_else(Instant::now);
            let until = since + limit;
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }
}

/// Runs the futures of calls, and drops those whose readers stall for `limit`.
#[derive(Debug, Clone)]
pub(super) struct StallExecutor {
    pub(super) limit: Duration,
}

impl<F> hyper::rt::Executor<F> for StallExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, call: F) {
        let (limit, progress) = (self.limit, Progress::default());
        tokio::spawn(CURRENT.scope(progress.clone(), async move {
            tokio::select! {
                biased;
                () = call => {}
                () = progress.stalled(limit) => {
                    tracing::debug!("reset a call whose reader has stalled");
                }
            }
        }));
    }
}
