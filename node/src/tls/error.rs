//! Errors of TLS: of its files, and of handshakes in words for operators.

use std::{
    error::Error as StdError,
    fmt, io,
    path::{Path, PathBuf},
};

use rustls::{AlertDescription, CertificateError, Error as RustlsError};
use thiserror::Error;

use crate::private_file::PrivateFileError;

/// Why TLS cannot be set up.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("TLS file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
    /// A key cannot be used.
    #[error("TLS key {0}")]
    Key(#[from] PrivateFileError),
    /// A file is not what it should be.
    #[error("TLS file {}: expected PEM: {what}", path.display())]
    Bad {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A certificate and a key do not belong together.
    #[error("TLS certificate {} and key {}: {source}", certificate.display(), key.display())]
    Pair {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// What is wrong.
        source: RustlsError,
    },
    /// The system has no list of authorities.
    #[error("this system has no certificate authorities: name a file of them with --tls-ca")]
    NoAuthorities,
    /// rustls does not take the setup.
    #[error("TLS: {what}")]
    Setup {
        /// Why.
        what: String,
    },
}

impl TlsError {
    pub(super) fn bad(path: &Path, what: &dyn fmt::Display) -> TlsError {
        TlsError::Bad { path: path.to_owned(), what: what.to_string() }
    }

    pub(super) fn pair(certificate: &Path, key: &Path, source: RustlsError) -> TlsError {
        TlsError::Pair { certificate: certificate.to_owned(), key: key.to_owned(), source }
    }

    #[allow(clippy::needless_pass_by_value, reason = "for map_err")]
    pub(super) fn setup(e: impl fmt::Display) -> TlsError {
        TlsError::Setup { what: e.to_string() }
    }
}

/// Why a client and a server do not come to terms.
#[derive(Debug, Error)]
#[error("{what}")]
pub(crate) struct Handshake {
    what: String,
}

impl Handshake {
    /// The error of a client's handshake, if TLS is its cause.
    pub(crate) fn of(e: io::Error) -> io::Error {
        let inner = e.get_ref().and_then(|inner| inner.downcast_ref::<RustlsError>());
        match inner.map(words) {
            Some(what) => io::Error::new(e.kind(), Handshake { what }),
            None => e,
        }
    }

    /// Another error.
    pub(crate) fn because(what: impl fmt::Display) -> io::Error {
        io::Error::other(Handshake { what: what.to_string() })
    }
}

/// What a chain of errors says of a handshake.
pub(crate) fn explained(e: &(dyn StdError + 'static)) -> Option<String> {
    let mut source = Some(e);
    while let Some(e) = source {
        let inner = e.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(failed) = inner.and_then(|inner| inner.downcast_ref::<Handshake>()) {
            return Some(failed.to_string());
        }
        source = e.source();
    }
    None
}

/// An error of rustls in a client, in words for an operator.
fn words(e: &RustlsError) -> String {
    match e {
        RustlsError::InvalidCertificate(bad) => match bad {
            // A bad signature: of an authority with the same name as a known one.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "its certificate is not signed by an authority that this node knows; --tls-ca names a file \
                 of them"
                    .to_owned()
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet".to_owned()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!("its certificate is for another name: {bad}")
            }
            bad => format!("its certificate is bad: {bad}"),
        },
        RustlsError::AlertReceived(AlertDescription::CertificateRequired) => {
            "it wants a certificate of this node: give --tls-client-cert and --tls-client-key".to_owned()
        }
        RustlsError::AlertReceived(
            alert @ (AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::DecryptError
            | AlertDescription::UnsupportedCertificate),
        ) => format!("it does not accept the certificate of this node: {alert:?}"),
        RustlsError::InvalidMessage(_) => {
            "it does not speak TLS: leave `https://` out to connect in clear".to_owned()
        }
        other => other.to_string(),
    }
}
