//! Comparing the state of a replica with those of its peers after a sync.

use std::time::Duration;

use rootfold_core::{field, log::Tip, F};
use tokio::{task::JoinSet, time::timeout};

use super::Tail;
use crate::{client::Peer, space::Space};

/// The time for the peers to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// A peer whose state differs although both have the same ops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// The peer's address.
    pub peer: String,
    /// Its root, by its own account.
    pub root: F,
}

impl std::fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let root = field::to_hex(&self.root);
        write!(f, "peer {} claims root {root} for the same ops", self.peer)
    }
}

/// The peers that claim another root for the ops that this replica has. A peer that has fewer ops, or
/// newer ones, or another branch of a forked log, is not among them: its root differs with reason.
pub(super) async fn with_peers(space: &Space, peers: &[Peer], tail: &Tail) -> Vec<Elsewhere> {
    // Root and tips of one state: the space may change meanwhile.
    let (id, state) = (space.id(), space.state());
    let ours = state.latest.root;
    let mut asked = JoinSet::new();
    for (index, peer) in peers.iter().enumerate() {
        let peer = peer.clone();
        let ask = async move {
            // Equal roots cost one small message.
            let answer = peer.frontier(id, Some(ours), 0).await?;
            match answer.root != ours && answer.writers.is_empty() {
                true => peer.frontier(id, None, 0).await,
                false => Ok(answer),
            }
        };
        asked.spawn(async move { (index, timeout(ANSWER_LIMIT, ask).await) });
    }
    let mut elsewhere = Vec::new();
    while let Some(Ok((index, answer))) = asked.join_next().await {
        let Ok(Ok(theirs)) = answer else { continue };
        if theirs.root == ours {
            continue;
        }
        // A space with more writers than a page has is not compared.
        let tip =
            |(writer, tip): (&u32, &Tip)| Some((*writer, (tip.seq(*writer).ok()?, tip.head.head)));
        let same = theirs.writers == state.tips.iter().filter_map(tip).collect();
        if same && theirs.next.is_none() && tail.forks.is_empty() {
            elsewhere.push((index, theirs.root));
        }
    }
    elsewhere.sort_by_key(|(index, _)| *index);
    let named =
        |(index, root): (usize, F)| Elsewhere { peer: peers[index].address().to_owned(), root };
    elsewhere.into_iter().map(named).collect()
}
