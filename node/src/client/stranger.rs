//! What answers at an address that does not speak HTTP/2.

use std::{io, str::FromStr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{PeerCause, PeerError};
use crate::address::Address;

const LIMIT: Duration = Duration::from_secs(1);
/// The first byte of a TLS alert, with which a TLS server answers to plain text.
const TLS_ALERT: u8 = 0x15;

/// A better error if something else than a node answers at the address.
pub(super) async fn named(address: &str, e: PeerError) -> PeerError {
    match timeout(LIMIT, look(address)).await {
        Ok(Ok(Some(found))) => PeerError { cause: Box::new(PeerCause::Stranger { found }), ..e },
        _ => e,
    }
}

/// Says something that every server answers to, and looks at the first bytes.
async fn look(address: &str) -> io::Result<Option<&'static str>> {
    let Ok(address) = Address::from_str(address).map(|address| address.to_connect()) else {
        return Ok(None);
    };
    let mut stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
    let mut first = [0; 5];
    let read = stream.read(&mut first).await?;
    Ok(match &first[..read] {
        [TLS_ALERT, ..] => Some("a server that wants TLS, with `https://` before the address,"),
        b"HTTP/" => Some("an HTTP/1 server"),
        [] => None,
        _ => Some("another service"),
    })
}
