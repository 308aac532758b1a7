//! Which peers a running node asks: those with several faults are left alone for a while.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::client::{PeerCause, PeerError};

/// The number of faults after which a peer is banned.
pub const MAX_FAULTS: u32 = 3;
/// How long a peer is banned. Then its faults are forgotten.
pub const BAN: Duration = Duration::from_secs(600);

/// The faults of peers, by address.
#[derive(Debug, Default)]
pub struct Reputation {
    peers: BTreeMap<String, (u32, Instant)>,
}

impl Reputation {
    /// Notes the faults of a sync: bad data, and pages or ops that were withheld. A value may be missing
    /// at an honest peer, which has a hole there. Returns the addresses that are banned from now on.
    pub fn note(&mut self, faults: &[PeerError]) -> Vec<String> {
        let mut banned = Vec::new();
        for fault in faults {
            let withheld = match &*fault.cause {
                PeerCause::Withheld { what, .. } => *what != "values",
                _ => false,
            };
            if !fault.is_refusal() && !withheld {
                continue;
            }
            let now = Instant::now();
            let (count, last) = self.peers.entry(fault.peer.clone()).or_insert((0, now));
            (*count, *last) = (*count + 1, now);
            if *count == MAX_FAULTS {
                tracing::warn!(
                    event = "peer-banned",
                    peer = fault.peer,
                    "a peer is not asked for a while"
                );
                banned.push(fault.peer.clone());
            }
        }
        banned
    }

    /// The number of faults of a peer, and until when it is banned.
    pub fn of(&self, address: &str) -> (u32, Option<Instant>) {
        match self.peers.get(address) {
            Some((count, last)) if *count >= MAX_FAULTS => (*count, Some(*last + BAN)),
            Some((count, _)) => (*count, None),
            None => (0, None),
        }
    }

    /// Whether a peer may be asked.
    pub fn allows(&mut self, address: &str) -> bool {
        match self.peers.get(address) {
            Some((count, last)) if *count >= MAX_FAULTS => {
                if last.elapsed() < BAN {
                    return false;
                }
                self.peers.remove(address);
                true
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn three_faults_are_a_ban_for_a_while() {
        let fault =
            |peer: &str, cause: PeerCause| PeerError { peer: peer.into(), cause: Box::new(cause) };
        let bad = || fault("bad", PeerCause::Forged { writer: 1 });
        let slow = || fault("slow", PeerCause::Silent { seconds: 1 });
        let mut reputation = Reputation::default();
        assert!(reputation.note(&[bad(), slow(), bad(), slow(), slow()]).is_empty());
        assert!(reputation.allows("bad") && reputation.allows("slow"));
        assert_eq!(reputation.note(&[bad()]), ["bad"]);
        assert!(!reputation.allows("bad") && reputation.allows("slow"));
        tokio::time::advance(BAN).await;
        assert!(reputation.allows("bad"));
        assert!(reputation.note(&[bad()]).is_empty(), "the old faults are forgotten");
    }
}
