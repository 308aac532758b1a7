//! Checks of the pages of a stream, on all cores, while the stream goes on.

use std::{collections::VecDeque, num::NonZero, thread::available_parallelism};

use rootfold_core::F;
use rootfold_light::{
    response::{self, ReceivedPage},
    ResponseError,
};
use tokio::{spawn, task::JoinHandle};

use super::{Peer, PeerError};
use crate::blocking::{blocking, Panicked};

/// Checks of pages in the order of their arrival. At most one per core runs at a time, so at most that
/// many unchecked pages are in memory.
pub(super) struct PageChecks<'a> {
    peer: &'a Peer,
    running: VecDeque<JoinHandle<Result<Result<ReceivedPage, ResponseError>, Panicked>>>,
    good: Vec<ReceivedPage>,
}

impl<'a> PageChecks<'a> {
    pub(super) fn new(peer: &'a Peer) -> Self {
        Self { peer, running: VecDeque::new(), good: Vec::new() }
    }

    /// Begins to check a page. Waits for the oldest check if one per core is running.
    ///
    /// # Errors
    /// [`PeerError`] if the page of the oldest check is bad; pages after it are dropped.
    pub(super) async fn add(&mut self, name: F, content: Vec<u8>) -> Result<(), PeerError> {
        if self.running.len() >= available_parallelism().map_or(1, NonZero::get) {
            self.settle_oldest().await?;
        }
        // Takes milliseconds for an average leaf.
        self.running.push_back(spawn(blocking(move || response::page(name, &content))));
        Ok(())
    }

    /// The good pages before the first error, and that error: of a page, or `received`.
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
        match self
            .peer
            .settled(oldest.await.unwrap_or_else(|e| Err(Panicked { what: e.to_string() })))
        {
            Ok(page) => self.good.push(page),
            Err(e) => {
                self.running.clear();
                return Err(e);
            }
        }
        Ok(())
    }
}
