//! Invites.

use std::{fmt, str::FromStr};

use rootfold_core::{
    field::{self, FieldError},
    F,
};
use rootfold_verifier::{ParameterId, ParameterIdSyntax};
use thiserror::Error;

/// What a new replica must know: the space, and the parameters of its proofs. Whoever chooses an
/// invite decides what its users accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invite {
    /// The space's id: its genesis root.
    pub space: F,
    /// The id of the parameters.
    pub parameters: ParameterId,
}

/// Why a text is not an invite.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum InviteError {
    /// Not of the form `rootfold1:SPACE:PARAMETERS`.
    #[error(
        "the invite has {parts} parts: expected {INVITE_PREFIX}:<64 hexadecimal digits>:<64 hexadecimal \
         digits>"
    )]
    Form {
        /// The number of parts between colons.
        parts: usize,
    },
    /// The first part is not [`INVITE_PREFIX`].
    #[error("the invite begins with {begins:?}: expected {INVITE_PREFIX:?}")]
    Prefix {
        /// The beginning of the text, at most 20 characters.
        begins: String,
    },
    /// The space id is not a field element in 64 lower-case hexadecimal digits.
    #[error("space id of the invite: {0}")]
    Space(#[from] FieldError),
    /// The parameter id is not 64 lower-case hexadecimal digits.
    #[error("parameter id of the invite: {0}")]
    Parameters(#[from] ParameterIdSyntax),
}

/// The first part of an invite's text; it names the version.
pub const INVITE_PREFIX: &str = "rootfold1";

impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{INVITE_PREFIX}:{}:{}", field::to_hex(&self.space), self.parameters)
    }
}

impl FromStr for Invite {
    type Err = InviteError;

    fn from_str(text: &str) -> Result<Invite, InviteError> {
        let parts: Vec<&str> = text.split(':').collect();
        if parts[0] != INVITE_PREFIX {
            let begins = parts[0].chars().take(20).collect();
            return Err(InviteError::Prefix { begins });
        }
        let [_, space, parameters] = parts[..] else {
            return Err(InviteError::Form { parts: parts.len() });
        };
        Ok(Invite { space: field::from_hex(space)?, parameters: parameters.parse()? })
    }
}
