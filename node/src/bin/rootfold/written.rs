//! What a command writes for another process, part by part.

use tokio::sync::mpsc;

/// A part of what a command has written for another process.
pub enum Part {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
}

/// Takes what a command writes for another process.
#[derive(Debug, Clone)]
pub struct Written(mpsc::Sender<Part>);

impl Written {
    /// The number of parts that wait for the other process before the command does.
    const WAITING: usize = 16;

    /// A writer, and what receives the parts.
    pub fn new() -> (Written, mpsc::Receiver<Part>) {
        let (sender, receiver) = mpsc::channel(Written::WAITING);
        (Written(sender), receiver)
    }

    /// Sends a part; waits while the other process is slow, so not for use in a future. Without that
    /// process the part is dropped.
    pub fn send(&self, part: Part) {
        let _ = self.0.blocking_send(part);
    }

    /// Whether the other process has gone.
    pub fn is_abandoned(&self) -> bool {
        self.0.is_closed()
    }
}
