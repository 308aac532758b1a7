//! The targets of verifying keys and parameter ids.

use rootfold_verifier::{ParameterId, VerifyingKey};

use crate::{honest::VERIFYING_KEY, Verdict};

/// [`VerifyingKey::decode`] and [`VerifyingKey::check`].
///
/// Every decoded key has one encoding. An altered key has another id, so it does not match the
/// invite.
pub fn target(bytes: &[u8]) -> Verdict {
    let Ok(key) = VerifyingKey::decode(bytes) else { return Verdict::Refused };
    assert_eq!(key.encode(), bytes, "a key has one encoding");
    let name = key.name();
    assert!(name.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-')), "{name}");
    if key.check().is_err() {
        return Verdict::Refused;
    }
    let honest = VerifyingKey::decode(VERIFYING_KEY).expect("the committed key decodes");
    let same = key.id() == honest.id();
    assert_eq!(same, bytes == VERIFYING_KEY, "two keys have the same id");
    Verdict::of(same)
}

/// The text of a [`ParameterId`].
///
/// Every parsed id has one text.
pub fn parameter_id(bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Verdict::Refused };
    let Ok(id) = text.parse::<ParameterId>() else { return Verdict::Refused };
    assert_eq!(id.to_string(), text, "an id has one text");
    Verdict::Accepted
}
