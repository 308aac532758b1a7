//! How much memory a decoder takes for its input: measured, not read off the code.

use std::sync::{Mutex, PoisonError};

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The most memory that a decoder may take beyond what was taken before, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// For any input.
    pub fixed: usize,
    /// For each byte of the input, since what is small on the wire may be larger in memory.
    pub per_byte: usize,
    /// All that growth together, beyond [`COPIES`] of the input.
    pub growth: usize,
}

/// The input and the copies that a target makes of it.
pub const COPIES: usize = 4;

impl Memory {
    /// The bound for an input of this length.
    pub fn bound(&self, length: usize) -> usize {
        let grown = self.growth.saturating_add(COPIES * length);
        self.fixed + grown.min(self.per_byte * length)
    }
}

/// Runs `work` alone and says how much memory it had at its peak, in bytes, beyond what was taken
/// before it.
///
/// Whatever other threads of this process allocate meanwhile is counted too.
pub fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    let done = work();
    (done, ALLOCATOR.peak_usage().saturating_sub(before))
}
