//! The node's listener, connections and clock over turmoil.

use std::{future::Future, io, net::IpAddr, pin::Pin};

use rootfold_node::{
    bootstrap::Dial,
    client::{Peer, PeerError},
    clock::Clock,
    server::Listener,
};
use tonic::transport::Uri;
use turmoil::net::{TcpListener, TcpStream};

pub const PORT: u16 = 7340;
/// The time at the beginning of a simulation, in milliseconds since 1970.
pub const EPOCH_MS: u64 = 1_800_000_000_000;

pub struct SimListener(pub TcpListener);

impl Listener for SimListener {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, Option<IpAddr>)> {
        let (stream, address) = self.0.accept().await?;
        Ok((stream, Some(address.ip())))
    }
}

pub async fn listen() -> SimListener {
    SimListener(TcpListener::bind(("0.0.0.0", PORT)).await.unwrap())
}

pub struct SimDial;

impl Dial for SimDial {
    fn connect<'a>(
        &'a self,
        address: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Peer, PeerError>> + Send + 'a>> {
        let connector = tower::service_fn(|uri: Uri| async move {
            let host = uri.host().unwrap().to_owned();
            TcpStream::connect((host, uri.port_u16().unwrap())).await
        });
        Box::pin(Peer::connect_with(address, connector))
    }
}

/// A clock that is wrong by a fixed number of milliseconds.
pub struct SimClock {
    pub ahead: u64,
}

impl Clock for SimClock {
    fn now_ms(&self) -> u64 {
        let elapsed = turmoil::sim_elapsed().unwrap_or_default();
        EPOCH_MS + self.ahead + u64::try_from(elapsed.as_millis()).unwrap()
    }
}
