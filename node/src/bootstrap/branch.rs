//! Where the log of a peer leaves ours.

use rootfold_core::log::LogBatch;
use rootfold_light::fork::CheckedFork;
use rootfold_proto::limits::MAX_UNSIGNED_OPS;

use super::{blocking, failed::Failed};
use crate::{
    client::{Peer, PeerCause},
    space::{Branch, Space},
};

/// The number of ops that are compared at a time.
const WINDOW: u64 = 1024;

/// Finds the fork between the log of `writer` on this node and that of the peer, which has `theirs`
/// ops: goes back from the end in growing steps to ops before the fork, then forward to it. Returns
/// what is wrong if there is no fork: the ops of the peer are forged, or their beginning is missing.
pub(super) async fn find(
    space: &Space,
    peer: &Peer,
    writer: u32,
    theirs: u64,
) -> Result<Result<CheckedFork, PeerCause>, Failed> {
    let ours = space.tip(writer).and_then(|tip| tip.seq(writer).ok()).unwrap_or(0);
    let end = ours.min(theirs);
    let mut back = WINDOW / 4;
    let mut from = end.saturating_sub(back);
    let mut forward = false;
    loop {
        let Some(batch) = window(space, peer, writer, from).await? else {
            return Ok(Err(PeerCause::OtherBranch { writer, before: from }));
        };
        let next = batch.first_seq + batch.ops.len() as u64;
        let space = space.clone();
        let compared = blocking(move || space.compare_branch(&batch)).await?;
        match compared.map_err(|e| Failed::Here(e.into()))? {
            Branch::Fork(fork) => return Ok(Ok(*fork)),
            Branch::Same if next < end => {
                (from, forward) = (next, true);
            }
            Branch::Earlier if from > 0 && !forward => {
                back = back.saturating_mul(4);
                from = end.saturating_sub(back);
            }
            Branch::Unknown => return Ok(Err(PeerCause::OtherBranch { writer, before: from })),
            Branch::Same | Branch::Earlier | Branch::Forged => {
                return Ok(Err(PeerCause::Forged { writer }));
            }
        }
    }
}

/// Ops of the peer's log after the first `from`, at least a window if it has that many. `None` if the
/// peer does not hold them.
async fn window(
    space: &Space,
    peer: &Peer,
    writer: u32,
    from: u64,
) -> Result<Option<LogBatch>, Failed> {
    let mut entries = peer.log_entries(space.id(), &[(writer, from)]).await?;
    let mut batch = LogBatch { writer, first_seq: from, ops: Vec::new() };
    while (batch.ops.len() as u64) < WINDOW + MAX_UNSIGNED_OPS as u64 {
        let Some(message) = entries.next().await? else { break };
        if !message.not_held.is_empty() {
            return Ok(None);
        }
        for part in message.submission.batches {
            let expected = from + batch.ops.len() as u64;
            if part.writer == writer && part.first_seq == expected {
                batch.ops.extend(part.ops);
            }
        }
    }
    Ok((!batch.ops.is_empty()).then_some(batch))
}
