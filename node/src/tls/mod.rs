//! TLS between nodes, by rustls with ring.
//!
//! A server has a certificate, and may demand one of each client: mutual TLS. A client checks the server's
//! certificate against the authorities of a file, or those of the system.

mod error;
mod files;

use std::{path::Path, sync::Arc};

use rustls::{
    client::ClientConfig,
    crypto::{ring, CryptoProvider},
    pki_types::{InvalidDnsNameError, ServerName},
    server::{ServerConfig, WebPkiClientVerifier},
    RootCertStore,
};

pub use error::TlsError;
pub(crate) use error::{explained, Handshake};
use files::{certificates, key};

/// gRPC is HTTP/2; both sides say so.
const HTTP_2: &[u8] = b"h2";

/// How a server does TLS. Cheap to clone.
#[derive(Clone)]
pub struct ServerTls(pub(crate) Arc<ServerConfig>);

impl ServerTls {
    /// Reads a chain of certificates and the key of the first of them, as PEM. With `client_ca` each client
    /// needs a certificate that an authority in that file has signed.
    ///
    /// # Errors
    /// [`TlsError`], also if other users can read the key.
    pub fn read(
        certificate: &Path,
        key_file: &Path,
        client_ca: Option<&Path>,
    ) -> Result<ServerTls, TlsError> {
        let (chain, secret) = (certificates(certificate)?, key(key_file)?);
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::setup)?;
        let builder = match client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let roots = Arc::new(authorities(path)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
                let verifier = verifier.build().map_err(TlsError::setup)?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder
            .with_single_cert(chain, secret)
            .map_err(|source| TlsError::pair(certificate, key_file, source))?;
        config.alpn_protocols = vec![HTTP_2.to_vec()];
        Ok(ServerTls(Arc::new(config)))
    }
}

/// How a client does TLS. Cheap to clone.
#[derive(Clone)]
pub struct ClientTls(pub(crate) Arc<ClientConfig>);

impl ClientTls {
    /// Reads the authorities that sign certificates of servers, as PEM, or takes those of the system; and
    /// the client's own certificate with its key, for servers that demand one.
    ///
    /// # Errors
    /// [`TlsError`], also if other users can read the key.
    pub fn read(
        ca: Option<&Path>,
        identity: Option<(&Path, &Path)>,
    ) -> Result<ClientTls, TlsError> {
        let roots = match ca {
            Some(path) => authorities(path)?,
            None => system_authorities()?,
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::setup)?
            .with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key_file)) => builder
                .with_client_auth_cert(certificates(certificate)?, key(key_file)?)
                .map_err(|source| TlsError::pair(certificate, key_file, source))?,
        };
        config.alpn_protocols = vec![HTTP_2.to_vec()];
        Ok(ClientTls(Arc::new(config)))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The authorities in a file.
fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|e| TlsError::bad(path, &e))?;
    }
    Ok(roots)
}

fn system_authorities() -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    // Some systems have certificates that are not well-formed; they sign nothing.
    let _ = roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(TlsError::NoAuthorities);
    }
    Ok(roots)
}

/// The name that a certificate must be for.
pub(crate) fn server_name(host: &str) -> Result<ServerName<'static>, InvalidDnsNameError> {
    ServerName::try_from(host.to_owned())
}
