//! What a client shows to the nodes that it connects to, and what it demands of them.

use std::{io, net::IpAddr, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{client::TlsStream, TlsConnector};
use tonic::transport::Uri;

use super::counting;
use crate::{
    address::Address,
    tls::{server_name, ClientTls, Handshake},
    token::Token,
};

/// What a client shows to nodes, and what it demands of them. Cheap to clone.
#[derive(Clone, Default)]
pub struct Credentials {
    /// How it does TLS; `None` takes the authorities of the system.
    pub tls: Option<ClientTls>,
    /// The token for nodes that take ops only with one.
    pub token: Option<Token>,
    /// Whether the token may be sent to other machines without TLS, where others can read it.
    pub token_in_clear: bool,
}

/// The token for one node.
#[derive(Clone, Default)]
pub(super) enum TokenFor {
    /// There is none.
    #[default]
    None,
    /// It is sent with ops.
    Sent(Token),
    /// It is not sent: others could read it.
    Withheld,
}

impl Credentials {
    /// The token for the node at an address.
    pub(super) fn token_for(&self, address: &Address) -> TokenFor {
        match &self.token {
            None => TokenFor::None,
            Some(token) if address.tls || self.token_in_clear || is_own(address) => {
                TokenFor::Sent(token.clone())
            }
            Some(_) => TokenFor::Withheld,
        }
    }

    /// How it does TLS.
    pub(super) fn client_tls(&self) -> Result<ClientTls, crate::tls::TlsError> {
        match &self.tls {
            Some(tls) => Ok(tls.clone()),
            None => ClientTls::read(None, None),
        }
    }
}

/// Whether an address is of this machine alone.
fn is_own(address: &Address) -> bool {
    let host = address.to_connect().host;
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// A connection with TLS to the host of an address.
pub(super) async fn tls(uri: Uri, tls: ClientTls) -> io::Result<TlsStream<TcpStream>> {
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = server_name(&host).map_err(|_| {
        Handshake::because(format!("{host:?} is not a name that a certificate can have"))
    })?;
    let stream = counting::tcp(uri).await?;
    let connector = TlsConnector::from(Arc::clone(&tls.0));
    let mut stream = connector.connect(name, stream).await.map_err(Handshake::of)?;
    // With TLS 1.3 a client is done before the server has seen its certificate. A server begins with
    // HTTP/2 settings, or with the reason why it does not.
    if tokio::io::AsyncBufReadExt::fill_buf(&mut stream).await.map_err(Handshake::of)?.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(stream)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn which_addresses_are_of_this_machine_alone() {
        for (text, own) in [
            (":7340", true),
            ("localhost", true),
            ("127.0.0.9:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("0.0.0.0:1", false),
            ("192.168.0.1:1", false),
            ("localhost.example", false),
            ("[fe80::1]:1", false),
        ] {
            assert_eq!(is_own(&text.parse().unwrap()), own, "{text}");
        }
    }
}
