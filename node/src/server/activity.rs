//! Whether a connection has calls, and since when it has none.

use std::sync::{
    atomic::{AtomicUsize, Ordering},
    Arc, Mutex, PoisonError,
};

use tokio::time::Instant;

/// The calls of a connection.
#[derive(Debug, Clone)]
pub(super) struct Activity {
    running: Arc<AtomicUsize>,
    last: Arc<Mutex<Instant>>,
}

/// A running call.
pub(super) struct Busy(Activity);

impl Activity {
    pub(super) fn new() -> Activity {
        Activity { running: Arc::default(), last: Arc::new(Mutex::new(Instant::now())) }
    }

    pub(super) fn begin(&self) -> Busy {
        self.running.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }

    /// Since when the connection has no calls; `None` while it has some.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        (self.running.load(Ordering::Relaxed) == 0).then_some(last)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}
