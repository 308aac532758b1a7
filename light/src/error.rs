//! Errors of responses.

use rootfold_core::{
    space::GenesisError,
    tree::{PageError, TreeError},
};
use thiserror::Error;

use crate::{fork::ForkError, messages::MessageError, values::ValueError};

/// Why a response is refused. All variants mean that the peer sent bad data.
#[derive(Debug, Error)]
pub enum ResponseError {
    /// A message does not have the required form.
    #[error("bad message: {0}")]
    Message(#[from] MessageError),
    /// A genesis config does not decode, or a key in it is not usable.
    #[error("bad genesis config: {0}")]
    Genesis(#[from] GenesisError),
    /// The genesis config of another space.
    #[error("genesis config of space {actual}, expected {expected}")]
    OtherGenesis {
        /// The requested space, in hexadecimal.
        expected: String,
        /// The space of the received config, in hexadecimal.
        actual: String,
    },
    /// A verifying key that does not decode, or that belongs to other parameters.
    #[error("bad verifying key: {what}")]
    VerifyingKey {
        /// What is wrong with it.
        what: String,
    },
    /// Not a valid page, or not the page that was requested.
    #[error("bad page: {source}")]
    Page {
        /// What is wrong with it.
        source: PageError,
    },
    /// A value that does not match its digest, or is too long.
    #[error("bad value: {0}")]
    Value(#[from] ValueError),
    /// Evidence of a fork that does not show one.
    #[error("bad evidence: {0}")]
    Fork(#[from] ForkError),
    /// Too many empty messages in one stream.
    #[error("{messages} empty messages in one stream")]
    Empty {
        /// The number of empty messages.
        messages: usize,
    },
    /// A page or value that was not requested.
    #[error("a {what} that was not requested")]
    NotRequested {
        /// `page` or `value`.
        what: &'static str,
    },
    /// The pages of an answer do not lead from its root to the requested keys.
    #[error("the pages do not show the answer: {0}")]
    Pages(#[from] TreeError),
    /// The pages show other entries than the answer claims.
    #[error("the answer differs from what its pages show")]
    OtherAnswer,
}
