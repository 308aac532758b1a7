//! Stamps: the clock and the writer of an op.

use crate::F;

/// Bits of the counter in a clock; the other bits are milliseconds since 1970.
pub const COUNTER_BITS: u32 = 16;

/// The number `ts * 2^32 + writer`, and its order. No two ops of honest writers have the same stamp.
/// See [`COUNTER_BITS`] for the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// Hybrid logical clock: `milliseconds << COUNTER_BITS | counter`.
    pub ts: u64,
    /// The writer's id.
    pub writer: u32,
}

impl Stamp {
    /// The stamp of both sentinels.
    pub const ZERO: Stamp = Stamp { ts: 0, writer: 0 };

    /// `ts * 2^32 + writer`, below 2^96.
    pub fn to_u128(self) -> u128 {
        (u128::from(self.ts) << 32) | u128::from(self.writer)
    }

    /// The stamp as a field element.
    pub fn to_field(self) -> F {
        F::from(self.to_u128())
    }
}
