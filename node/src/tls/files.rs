//! Certificates and keys in files, as PEM.

use std::{fs::File, io::Read, path::Path};

use rustls::pki_types::{pem::PemObject, CertificateDer, PrivateKeyDer};

use super::TlsError;
use crate::private_file;

/// The largest file of certificates, in bytes: all authorities of a system fit.
const MAX_CERTIFICATES: u64 = 4 << 20;
/// The largest file of a key, in bytes.
const MAX_KEY: u64 = 64 * 1024;

/// The certificates in a file; at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |source| TlsError::Unreadable { path: path.to_owned(), source };
    let mut pem = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_CERTIFICATES + 1).read_to_end(&mut pem).map_err(unreadable)?;
    if pem.len() as u64 > MAX_CERTIFICATES {
        return Err(TlsError::bad(path, &format!("longer than {MAX_CERTIFICATES} bytes")));
    }
    let found = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|e| TlsError::bad(path, &e))?;
    if found.is_empty() {
        return Err(TlsError::bad(path, &"no certificate in it"));
    }
    Ok(found)
}

/// The private key in a file that nobody else can read.
pub(super) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let pem = private_file::read(path, MAX_KEY)?;
    PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|e| TlsError::bad(path, &format!("no private key: {e}")))
}
