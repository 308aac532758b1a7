//! The peering service: nodes of a space find each other.

use std::net::IpAddr;

use rootfold_light::invite::MAX_ADDRESS_BYTES;
use rootfold_proto::{
    reason::Reason,
    v1::{self, peering_service_server::PeeringService as Peering},
};
use tonic::{Request, Response, Status};

use super::{
    calls::Caller,
    refusal::{check_space, refuse},
};
use crate::{
    peers::{is_local, Peers, MAX_LISTED},
    space::Space,
};

/// Tells callers of further nodes, and takes note of those that say where they can be reached.
pub struct PeeringService {
    space: Space,
    peers: Option<Peers>,
}

/// The addresses that a caller is told: one from afar has no use for those of a local network.
pub(super) fn for_caller(
    mut addresses: Vec<String>,
    caller: Option<IpAddr>,
    limit: usize,
) -> Vec<String> {
    let is_near = is_near(caller);
    addresses.retain(|address| is_near || !is_local(address));
    addresses.truncate(limit);
    addresses
}

fn is_near(caller: Option<IpAddr>) -> bool {
    caller.is_none_or(|ip| is_local(&ip.to_string()))
}

impl PeeringService {
    /// A service of these peers; without any it refuses all calls.
    pub fn new(space: Space, peers: Option<Peers>) -> PeeringService {
        PeeringService { space, peers }
    }
}

#[tonic::async_trait]
impl Peering for PeeringService {
    async fn list_peers(
        &self,
        request: Request<v1::ListPeersRequest>,
    ) -> Result<Response<v1::ListPeersResponse>, Status> {
        let caller = request.extensions().get::<Caller>().and_then(|caller| caller.0);
        let v1::ListPeersRequest { space, address } = request.into_inner();
        check_space(&self.space, &space)?;
        let Some(peers) = &self.peers else {
            return Err(refuse(Reason::Disabled, "this node tells nobody of its peers"));
        };
        if address.len() > MAX_ADDRESS_BYTES {
            return Err(refuse(
                Reason::InvalidRequest,
                format!(
                    "an address of {} bytes, at most {MAX_ADDRESS_BYTES} are allowed",
                    address.len()
                ),
            ));
        }
        let is_near = is_near(caller);
        if !address.is_empty() {
            peers.offer(&address, is_near);
        }
        let node = peers.node().to_vec();
        let addresses = for_caller(peers.reachable(), caller, MAX_LISTED);
        Ok(Response::new(v1::ListPeersResponse { node, addresses }))
    }
}
