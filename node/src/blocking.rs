//! Blocking work in async code.

use std::panic::{catch_unwind, AssertUnwindSafe};

use thiserror::Error;
use tokio::runtime::{Handle, RuntimeFlavor};

/// Work has panicked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a task panicked: {what}")]
pub struct Panicked {
    /// The message of the panic.
    pub what: String,
}

/// Runs blocking work on a thread for it. On a runtime of one thread it runs in place: that is the
/// runtime of simulations, which must not depend on how the system schedules threads.
///
/// # Errors
/// [`Panicked`].
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Panicked> {
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Panicked { what: text.unwrap_or_else(|| "no message".to_owned()) }
        });
    }
    tokio::task::spawn_blocking(work).await.map_err(|e| Panicked { what: e.to_string() })
}
