//! Signals that end the node, or make it read its config again.

use std::io;

/// Ctrl-C and SIGTERM. From its making on they do not kill the process.
#[cfg(unix)]
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn new() -> io::Result<Signals> {
        use tokio::signal::unix::{signal, SignalKind};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn new() -> io::Result<Signals> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        // Without a handler the signal kills the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// SIGHUP. From its making on it does not kill the process.
#[cfg(unix)]
pub(super) struct Hangups(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Hangups {
    pub(super) fn new() -> io::Result<Hangups> {
        use tokio::signal::unix::{signal, SignalKind};
        Ok(Hangups(signal(SignalKind::hangup())?))
    }

    pub(super) async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
pub(super) struct Hangups;

#[cfg(not(unix))]
impl Hangups {
    pub(super) fn new() -> io::Result<Hangups> {
        Ok(Hangups)
    }

    pub(super) async fn next(&mut self) {
        std::future::pending().await
    }
}

/// Waits for a signal. A second one ends the process at once: every ingest is one atomic batch, so the
/// store is safe.
pub(super) async fn interrupted(mut signals: Signals) {
    signals.next().await;
    tokio::spawn(async move {
        signals.next().await;
        std::process::exit(0);
    });
}
