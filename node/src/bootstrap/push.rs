//! Handing ops to a peer that does not have them.

use rootfold_core::F;
use rootfold_light::submission::Ingested;

use super::{blocking, failed::Failed};
use crate::{
    client::{Peer, PeerCause, PeerError},
    server::LogMessages,
    space::Space,
};

/// Submits to a peer the ops that it lacks, as far as this node holds them. Returns the number of ops
/// that were new there. A log that differs there is left alone: a sync finds the fork.
///
/// # Errors
/// [`PeerError`] if the peer does not answer, or refuses the ops.
pub async fn push(space: &Space, peer: &Peer) -> Result<u64, PeerError> {
    match push_to(space, peer).await {
        Ok(ops) => Ok(ops),
        Err(Failed::Peer(e)) => Err(e),
        Err(Failed::Here(e)) => {
            tracing::warn!(error = %e, "cannot read the ops for a peer");
            Ok(0)
        }
    }
}

async fn push_to(space: &Space, peer: &Peer) -> Result<u64, Failed> {
    let (id, ours) = (space.id(), space.status().root);
    let mut logs = Vec::new();
    let mut first = 0;
    loop {
        let page = peer.frontier(id, Some(ours), first).await?;
        if page.root == ours {
            return Ok(0);
        }
        let held = space.clone();
        let end = page.next;
        let behind = blocking(move || behind(&held, first, end, &page.writers)).await?;
        logs.extend(behind.map_err(|e| Failed::Here(e.into()))?);
        match end {
            Some(next) => first = next,
            None => break,
        }
    }
    let held = space.clone();
    let messages = blocking(move || LogMessages::new(held, logs)).await?;
    let mut messages = messages.map_err(|e| Failed::Here(e.into()))?;
    let mut pushed = 0;
    loop {
        let (rest, next) = blocking(move || {
            let next = messages.next_submission();
            (messages, next)
        })
        .await?;
        messages = rest;
        // The reason is in the log already.
        let Ok(Some(submission)) = next else { return Ok(pushed) };
        let Ingested { ops, .. } = peer.submit(id, &submission).await?;
        pushed += ops;
    }
}

/// The logs of which a peer has less, with the numbers of ops that it has, among the writers from
/// `first` to before `end`.
fn behind(
    space: &Space,
    first: u32,
    end: Option<u32>,
    theirs: &std::collections::BTreeMap<u32, (u64, F)>,
) -> Result<Vec<(u32, u64)>, crate::space::SpaceError> {
    let mut logs = Vec::new();
    for (writer, tip) in space.writers().range(first..) {
        if end.is_some_and(|end| *writer >= end) {
            break;
        }
        let Ok(ours) = tip.seq(*writer) else { continue };
        let (seq, head) = theirs.get(writer).copied().unzip();
        let seq = seq.unwrap_or(0);
        let held = space.head_at(*writer, seq)?;
        let same = head.is_none() || held.is_some_and(|held| Some(held.head) == head);
        if seq < ours && same {
            logs.push((*writer, seq));
        }
    }
    Ok(logs)
}

/// Whether an error means that the peer takes no ops of this node for now, rather than that it failed.
pub(crate) fn is_busy(e: &PeerError) -> bool {
    matches!(&*e.cause, PeerCause::Refused { code: tonic::Code::ResourceExhausted, .. })
}
