//! The targets of genesis configs and invites.

use rootfold_core::space::Genesis;
use rootfold_light::invite::Invite;

use crate::{honest::honest, Verdict};

/// [`Genesis::from_bytes`], [`Genesis::check`] and [`Genesis::space_id`].
///
/// Every decoded config has one encoding. No other config has the id of the honest space.
pub fn genesis(bytes: &[u8]) -> Verdict {
    let Ok(genesis) = Genesis::from_bytes(bytes) else { return Verdict::Refused };
    assert_eq!(genesis.to_bytes(), bytes, "a config has one encoding");
    if genesis.check().is_err() {
        return Verdict::Refused;
    }
    let same = genesis.space_id() == honest().space.id();
    assert_eq!(same, genesis == honest().genesis, "two configs have the same space id");
    Verdict::Accepted
}

/// The text of an [`Invite`].
///
/// Every parsed invite has one text.
pub fn invite(bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Verdict::Refused };
    match text.parse::<Invite>() {
        Ok(invite) => {
            assert_eq!(invite.to_string(), text, "an invite has one text");
            Verdict::Accepted
        }
        Err(e) => {
            // The message of the error must not panic either.
            let _ = e.to_string();
            Verdict::Refused
        }
    }
}
