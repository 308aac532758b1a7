//! The limits of a server. `docs/operating.md` says what a user sees when one is hit.

use std::time::Duration;

/// The limits of a server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The number of bytes of requests and responses in flight, of all connections together.
    pub memory: usize,
    /// The number of connections.
    pub connections: usize,
    /// The number of connections of one address.
    pub connections_per_address: usize,
    /// The number of calls of one connection that run at a time. More wait.
    pub calls_per_connection: usize,
    /// The time of a TLS handshake.
    pub handshake: Duration,
    /// The time after which a connection without calls is closed.
    pub idle: Duration,
    /// The time for a reader to take a part of a response, after which the call is reset.
    pub stall: Duration,
    /// The time to send a request.
    pub upload: Duration,
    /// The time that a call waits for its turn.
    pub queue: Duration,
    /// The time from the request to the first part of the response.
    pub call: Duration,
    /// The time for calls to end after the shutdown began.
    pub drain: Duration,
    /// The number of ops that one address may submit in a second; the burst is ten times that.
    pub ops_per_second: u32,
    /// Whether snapshots are verified for clients.
    pub check: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory: 64 << 20,
            connections: 256,
            connections_per_address: 64,
            calls_per_connection: 32,
            handshake: Duration::from_secs(5),
            idle: Duration::from_secs(300),
            stall: Duration::from_secs(30),
            upload: Duration::from_secs(25),
            queue: Duration::from_secs(3),
            call: Duration::from_secs(60),
            drain: Duration::from_secs(10),
            ops_per_second: 5_000,
            check: true,
        }
    }
}

/// The number of files that the process keeps open besides connections.
const OTHER_FILES: u64 = 48;

impl Limits {
    /// Raises the process's limit of open files as far as it may, and lowers the limit of connections
    /// to what is left.
    #[must_use]
    pub fn fitting_files(mut self) -> Limits {
        let wanted = self.connections as u64 + OTHER_FILES;
        let open = raise_open_files(wanted);
        let left = usize::try_from(open.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX).max(1);
        if left < self.connections {
            tracing::warn!(
                event = "files-limited",
                connections = left,
                "the limit of open files of this process (ulimit -n) is low: fewer connections"
            );
            self.connections = left;
        }
        self
    }
}

/// Raises the soft limit of open files to `wanted`, at most to the hard limit; returns the limit.
#[cfg(unix)]
fn raise_open_files(wanted: u64) -> u64 {
    use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
    let limit = getrlimit(Resource::Nofile);
    let (now, most) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    let raised = wanted.max(now).min(most);
    if raised > now {
        let new = Rlimit { current: Some(raised), maximum: limit.maximum };
        if setrlimit(Resource::Nofile, new).is_err() {
            return now;
        }
    }
    raised
}

#[cfg(not(unix))]
fn raise_open_files(wanted: u64) -> u64 {
    wanted
}
