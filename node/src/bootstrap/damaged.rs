//! Pages that a scrub has found damaged, from peers.

use rootfold_proto::limits::MAX_NAMES;

use super::{blocking, BootstrapError};
use crate::{
    client::{Peer, PeerError},
    space::Space,
};

/// Asks peers for the pages of the space that are damaged. A peer that does not have them is not faulty.
pub(super) async fn replace_pages(
    space: &Space,
    peers: &[Peer],
    faults: &mut Vec<PeerError>,
) -> Result<(), BootstrapError> {
    for peer in peers {
        let held = space.clone();
        let mut names = blocking(move || held.damaged_pages()).await??;
        names.truncate(MAX_NAMES);
        if names.is_empty() {
            return Ok(());
        }
        let (pages, ended) = peer.pages(space.id(), &names).await;
        faults.extend(ended.err());
        let into = space.clone();
        let replaced = blocking(move || {
            let mut replaced = 0;
            for received in pages {
                let values: Vec<_> = received.values;
                into.fill_holes(&values)?;
                replaced += u64::from(into.replace_page(&received.name, received.page)?);
            }
            Ok::<_, BootstrapError>(replaced)
        });
        let replaced = replaced.await??;
        if replaced > 0 {
            tracing::info!(
                event = "pages-replaced",
                pages = replaced,
                peer = peer.address(),
                "replaced damaged pages"
            );
        }
    }
    Ok(())
}
