//! Stamps: who wrote an op, and when (design 2).

use crate::F;

/// `ts * 2^32 + writer`, in the order of that number. A stamp belongs to one op only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// 64-bit hybrid logical clock: milliseconds << 16 | counter.
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

    /// The stamp with this number; `None` from 2^96 on.
    pub fn from_u128(number: u128) -> Option<Stamp> {
        let ts = u64::try_from(number >> 32).ok()?;
        Some(Stamp { ts, writer: number as u32 })
    }

    /// The stamp as a field element.
    pub fn to_field(self) -> F {
        F::from(self.to_u128())
    }
}
