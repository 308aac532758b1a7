//! Answers on stdout: text for people, or one line of JSON.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use super::{
    failure::{Failure, OrFail},
    text,
};

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
            printable(&text())
        };
        let mut bytes = line.into_bytes();
        if bytes.last().is_some_and(|b| *b != b'\n') {
            bytes.push(b'\n');
        }
        self.bytes(&bytes)
    }

    /// Writes an answer of a command that has changed something. If it cannot be written, the error says
    /// what was `done`.
    pub fn answer_done(
        self,
        done: &str,
        json: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        self.answer(json, text).map_err(|failure| failure.after(done))
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
            printable(&format!("error: {}", message.replace('\n', " ")))
        };
        // A closed stderr is ignored.
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// The text without characters that a terminal would act on, except for the ends of lines and tabs.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' | '\\' => out.push(c),
            c => out.extend(text::escaped_char(c)),
        }
    }
    out
}
