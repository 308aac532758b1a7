//! Handing ops to a peer that does not have them.

use rootfold_core::F;
use rootfold_light::submission::Ingested;

use super::{blocking, failed::Failed};
use crate::{
    client::{Peer, PeerCause, PeerError},
    server::LogMessages,
    space::Space,
};

/// The result of a push.
#[derive(Debug, Clone, Copy)]
pub struct Pushed {
    /// The number of ops that were new to the peer.
    pub ops: u64,
    /// The peer's root before, by its own account.
    pub root: F,
    /// The number of ops that the peer lacked.
    pub missing_there: u64,
    /// The number of ops that it claims to have and this node lacks.
    pub missing_here: u64,
}

/// Submits to a peer the ops that it lacks, as far as this node holds them. A log that differs there is
/// left alone: a sync finds the fork. `None` if this node cannot read the ops, which is logged.
///
/// # Errors
/// [`PeerError`] if the peer does not answer, or refuses the ops.
pub async fn push(space: &Space, peer: &Peer) -> Result<Option<Pushed>, PeerError> {
    match push_to(space, peer).await {
        Ok(pushed) => Ok(Some(pushed)),
        Err(Failed::Peer(e)) => Err(e),
        Err(Failed::Here(e)) => {
            tracing::warn!(event = "push-failed", error = %e, "cannot read the ops for a peer");
            Ok(None)
        }
    }
}

async fn push_to(space: &Space, peer: &Peer) -> Result<Pushed, Failed> {
    let (id, ours) = (space.id(), space.status().root);
    let mut logs = Vec::new();
    let mut first = 0;
    let mut pushed = Pushed { ops: 0, root: ours, missing_there: 0, missing_here: 0 };
    loop {
        let page = peer.frontier(id, Some(ours), first).await?;
        pushed.root = page.root;
        if page.root == ours {
            return Ok(pushed);
        }
        let held = space.clone();
        let end = page.next;
        let compared = blocking(move || compare(&held, first, end, &page.writers)).await?;
        let compared = compared.map_err(|e| Failed::Here(e.into()))?;
        pushed.missing_there += compared.missing_there;
        pushed.missing_here += compared.missing_here;
        logs.extend(compared.behind);
        match end {
            Some(next) => first = next,
            None => break,
        }
    }
    let held = space.clone();
    let messages = blocking(move || LogMessages::new(held, logs)).await?;
    let mut messages = messages.map_err(|e| Failed::Here(e.into()))?;
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
        pushed.ops += ops;
    }
}

/// The logs of a page of a frontier, compared with those of this node.
#[derive(Default)]
struct Compared {
    /// The logs of which the peer has less, with the numbers of ops that it has.
    behind: Vec<(u32, u64)>,
    missing_there: u64,
    missing_here: u64,
}

/// Compares the logs of the writers from `first` to before `end`.
fn compare(
    space: &Space,
    first: u32,
    end: Option<u32>,
    theirs: &std::collections::BTreeMap<u32, (u64, F)>,
) -> Result<Compared, crate::space::SpaceError> {
    let mut compared = Compared::default();
    let writers = space.writers();
    for (writer, tip) in writers.range(first..) {
        if end.is_some_and(|end| *writer >= end) {
            break;
        }
        let Ok(ours) = tip.seq(*writer) else { continue };
        let (seq, head) = theirs.get(writer).copied().unzip();
        let seq = seq.unwrap_or(0);
        compared.missing_there += ours.saturating_sub(seq);
        compared.missing_here = compared.missing_here.saturating_add(seq.saturating_sub(ours));
        let held = space.head_at(*writer, seq)?;
        let same = head.is_none() || held.is_some_and(|held| Some(held.head) == head);
        if seq < ours && same {
            compared.behind.push((*writer, seq));
        }
    }
    let unknown = theirs.iter().filter(|(writer, _)| !writers.contains_key(*writer));
    let unknown = unknown.map(|(_, (seq, _))| *seq).fold(0, u64::saturating_add);
    compared.missing_here = compared.missing_here.saturating_add(unknown);
    Ok(compared)
}

/// Whether an error means that the peer takes no ops of this node for now, rather than that it failed.
pub(crate) fn is_busy(e: &PeerError) -> bool {
    matches!(&*e.cause, PeerCause::Refused { code: tonic::Code::ResourceExhausted, .. })
}
