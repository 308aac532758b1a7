//! How many ops an address may submit.

use std::{net::IpAddr, num::NonZeroU32};

use governor::{clock::DefaultClock, state::keyed::DefaultKeyedStateStore, Quota, RateLimiter};
use rootfold_proto::reason::Reason;
use tonic::Status;

use super::refusal::refuse;

/// The number of addresses after which those that have been quiet are forgotten.
const MANY: usize = 1024;

/// A token bucket for each address.
pub(super) struct SubmitQuota {
    buckets: RateLimiter<IpAddr, DefaultKeyedStateStore<IpAddr>, DefaultClock>,
    per_second: NonZeroU32,
}

impl SubmitQuota {
    pub(super) fn new(ops_per_second: u32) -> SubmitQuota {
        let per_second = NonZeroU32::new(ops_per_second).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(per_second).allow_burst(per_second.saturating_mul(TEN));
        SubmitQuota { buckets: RateLimiter::keyed(quota), per_second }
    }

    /// Takes `ops` from the bucket of an address. A connection without an address has no bucket.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` if the bucket has fewer.
    pub(super) fn take(&self, address: Option<IpAddr>, ops: usize) -> Result<(), Status> {
        if self.buckets.len() > MANY {
            self.buckets.retain_recent();
        }
        let ops = NonZeroU32::new(u32::try_from(ops).unwrap_or(u32::MAX));
        let (Some(address), Some(ops)) = (address, ops) else { return Ok(()) };
        match self.buckets.check_key_n(&address, ops) {
            Ok(Ok(())) => Ok(()),
            _ => Err(refuse(
                Reason::TooManyOps,
                format!(
                    "too many ops of this address: this node takes {} in a second; try again later",
                    self.per_second
                ),
            )),
        }
    }
}

const TEN: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
