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
    /// What follows `@` is not a list of addresses.
    #[error(
        "addresses of the invite: {what}; expected up to {MAX_ADDRESSES} after `@`, with commas between them"
    )]
    Addresses {
        /// What is wrong.
        what: &'static str,
    },
    /// The parameter id is not 64 lower-case hexadecimal digits.
    #[error("parameter id of the invite: {0}")]
    Parameters(#[from] ParameterIdSyntax),
}

/// An invite with addresses at which nodes of the space answer. Nobody vouches for the addresses, and
/// nobody needs to: whoever answers there is not trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressedInvite {
    /// The invite.
    pub invite: Invite,
    /// The addresses, at most [`MAX_ADDRESSES`]; the node checks their form.
    pub addresses: Vec<String>,
}

/// The largest number of addresses in an invite.
pub const MAX_ADDRESSES: usize = 8;
/// The longest address in bytes: that of a DNS name, with a port.
pub const MAX_ADDRESS_BYTES: usize = 261;

impl fmt::Display for AddressedInvite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.invite)?;
        if self.addresses.is_empty() {
            return Ok(());
        }
        write!(f, "@{}", self.addresses.join(","))
    }
}

impl FromStr for AddressedInvite {
    type Err = InviteError;

    /// An invite, or an invite, `@`, and addresses with commas between them.
    fn from_str(text: &str) -> Result<AddressedInvite, InviteError> {
        let Some((invite, list)) = text.split_once('@') else {
            return Ok(AddressedInvite { invite: text.parse()?, addresses: Vec::new() });
        };
        let invite = invite.parse()?;
        let refused = |what| Err(InviteError::Addresses { what });
        let addresses: Vec<String> =
            list.split(',').take(MAX_ADDRESSES + 1).map(str::to_owned).collect();
        if addresses.len() > MAX_ADDRESSES {
            return refused("too many");
        }
        for address in &addresses {
            if address.is_empty() || address.len() > MAX_ADDRESS_BYTES {
                return refused("one is empty or too long");
            }
            if !address.bytes().all(|b| b.is_ascii_graphic() && b != b'@') {
                return refused("one has a character that no address has");
            }
        }
        Ok(AddressedInvite { invite, addresses })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_an_invite() {
        let plain = format!("{INVITE_PREFIX}:{}:{}", "0".repeat(64), "ab".repeat(32));
        for list in ["", "@a.example.org:7340", "@[::1]:1,b,10.0.0.1:2"] {
            let text = format!("{plain}{list}");
            let invite: AddressedInvite = text.parse().expect("an invite");
            assert_eq!(invite.to_string(), text);
            assert_eq!(invite.invite, plain.parse().expect("an invite"));
        }
        let many = ["a"; MAX_ADDRESSES + 1].join(",");
        let long = "a".repeat(MAX_ADDRESS_BYTES + 1);
        for list in ["", "a,", ",", "a b", "a@b", "\u{e9}", &many, &long] {
            let refused = format!("{plain}@{list}").parse::<AddressedInvite>();
            assert!(matches!(refused, Err(InviteError::Addresses { .. })), "{list}");
        }
        assert!("x@a".parse::<AddressedInvite>().is_err());
    }
}
