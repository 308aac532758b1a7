//! What a peer did wrong. Every error names the peer.

use rootfold_core::{
    space::GenesisError,
    tree::{PageError, TreeError},
};
use thiserror::Error;
use tonic::{Code, Status};

use crate::{space::IngestError, values::ValueRefused, verify::VerifyError, wire::WireError};

/// What went wrong with a peer.
#[derive(Debug, Error)]
#[error("peer {peer}: {cause}")]
pub struct PeerError {
    /// Its address.
    pub peer: String,
    /// What went wrong.
    #[source]
    pub cause: Box<PeerCause>,
}

/// What a peer did, or did not.
#[derive(Debug, Error)]
pub enum PeerCause {
    /// Its address is none.
    #[error("not an address: {what}")]
    Address {
        /// Why.
        what: String,
    },
    /// It cannot be reached, or the connection broke.
    #[error("cannot be reached: {what}")]
    Unreachable {
        /// Why.
        what: String,
    },
    /// It stopped talking.
    #[error("said nothing for {seconds} s")]
    Silent {
        /// How long.
        seconds: u64,
    },
    /// It does not do what it was asked for.
    #[error("refuses ({code:?}): {what}")]
    Refused {
        /// The gRPC code.
        code: Code,
        /// Its words, cut to a bearable length.
        what: String,
    },
    /// A message is not what it should be.
    #[error("a bad message: {0}")]
    Wire(#[from] WireError),
    /// A genesis config is none.
    #[error("a bad genesis config: {0}")]
    Genesis(#[from] GenesisError),
    /// A genesis config of another space.
    #[error("sent the genesis config of space {actual}, not {expected}")]
    OtherGenesis {
        /// The space that was asked for.
        expected: String,
        /// The space that came.
        actual: String,
    },
    /// A verifying key that is none, or another.
    #[error("a bad verifying key: {what}")]
    VerifyingKey {
        /// What is wrong.
        what: String,
    },
    /// A snapshot whose proof does not hold, or that is about something else.
    #[error("a bad snapshot: {0}")]
    Snapshot(#[from] VerifyError),
    /// A page that is none, or another.
    #[error("a bad page: {source}")]
    Page {
        /// What is wrong.
        source: PageError,
    },
    /// A value that is not the one of its digest.
    #[error("a bad value: {0}")]
    Value(#[from] ValueRefused),
    /// Messages without content, which could go on for ever.
    #[error("sent {messages} empty messages")]
    Empty {
        /// How many.
        messages: usize,
    },
    /// Something that nobody asked for.
    #[error("sent a {what} that was not asked for")]
    NotAsked {
        /// What.
        what: &'static str,
    },
    /// Something is not there.
    #[error("does not have {count} of {of} {what} that it was asked for")]
    Withheld {
        /// What.
        what: &'static str,
        /// How many are missing.
        count: usize,
        /// How many were asked for.
        of: usize,
    },
    /// Its ops do not continue the logs.
    #[error("bad ops: {0}")]
    Ops(#[from] IngestError),
    /// Its pages do not show what it answers.
    #[error("its pages do not show its answer: {0}")]
    Unproved(#[from] TreeError),
    /// Its answer is not what its pages show.
    #[error("its pages show another answer than it gives")]
    OtherAnswer,
    /// A page with wrong separator keys, which its name does not bind; they were put right.
    #[error("sent page {page} with wrong separator keys")]
    Hints {
        /// The page's name in hexadecimal.
        page: String,
    },
    /// Checking its data panicked.
    #[error("checking what it sent panicked: {what}")]
    Panicked {
        /// The panic.
        what: String,
    },
}

/// The longest words of a peer that are repeated, in characters.
const MAX_WORDS: usize = 500;

/// A peer's words as they may be repeated: not too many, and nothing that a terminal would obey.
pub(super) fn words(of_a_peer: &str) -> String {
    let tame = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    of_a_peer.chars().take(MAX_WORDS).map(tame).collect()
}

impl PeerCause {
    pub(crate) fn unreachable(e: &dyn std::error::Error) -> PeerCause {
        // tonic's own words are "transport error"; the cause says more.
        let mut what = e.to_string();
        let mut source = e.source();
        while let Some(e) = source {
            let words = e.to_string();
            if !what.contains(&words) {
                what = format!("{what}: {words}");
            }
            source = e.source();
        }
        PeerCause::Unreachable { what: words(&what) }
    }
}

impl From<Status> for PeerCause {
    fn from(status: Status) -> PeerCause {
        match status.code() {
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => {
                PeerCause::unreachable(&status)
            }
            code => PeerCause::Refused { code, what: words(status.message()) },
        }
    }
}

impl PeerError {
    /// Whether there is no use in asking this peer for anything else.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(
            *self.cause,
            PeerCause::Address { .. } | PeerCause::Unreachable { .. } | PeerCause::Silent { .. }
        )
    }

    /// Whether the peer sent something bad or refused something, rather than not being there.
    pub fn is_refusal(&self) -> bool {
        match &*self.cause {
            PeerCause::Address { .. }
            | PeerCause::Unreachable { .. }
            | PeerCause::Silent { .. }
            | PeerCause::Withheld { .. } => false,
            // The last two are a message over its limit, and ops that continue something else.
            PeerCause::Refused { code, .. } => {
                matches!(code, Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition)
            }
            PeerCause::Ops(e) => e.is_refusal(),
            _ => true,
        }
    }
}
