//! Keys, values and entries as text and as JSON.

use std::ffi::OsStr;

use rootfold_core::{
    field,
    key::{ApplicationKey, Key, KeyKind},
    mark, F,
};
use rootfold_light::{
    invite::{AddressedInvite, Invite},
    query::KeyPrefix,
};
use rootfold_node::{
    git::plan,
    space::{Found, Space},
};
use serde_json::{json, Value};

use super::failure::{Failure, OrFail};

/// An invite. Blanks, line feeds and quotes around it are left out: they come along when it is copied.
pub fn invite_of(argument: &str) -> Result<Invite, Failure> {
    Ok(addressed_invite_of(argument)?.invite)
}

/// An invite with its addresses.
pub fn addressed_invite_of(argument: &str) -> Result<AddressedInvite, Failure> {
    let around = |c: char| c.is_whitespace() || "\"'`\u{201c}\u{201d}\u{2018}\u{2019}".contains(c);
    argument.trim_matches(around).parse().or_usage("--invite")
}

/// The key that a path has after an import from git: long paths are shortened.
pub fn path_key_of(argument: &OsStr) -> Key {
    plan::path_key(argument.as_encoded_bytes())
}

/// The key that an argument names: `@7/key` is a key of writer 7, all others are shared keys. A shared key
/// that begins with `@` is written with `@/` before it.
pub fn key_of(argument: &OsStr) -> Result<Key, Failure> {
    let KeyPrefix { owner, bytes } = prefix_of(argument)?;
    ApplicationKey { owner, bytes: &bytes }.key().or_usage("key")
}

/// The keys that begin as an argument says, in the form of [`key_of`]; all keys for an empty one.
pub fn prefix_of(argument: &OsStr) -> Result<KeyPrefix, Failure> {
    let bytes = argument.as_encoded_bytes();
    let (owner, bytes) = match bytes.strip_prefix(b"@") {
        None => (None, bytes),
        Some(rest) => {
            let form = || {
                Failure::usage(format!(
                    "\"{}\" begins with @ and is no key of a writer: write @ID/KEY, or @/KEY for a shared \
                     key that begins with @",
                    escaped(bytes)
                ))
            };
            let slash = rest.iter().position(|byte| *byte == b'/').ok_or_else(form)?;
            let (owner, key) = (&rest[..slash], &rest[slash + 1..]);
            let digits = std::str::from_utf8(owner).map_err(|_| form())?;
            match digits {
                "" => (None, key),
                id => (Some(id.parse().map_err(|_| form())?), key),
            }
        }
    };
    KeyPrefix::new(owner, bytes.to_vec()).or_usage("key")
}

/// A key as text in one line, without characters that a terminal would act on.
pub fn key_text(key: &Key) -> String {
    match (key.application_key(), key.kind()) {
        (Some(ApplicationKey { owner: Some(owner), bytes }), _) => {
            format!("@{owner}/{}", escaped(bytes))
        }
        (Some(ApplicationKey { owner: None, bytes }), _) if bytes.starts_with(b"@") => {
            format!("@/{}", escaped(bytes))
        }
        (Some(ApplicationKey { owner: None, bytes }), _) => escaped(bytes),
        (None, KeyKind::Head(writer)) => format!("(head of writer {writer})"),
        (None, KeyKind::Replacement(writer)) => {
            format!("(replacement of the head of writer {writer})")
        }
        (None, KeyKind::Index) => mark_text(key),
        (None, _) => format!("0x{}", hex::encode(key.as_bytes())),
    }
}

/// The term and the order of an index key as text.
fn mark_text(index: &Key) -> String {
    let term = mark::term_of(index).map_or_else(|| "(a long term)".to_owned(), escaped);
    match mark::order_of(index) {
        [] => format!("#{term}"),
        order => format!("#{term} at {}", escaped(order)),
    }
}

/// A key as JSON: the application's key as text, in which invalid UTF-8 is replaced, and its bytes in
/// hexadecimal; the owner of an owned key.
pub fn key_json(key: &Key) -> Value {
    match key.application_key() {
        Some(ApplicationKey { owner, bytes }) => {
            let mut json =
                json!({ "text": String::from_utf8_lossy(bytes), "hex": hex::encode(bytes) });
            if let Some(owner) = owner {
                json["owner"] = json!(owner);
            }
            json
        }
        None => json!({ "text": key_text(key), "hex": hex::encode(key.as_bytes()) }),
    }
}

/// Bytes as text in one line: control characters, marks of direction and other characters that are not
/// printed are escaped, and bytes that are not UTF-8.
pub fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.extend(chunk.valid().chars().flat_map(escaped_char));
        chunk.invalid().iter().for_each(|byte| text += &format!("\\x{byte:02x}"));
    }
    text
}

/// A character that is safe to print. Quotes need no escape here.
pub fn escaped_char(c: char) -> impl Iterator<Item = char> {
    let plain = matches!(c, '\'' | '"').then_some(c);
    let escape = plain.is_none().then(|| c.escape_debug());
    plain.into_iter().chain(escape.into_iter().flatten())
}

/// The text without characters that a terminal would act on, except for the ends of lines and tabs.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' | '\\' => out.push(c),
            c => out.extend(escaped_char(c)),
        }
    }
    out
}

/// A field element in hexadecimal.
pub fn field_text(x: &F) -> String {
    field::to_hex(x)
}

/// A key with its value, or with why it has none, in one line.
pub fn found_line(found: &Found) -> String {
    let value = match &found.value {
        Some(value) => value_line(value),
        None if found.missing => "(no peer has sent the value yet)".to_owned(),
        None => "(deleted)".to_owned(),
    };
    format!("{}\t{value}\n", key_text(&found.entry.key))
}

/// An entry of the latest state and its value as JSON, with what vouches for it.
pub fn found_json(space: &Space, found: &Found) -> Result<Value, Failure> {
    let value = found.value.as_deref();
    Ok(json!({
        "key": key_json(&found.entry.key),
        "ts": found.entry.stamp.ts.to_string(),
        "writer": found.entry.stamp.writer,
        "digest": field_text(&found.entry.value),
        "value": value.and_then(|bytes| std::str::from_utf8(bytes).ok()),
        "value_hex": value.map(hex::encode),
        "vouched_by": space.voucher(&found.entry)?.name(),
    }))
}

/// A value in one line: the first 60 characters, or the length of bytes that are not UTF-8.
pub fn value_line(value: &[u8]) -> String {
    const WIDTH: usize = 60;
    let Ok(text) = std::str::from_utf8(value) else {
        return format!("({} bytes)", value.len());
    };
    let line: String = text.chars().take(WIDTH).flat_map(escaped_char).collect();
    let more = if text.chars().nth(WIDTH).is_some() { "..." } else { "" };
    format!("{line}{more}")
}

/// A number of bytes with a unit.
pub fn bytes_text(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} B"),
        10_000..=10_239_999 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0)),
    }
}
