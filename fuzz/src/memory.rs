//! Measures how much memory a decoder takes for its input.

use std::sync::{Mutex, PoisonError};

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// A bound of the memory that a decoder allocates, in bytes. For an input of n bytes it is
/// `fixed + min(per_byte * n, growth + COPIES * n)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// The part that does not depend on the length of the input.
    pub fixed: usize,
    /// The part per byte of the input: decoded values can be larger than their encoding.
    pub per_byte: usize,
    /// The limit of the part per byte, in addition to [`COPIES`] times the length of the input.
    pub growth: usize,
}

/// The number of copies of the input that a target may hold.
pub const COPIES: usize = 4;

impl Memory {
    /// The bound for an input of `length` bytes.
    pub fn bound(&self, length: usize) -> usize {
        let grown = self.growth.saturating_add(COPIES * length);
        self.fixed + grown.min(self.per_byte * length)
    }
}

/// Runs `work`, and returns its result and its peak memory in bytes. Memory that was allocated
/// before does not count. Calls are serialised.
///
/// The measurement includes the allocations of all other threads of this process.
pub fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    let done = work();
    (done, ALLOCATOR.peak_usage().saturating_sub(before))
}
