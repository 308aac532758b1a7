//! The checks of pages that come in a stream: on every core, while more come in.

use std::{collections::VecDeque, num::NonZero, thread::available_parallelism};

use rootfold_core::F;
use rootfold_light::{
    reply::{self, ReceivedPage},
    ReplyError,
};
use tokio::task::{spawn_blocking, JoinHandle};

use super::{Peer, PeerError};

/// Checks of pages in the order in which they came, as many at a time as there are cores. So no more
/// pages than that wait in memory.
pub(super) struct PageChecks<'a> {
    peer: &'a Peer,
    running: VecDeque<JoinHandle<Result<ReceivedPage, ReplyError>>>,
    good: Vec<ReceivedPage>,
}

impl<'a> PageChecks<'a> {
    pub(super) fn new(peer: &'a Peer) -> Self {
        Self { peer, running: VecDeque::new(), good: Vec::new() }
    }

    /// Begins to check a page; waits for the oldest check if enough are running.
    ///
    /// # Errors
    /// [`PeerError`] if the page waited for is bad. What came after it does not count.
    pub(super) async fn add(&mut self, name: F, content: Vec<u8>) -> Result<(), PeerError> {
        if self.running.len() >= available_parallelism().map_or(1, NonZero::get) {
            self.settle_oldest().await?;
        }
        // Hashing an average leaf takes milliseconds.
        self.running.push_back(spawn_blocking(move || reply::page(name, &content)));
        Ok(())
    }

    /// The good pages before the first bad one, or before whatever ended the stream, and that.
    pub(super) async fn finish(
        mut self,
        received: Result<(), PeerError>,
    ) -> (Vec<ReceivedPage>, Result<(), PeerError>) {
        while !self.running.is_empty() {
            if let Err(earlier) = self.settle_oldest().await {
                return (self.good, Err(earlier));
            }
        }
        (self.good, received)
    }

    async fn settle_oldest(&mut self) -> Result<(), PeerError> {
        let Some(oldest) = self.running.pop_front() else { return Ok(()) };
        match self.peer.settled(oldest.await) {
            Ok(page) => self.good.push(page),
            Err(e) => {
                self.running.clear();
                return Err(e);
            }
        }
        Ok(())
    }
}
