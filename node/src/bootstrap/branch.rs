//! Where the log of a peer leaves ours.

use rootfold_core::log::LogBatch;
use rootfold_light::fork::CheckedFork;
use rootfold_proto::limits::MAX_GROUP_OPS;

use super::{blocking, failed::Failed, BootstrapError};
use crate::{
    client::{Peer, PeerCause},
    space::{Branch, Space},
};

/// The number of ops that are compared at a time.
const WINDOW: u64 = 1024;

/// Finds the fork between the log of `writer` on this node and that of the peer, which has `theirs`
/// ops: goes back from the end in growing steps to ops before the fork, then forward to it. Returns
/// what is wrong if there is no evidence: the ops of the peer are forged, or the logs differ before the
/// first op that both hold.
pub(super) async fn find(
    space: &Space,
    peer: &Peer,
    writer: u32,
    theirs: u64,
) -> Result<Result<CheckedFork, PeerCause>, Failed> {
    let ours = space.tip(writer).and_then(|tip| tip.seq(writer).ok()).unwrap_or(0);
    let end = ours.min(theirs);
    let held = space.clone();
    // Before this, one side does not hold the log.
    let mut floor = blocking(move || first_known(&held, writer)).await??;
    let mut back = WINDOW / 4;
    let mut from = end.saturating_sub(back).max(floor);
    let mut forward = false;
    loop {
        let unknown = Ok(Err(PeerCause::OtherBranch { writer, before: floor }));
        let batch = match window(space, peer, writer, from).await? {
            Window::Ops(batch) => batch,
            Window::HeldAfter(first) if first > from && first < end => {
                (floor, from) = (first, first);
                continue;
            }
            Window::HeldAfter(_) | Window::Nothing => return unknown,
        };
        let next = batch.first_seq + batch.ops.len() as u64;
        let space = space.clone();
        let compared = blocking(move || space.compare_branch(&batch)).await?;
        match compared.map_err(|e| Failed::Here(e.into()))? {
            Branch::Fork(fork) => return Ok(Ok(*fork)),
            Branch::Same if next < end => {
                (from, forward) = (next, true);
            }
            Branch::Earlier if from > floor && !forward => {
                back = back.saturating_mul(4);
                from = end.saturating_sub(back).max(floor);
            }
            Branch::Unknown => return unknown,
            Branch::Earlier if floor > 0 && !forward => return unknown,
            // This node holds no op after the first head that it knows.
            Branch::Same if floor > 0 && floor == ours => return unknown,
            Branch::Same | Branch::Earlier | Branch::Forged => {
                return Ok(Err(PeerCause::Forged { writer }));
            }
        }
    }
}

/// The smallest number of ops after which this node knows the head of a log and holds the next op.
fn first_known(space: &Space, writer: u32) -> Result<u64, BootstrapError> {
    let Some((first, _)) = space.log(writer, 0, 1)?.first().copied() else {
        return Ok(space.tip(writer).and_then(|tip| tip.seq(writer).ok()).unwrap_or(0));
    };
    let known = space.head_at(writer, first)?.is_some();
    Ok(if known { first } else { first.saturating_add(1) })
}

/// A part of the log of a peer.
enum Window {
    Ops(LogBatch),
    /// The peer holds only the ops after this number.
    HeldAfter(u64),
    Nothing,
}

/// Ops of the peer's log after the first `from`, at least a window if it has that many.
async fn window(space: &Space, peer: &Peer, writer: u32, from: u64) -> Result<Window, Failed> {
    let mut entries = peer.log_entries(space.id(), &[(writer, from)]).await?;
    let mut batch = LogBatch { writer, first_seq: from, ops: Vec::new() };
    while (batch.ops.len() as u64) < WINDOW + MAX_GROUP_OPS as u64 {
        let Some(message) = entries.next().await? else { break };
        if let Some((_, first)) = message.not_held.first() {
            return Ok(Window::HeldAfter(*first));
        }
        for part in message.submission.batches {
            let expected = from + batch.ops.len() as u64;
            if part.writer == writer && part.first_seq == expected {
                batch.ops.extend(part.ops);
            }
        }
    }
    Ok(if batch.ops.is_empty() { Window::Nothing } else { Window::Ops(batch) })
}
