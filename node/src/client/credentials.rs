//! What a client shows to the nodes that it connects to, and what it demands of them.

use std::{io, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{client::TlsStream, TlsConnector};
use tonic::transport::Uri;

use super::counting;
use crate::tls::{server_name, ClientTls, Handshake};

/// What a client shows to nodes, and what it demands of them. Cheap to clone.
#[derive(Clone, Default)]
pub struct Credentials {
    /// How it does TLS; `None` takes the authorities of the system.
    pub tls: Option<ClientTls>,
}

impl Credentials {
    /// How it does TLS.
    pub(super) fn client_tls(&self) -> Result<ClientTls, crate::tls::TlsError> {
        match &self.tls {
            Some(tls) => Ok(tls.clone()),
            None => ClientTls::read(None, None),
        }
    }
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
