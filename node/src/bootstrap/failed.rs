//! Who failed in a sync with a peer.

use super::BootstrapError;
use crate::{blocking::Panicked, client::PeerError};

/// A failure of the peer or of this node.
pub(super) enum Failed {
    Peer(PeerError),
    Here(BootstrapError),
}

impl From<PeerError> for Failed {
    fn from(e: PeerError) -> Failed {
        Failed::Peer(e)
    }
}

impl From<BootstrapError> for Failed {
    fn from(e: BootstrapError) -> Failed {
        Failed::Here(e)
    }
}

impl From<Panicked> for Failed {
    fn from(e: Panicked) -> Failed {
        Failed::Here(e.into())
    }
}
