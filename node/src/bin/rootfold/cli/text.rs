//! Keys, values and entries as text and as JSON.

use std::ffi::OsStr;

use rootfold_core::{
    field,
    key::{Key, KeyKind},
    F,
};
use rootfold_node::space::Found;
use serde_json::{json, Value};

use super::failure::{Failure, OrFail};

/// The key of the bytes of an argument.
pub fn key_of(argument: &OsStr) -> Result<Key, Failure> {
    Key::user(argument.as_encoded_bytes()).or_usage("key")
}

/// A key as text.
pub fn key_text(key: &Key) -> String {
    match (key.application_key(), key.kind()) {
        (Some(bytes), _) => String::from_utf8_lossy(bytes).into_owned(),
        (None, KeyKind::Head(writer)) => format!("(head of writer {writer})"),
        (None, _) => format!("0x{}", hex::encode(key.as_bytes())),
    }
}

/// A key as JSON: its text, in which invalid UTF-8 is replaced, and its bytes in hexadecimal.
pub fn key_json(key: &Key) -> Value {
    let digits = key.application_key().map_or_else(|| hex::encode(key.as_bytes()), hex::encode);
    json!({ "text": key_text(key), "hex": digits })
}

/// A field element in hexadecimal.
pub fn field_text(x: &F) -> String {
    field::to_hex(x)
}

/// An entry and its value as JSON.
pub fn found_json(found: &Found) -> Value {
    let value = found.value.as_deref();
    json!({
        "key": key_json(&found.entry.key),
        "ts": found.entry.stamp.ts,
        "writer": found.entry.stamp.writer,
        "digest": field_text(&found.entry.value),
        "value": value.and_then(|bytes| std::str::from_utf8(bytes).ok()),
        "value_hex": value.map(hex::encode),
    })
}

/// A value in one line: the first 60 characters, or the length of bytes that are not UTF-8.
pub fn value_line(value: &[u8]) -> String {
    const WIDTH: usize = 60;
    let Ok(text) = std::str::from_utf8(value) else {
        return format!("({} bytes)", value.len());
    };
    let line: String = text.chars().take(WIDTH).flat_map(char::escape_debug).collect();
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
