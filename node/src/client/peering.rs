//! Further nodes, by the account of a peer.

use rootfold_core::F;
use rootfold_light::messages;
use rootfold_proto::v1;

use super::{Peer, PeerError};
use crate::peers::{NodeNumber, MAX_LISTED};

/// What a peer says of itself and others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Its own number; `None` if it has no proper one.
    pub(crate) node: Option<NodeNumber>,
    /// Addresses, at most [`MAX_LISTED`], of any form.
    pub(crate) addresses: Vec<String>,
}

impl Peer {
    /// Asks for further nodes of a space. `own` is the address under which others reach this node.
    ///
    /// # Errors
    /// [`PeerError`].
    pub(crate) async fn list_peers(
        &self,
        space: F,
        own: Option<&str>,
    ) -> Result<Listed, PeerError> {
        let address = own.unwrap_or_default().to_owned();
        let request = v1::ListPeersRequest { space: messages::bytes(&space), address };
        let response = self.response(self.peering.clone().list_peers(request).await)?;
        let mut addresses = response.addresses;
        addresses.truncate(MAX_LISTED);
        Ok(Listed { node: response.node.try_into().ok(), addresses })
    }
}
