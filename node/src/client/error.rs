//! Errors of peers. Every error names the peer.

use rootfold_light::{response::printable, verify::VerifyError, ResponseError};
use rootfold_proto::reason::{Reason, DOMAIN};
use thiserror::Error;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::{
    space::{ForkRefused, IngestError},
    tls,
};

/// A failure of a peer.
#[derive(Debug, Error)]
#[error("peer {peer}: {cause}")]
pub struct PeerError {
    /// The peer's address.
    pub peer: String,
    /// What went wrong.
    #[source]
    pub cause: Box<PeerCause>,
}

/// What went wrong with a peer.
#[derive(Debug, Error)]
pub enum PeerCause {
    /// The address does not parse.
    #[error("not an address of the form host:port: {what}")]
    Address {
        /// Why.
        what: String,
    },
    /// There is no connection, or it broke.
    #[error("unreachable: {what}")]
    Unreachable {
        /// Why.
        what: String,
    },
    /// The two sides do not come to terms about TLS.
    #[error("TLS: {what}")]
    Tls {
        /// Why.
        what: String,
    },
    /// Something else than a node answers there.
    #[error("not a Rootfold node: {found} answers at this address")]
    Stranger {
        /// What it is.
        found: &'static str,
    },
    /// No message arrived in time.
    #[error("no answer for {seconds} s")]
    Silent {
        /// The time limit in seconds.
        seconds: u64,
    },
    /// The peer refused the request.
    #[error("refused the request ({code:?}): {what}")]
    Refused {
        /// The gRPC code.
        code: Code,
        /// The reason for programs; `None` if the peer gives none that this version knows.
        reason: Option<Reason>,
        /// The peer's reason, in printable form.
        what: String,
    },
    /// The peer does not know the call.
    #[error(
        "does not know a call of the API {DOMAIN}: it runs another version of Rootfold; run the same \
         version on both sides"
    )]
    OtherVersion,
    /// The peer wants a token that this node does not send there.
    #[error(
        "takes ops only with its token, which is not sent in clear: write `https://` before its address, or \
         give --token-in-clear"
    )]
    TokenWithheld,
    /// A response that fails a check.
    #[error("sent a bad response: {0}")]
    Response(#[from] ResponseError),
    /// A snapshot that fails verification.
    #[error("sent a bad snapshot: {0}")]
    Snapshot(#[from] VerifyError),
    /// A response without some of the requested items.
    #[error("did not send {count} of {of} requested {what}")]
    Withheld {
        /// `pages` or `values`.
        what: &'static str,
        /// The number of missing items.
        count: usize,
        /// The number of requested items.
        of: usize,
    },
    /// Ops that an ingest refuses.
    #[error("sent bad ops: {0}")]
    Ops(#[from] IngestError),
    /// Evidence of a fork that does not belong to this space.
    #[error("sent bad evidence: {0}")]
    Evidence(#[from] ForkRefused),
    /// Ops that neither continue the log of this node nor leave it with a signature of the writer.
    #[error("sent ops of writer {writer} that the writer has not signed")]
    Forged {
        /// The writer.
        writer: u32,
    },
    /// A log differs from that of this node before the first op that both hold.
    #[error(
        "holds another log of writer {writer} than this node; they differ before op {before}, which one \
         of them does not hold, so there is no evidence of a fork"
    )]
    OtherBranch {
        /// The writer.
        writer: u32,
        /// The number of the first op that was compared.
        before: u64,
    },
    /// A page with wrong separator keys. The name of a page does not bind them; this node has
    /// corrected them.
    #[error("sent page {page} with wrong separator keys; they were corrected")]
    Hints {
        /// The page's name in hexadecimal.
        page: String,
    },
    /// The parts of a file are not those of the requested file.
    #[error("sent a bad file: {what}")]
    File {
        /// What is wrong.
        what: String,
    },
    /// A check of the peer's data panicked.
    #[error("sent data whose check panicked: {what}")]
    Panicked {
        /// The message of the panic.
        what: String,
    },
}

impl PeerCause {
    pub(crate) fn unreachable(e: &(dyn std::error::Error + 'static)) -> PeerCause {
        if let Some(what) = tls::explained(e) {
            return PeerCause::Tls { what: printable(&what) };
        }
        // tonic itself reports only "transport error"; the reason is in the source.
        let mut what = e.to_string();
        let mut source = e.source();
        while let Some(e) = source {
            let reason = e.to_string();
            if !what.contains(&reason) {
                what = format!("{what}: {reason}");
            }
            source = e.source();
        }
        PeerCause::Unreachable { what: printable(&what) }
    }
}

impl From<Status> for PeerCause {
    fn from(status: Status) -> PeerCause {
        match status.code() {
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => {
                PeerCause::unreachable(&status)
            }
            // The other side does not speak HTTP/2, or breaks its rules.
            Code::Internal if status.message().starts_with("h2 protocol error") => {
                PeerCause::unreachable(&status)
            }
            code => {
                let info = status.get_details_error_info();
                let reason = info.filter(|info| info.domain == DOMAIN);
                // A node that has turned a call off says so.
                if code == Code::Unimplemented && reason.is_none() {
                    return PeerCause::OtherVersion;
                }
                let reason = reason.and_then(|info| Reason::from_word(&info.reason));
                PeerCause::Refused { code, reason, what: printable(status.message()) }
            }
        }
    }
}

/// The failures of several peers in one line.
pub(crate) fn list(faults: &[PeerError]) -> String {
    let faults: Vec<String> = faults.iter().map(PeerError::to_string).collect();
    faults.join("; ")
}

impl PeerError {
    /// Whether further requests to this peer are pointless.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(
            *self.cause,
            PeerCause::Address { .. }
                | PeerCause::Unreachable { .. }
                | PeerCause::Tls { .. }
                | PeerCause::Stranger { .. }
                | PeerCause::Silent { .. }
        )
    }

    /// Whether the peer does not have what was requested.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(&*self.cause, PeerCause::Refused { code: Code::NotFound, .. })
    }

    /// Whether the peer sent bad data or refused the request, rather than being unreachable or
    /// without the data.
    pub fn is_refusal(&self) -> bool {
        match &*self.cause {
            PeerCause::Address { .. }
            | PeerCause::Unreachable { .. }
            | PeerCause::Tls { .. }
            | PeerCause::Stranger { .. }
            | PeerCause::Silent { .. }
            | PeerCause::OtherVersion
            | PeerCause::TokenWithheld
            | PeerCause::OtherBranch { .. }
            | PeerCause::Withheld { .. } => false,
            // OutOfRange: a message over a limit. FailedPrecondition: ops that leave a gap.
            PeerCause::Refused { code, .. } => {
                matches!(code, Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition)
            }
            PeerCause::Ops(e) => e.is_refusal(),
            _ => true,
        }
    }
}
