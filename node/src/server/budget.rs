//! The budget of bytes in flight: requests that arrive, and responses that their readers have not taken.
//!
//! A call reserves room for one message before it begins. A larger message takes more. The response goes
//! out in small parts, and the transport asks for the next part only when the reader has made room for
//! it, so the reservation covers what the process holds. It is given back when the last part is taken,
//! or the call is reset.

use std::{
    any::Any,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{ready, Context, Poll},
    time::Duration,
};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use rootfold_proto::reason::Reason;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout, Sleep},
};
use tonic::Status;

use super::refusal::refuse;

use super::stall::Progress;

/// The unit of the budget in bytes.
const UNIT: usize = 1024;
/// The room that a call reserves for a message, in bytes.
pub(super) const MESSAGE_ROOM: usize = 512 * 1024;
/// The room that a call of the health or reflection service reserves.
pub(super) const SMALL_ROOM: usize = 4 * 1024;
/// The largest part of a response that the transport holds, in bytes.
const PART: usize = 16 * 1024;

/// The bytes that all calls together may hold.
#[derive(Clone)]
pub(super) struct Budget {
    units: Arc<Semaphore>,
    all: usize,
}

/// A part of the budget, given back on drop.
pub(super) struct Room {
    budget: Budget,
    held: OwnedSemaphorePermit,
    /// What else the call holds until its response is taken.
    kept: Vec<Box<dyn Any + Send>>,
}

/// The room of a call, shared by its request and its response.
pub(super) type SharedRoom = Arc<Mutex<Room>>;

impl Budget {
    pub(super) fn new(bytes: usize) -> Budget {
        let all = bytes.div_ceil(UNIT).clamp(MESSAGE_ROOM / UNIT, Semaphore::MAX_PERMITS);
        Budget { units: Arc::new(Semaphore::new(all)), all }
    }

    /// Waits for room for `bytes`.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` if there is none within `limit`.
    pub(super) async fn reserve(&self, bytes: usize, limit: Duration) -> Result<Room, Status> {
        let units = self.units_of(bytes);
        match timeout(limit, self.units.clone().acquire_many_owned(units)).await {
            Ok(Ok(held)) => Ok(Room { budget: self.clone(), held, kept: Vec::new() }),
            _ => Err(exhausted()),
        }
    }

    fn units_of(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT).min(self.all)).unwrap_or(u32::MAX)
    }
}

impl Room {
    /// Drops `guard` with the room.
    pub(super) fn keep(&mut self, guard: impl Any + Send) {
        self.kept.push(Box::new(guard));
    }

    /// Whether the room covers `bytes`, after taking more if there is more at once.
    fn covers(&mut self, bytes: usize) -> bool {
        let wanted = self.budget.units_of(bytes) as usize;
        let missing = wanted.saturating_sub(self.held.num_permits());
        if missing == 0 {
            return true;
        }
        let missing = u32::try_from(missing).unwrap_or(u32::MAX);
        match self.budget.units.clone().try_acquire_many_owned(missing) {
            Ok(more) => {
                self.held.merge(more);
                true
            }
            Err(_) => false,
        }
    }
}

fn exhausted() -> Status {
    refuse(Reason::Busy, "this node has too many bytes in flight; try again later")
}

/// The body of a request: it must arrive in time, and its bytes count.
pub(super) struct Upload<B> {
    inner: B,
    room: Option<SharedRoom>,
    received: usize,
    deadline: Pin<Box<Sleep>>,
    ended: bool,
}

impl<B> Upload<B> {
    pub(super) fn new(inner: B, room: SharedRoom, limit: Duration) -> Upload<B> {
        let deadline = Box::pin(sleep(limit));
        Upload { inner, room: Some(room), received: 0, deadline, ended: false }
    }
}

impl<B> Body for Upload<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        let frame = match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                ready!(this.deadline.as_mut().poll(cx));
                this.ended = true;
                let late = refuse(Reason::TooLate, "the request did not arrive in time");
                return Poll::Ready(Some(Err(late)));
            }
        };
        let Some(frame) = frame else {
            this.ended = true;
            this.room = None;
            return Poll::Ready(None);
        };
        let frame = frame.map_err(|e| Status::from_error(e.into()))?;
        this.received += frame.data_ref().map_or(0, Bytes::len);
        if let Some(room) = &this.room {
            let mut room = room.lock().unwrap_or_else(PoisonError::into_inner);
            if !room.covers(this.received) {
                drop(room);
                this.ended = true;
                return Poll::Ready(Some(Err(exhausted())));
            }
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }
}

/// The body of a response, in parts that the transport takes one at a time.
pub(super) struct Metered<B> {
    inner: B,
    /// What is left of the last frame.
    rest: Bytes,
    room: Option<SharedRoom>,
    progress: Progress,
}

impl<B> Metered<B> {
    pub(super) fn new(inner: B, room: Option<SharedRoom>, progress: Progress) -> Self {
        progress.wait_for_reader();
        Metered { inner, rest: Bytes::new(), room, progress }
    }
}

impl<B> Drop for Metered<B> {
    fn drop(&mut self) {
        // A connection of HTTP/1.1 goes on after its response.
        self.progress.go_on();
    }
}

impl<B> Body for Metered<B>
where
    B: Body<Data = Bytes, Error = Status> + Unpin,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        // The transport asks only when the reader has room.
        this.progress.go_on();
        if this.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
                None => {
                    this.room = None;
                    return Poll::Ready(None);
                }
                Some(Err(e)) => return Poll::Ready(Some(Err(e))),
                Some(Ok(frame)) => frame,
            };
            match frame.into_data() {
                Ok(data) => this.rest = data,
                Err(trailers) => {
                    this.progress.wait_for_reader();
                    return Poll::Ready(Some(Ok(trailers)));
                }
            }
            let covered = this.room.as_ref().is_none_or(|room| {
                room.lock().unwrap_or_else(PoisonError::into_inner).covers(this.rest.len())
            });
            if !covered {
                // A message larger than the reservation, while all others have theirs.
                this.rest = Bytes::new();
                return Poll::Ready(Some(Err(exhausted())));
            }
        }
        let part = {
            let length = this.rest.remaining().min(PART);
            this.rest.split_to(length)
        };
        this.progress.wait_for_reader();
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
