//! The token that a node may demand for ops: read from a file, given in the metadata of a call, compared.

use std::path::{Path, PathBuf};

use thiserror::Error;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};

use crate::private_file::{self, PrivateFileError};

/// The metadata that has the token.
const NAME: &str = "authorization";
/// What stands before the token there. Its case does not matter.
const SCHEME: &str = "Bearer ";
/// The shortest and the longest token, in bytes.
const LENGTH: std::ops::RangeInclusive<usize> = 16..=1024;
/// The largest file, in bytes: a token and some space after it.
const MAX_FILE: u64 = 2048;

/// Why a file has no token.
#[derive(Debug, Error)]
pub enum TokenError {
    /// It cannot be used.
    #[error("token file {0}")]
    File(#[from] PrivateFileError),
    /// It has something else.
    #[error(
        "token file {}: expected one line of 16 to 1024 visible ASCII characters; `openssl rand -hex 32` \
         makes one",
        path.display()
    )]
    Form {
        /// The file.
        path: PathBuf,
    },
}

/// A token. Cheap to clone.
#[derive(Clone)]
pub struct Token {
    /// The value of the metadata.
    shown: MetadataValue<Ascii>,
    /// The digest of the token. Digests are compared, in constant time, so that nothing shows how much of a
    /// guess is right.
    digest: blake3::Hash,
}

impl Token {
    /// Reads a token from a file that nobody else can read. White space around it does not count.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn read(path: &Path) -> Result<Token, TokenError> {
        let bytes = private_file::read(path, MAX_FILE)?;
        let token = Token::of(bytes.trim_ascii());
        token.ok_or_else(|| TokenError::Form { path: path.to_owned() })
    }

    /// The token with these characters; `None` if they can be none.
    fn of(token: &[u8]) -> Option<Token> {
        let text = std::str::from_utf8(token).ok()?;
        if !LENGTH.contains(&token.len()) || !token.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut shown = MetadataValue::try_from(format!("{SCHEME}{text}")).ok()?;
        // Kept out of logs and of the table of HTTP/2 headers.
        shown.set_sensitive(true);
        Some(Token { shown, digest: blake3::hash(token) })
    }

    /// Adds the token to a call.
    pub(crate) fn show(&self, metadata: &mut MetadataMap) {
        metadata.insert(NAME, self.shown.clone());
    }

    /// Whether a call has the token.
    pub(crate) fn is_shown(&self, metadata: &MetadataMap) -> bool {
        let shown = metadata.get(NAME).map(MetadataValue::as_bytes);
        let parts = shown.and_then(|shown| shown.split_at_checked(SCHEME.len()));
        parts.is_some_and(|(scheme, token)| {
            scheme.eq_ignore_ascii_case(SCHEME.as_bytes()) && blake3::hash(token) == self.digest
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_compared_whole() {
        let token = Token::of(b"0123456789abcdef").unwrap();
        let mut metadata = MetadataMap::new();
        assert!(!token.is_shown(&metadata));
        token.show(&mut metadata);
        assert!(token.is_shown(&metadata));
        for (shown, right) in [
            ("bearer 0123456789abcdef", true),
            ("Bearer 0123456789abcde", false),
            ("Bearer 0123456789abcdeff", false),
            ("Bearer  0123456789abcdef", false),
            ("Basic 0123456789abcdef", false),
            ("Bearer ", false),
            ("Bear", false),
            ("0123456789abcdef", false),
        ] {
            metadata.insert(NAME, shown.parse().unwrap());
            assert_eq!(token.is_shown(&metadata), right, "{shown:?}");
        }
    }

    #[test]
    fn what_can_be_no_token() {
        for bad in
            ["", "short", "0123456789 abcdef", "0123456789\nabcdef", "0123456789abcdef\u{e9}"]
        {
            assert!(Token::of(bad.as_bytes()).is_none(), "{bad:?}");
        }
        assert!(Token::of(&[b'x'; 1025]).is_none() && Token::of(&[b'x'; 1024]).is_some());
    }
}
