//! The peers of the node.

use rootfold_node::{
    bootstrap::SyncContext,
    data_dir::DataDir,
    discovery::discover,
    follow,
    peers::{self, Peers},
    space::Space,
};

use super::{
    super::{
        failure::{Failure, OrFail},
        Context,
    },
    args::ServeArgs,
};

/// The peers of the command line and those that the data directory remembers, which remembers them all.
pub(super) fn peers(context: &Context, args: &ServeArgs) -> Result<Peers, Failure> {
    let addresses = peers::remember_more(&context.data_dir(), &args.peers());
    let peers = Peers::new(addresses.or_unreachable("the file of peers")?);
    Ok(match &args.advertise {
        Some(address) => peers.with_own_address(address),
        None => peers,
    })
}

/// Keeps in step with peers and finds further ones, if the space has an invite.
pub(super) async fn follow_peers(
    space: &Space,
    peers: Peers,
    context: Option<SyncContext>,
    data_dir: DataDir,
    finding: bool,
) {
    match context {
        Some(context) => {
            let following = follow::follow(space.clone(), peers.clone(), context.clone());
            let finding = async {
                if finding {
                    discover(space.clone(), data_dir, peers, context).await;
                }
            };
            tokio::join!(following, finding);
        }
        None => {
            if !peers.addresses().is_empty() {
                tracing::warn!(
                    event = "peers-not-followed",
                    "peers are not followed: this replica has no verifying key"
                );
            }
            std::future::pending().await
        }
    }
}
