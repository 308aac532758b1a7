//! Answers on stdout: text for people, or one line of JSON.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use super::failure::{Failure, OrFail};

/// The form of answers.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// JSON instead of text.
    pub json: bool,
}

impl Output {
    /// Writes an answer.
    pub fn answer(
        self,
        json: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        let line = if self.json {
            serde_json::to_string(json).or_unreachable("writing the answer")?
        } else {
            text()
        };
        let mut bytes = line.into_bytes();
        if bytes.last().is_some_and(|b| *b != b'\n') {
            bytes.push(b'\n');
        }
        self.bytes(&bytes)
    }

    /// Writes bytes.
    pub fn bytes(self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            // The reader has closed the pipe.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            done => done.or_unreachable("writing to stdout"),
        }
    }

    /// Writes a failure to stderr.
    pub fn failure(self, failure: &Failure) {
        let message = failure.message();
        let line = if self.json {
            serde_json::json!({ "error": message, "exit": failure.exit as u8 }).to_string()
        } else {
            format!("error: {message}")
        };
        // A closed stderr is ignored.
        let _ = writeln!(io::stderr(), "{line}");
    }
}
