//! Listeners.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use rootfold_node::{address::Address, metrics::Metrics, peers::Peers, space::Space};
use tokio::net::TcpListener;

use super::super::{
    failure::{Failure, OrFail},
    Context,
};

/// A listener and the address under which this machine reaches it. `purpose` is for the error.
pub(super) async fn listen(
    at: &Address,
    purpose: &str,
) -> Result<(SocketAddr, TcpListener), Failure> {
    let doing = || format!("listening on {at}{purpose}");
    let listener = bind(at).await.or_unreachable(doing())?;
    let address = reachable(listener.local_addr().or_unreachable(doing())?);
    Ok((address, listener))
}

/// Listens on the first of the addresses that the host has.
async fn bind(address: &Address) -> io::Result<TcpListener> {
    if address.host.is_empty() {
        // All interfaces, of both versions of IP where the system takes both on one socket.
        let v6 = TcpListener::bind((Ipv6Addr::UNSPECIFIED, address.port)).await;
        return match v6 {
            Ok(listener) => Ok(listener),
            Err(_) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port)).await,
        };
    }
    TcpListener::bind((address.host.as_str(), address.port)).await
}

/// The address under which this machine reaches a listener.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        // A socket for all interfaces of IPv6 takes IPv4 too.
        ip if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        _ => address,
    }
}

/// The address of the metrics and what serves them, which never ends.
pub(super) async fn metrics(
    at: Option<&Address>,
    context: &Context,
    space: &Space,
    peers: &Peers,
) -> Result<(Option<SocketAddr>, impl std::future::Future<Output = ()>), Failure> {
    let metrics =
        Metrics { space: space.clone(), peers: peers.clone(), data_dir: context.data_dir() };
    let bound = match at {
        Some(at) => Some(listen(at, " for metrics").await?),
        None => None,
    };
    let (address, listener) = bound.unzip();
    Ok((address, async move {
        match listener {
            Some(listener) => metrics.serve(listener).await,
            None => std::future::pending().await,
        }
    }))
}
