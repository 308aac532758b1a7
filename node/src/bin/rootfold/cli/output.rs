//! Answers on stdout: text for people, or one line of JSON.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use super::{
    failure::{Failure, OrFail},
    text,
};
use crate::written::{Part, Written};

/// The form of answers, and where they go.
#[derive(Debug, Clone)]
pub struct Output {
    /// JSON instead of text.
    pub json: bool,
    /// Takes what is written for another process; `None` writes to stdout and stderr.
    captured: Option<Written>,
}

impl Output {
    /// Answers on stdout.
    pub fn new(json: bool) -> Output {
        Output { json, captured: None }
    }

    /// Answers for another process.
    pub fn captured(json: bool, written: Written) -> Output {
        Output { json, captured: Some(written) }
    }

    /// Whether answers are for another process.
    pub fn is_captured(&self) -> bool {
        self.captured.is_some()
    }

    /// Whether the other process that waits for answers has gone.
    pub fn is_abandoned(&self) -> bool {
        self.captured.as_ref().is_some_and(|written| written.is_abandoned())
    }

    /// Writes an answer.
    pub fn answer(
        &self,
        json: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        let line = if self.json {
            serde_json::to_string(json).or_unreachable("writing the answer")?
        } else {
            text::printable(&text())
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
        &self,
        done: &str,
        json: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        self.answer(json, text).map_err(|failure| failure.after(done))
    }

    /// Writes bytes.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        match self.write(bytes) {
            // The reader has closed the pipe.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            done => done.or_unreachable("writing to stdout"),
        }
    }

    /// Writes bytes; an error also if the reader has closed the pipe.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        if let Some(written) = &self.captured {
            written.send(Part::Stdout(bytes.to_vec()));
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush())
    }

    /// Writes a failure to stderr.
    pub fn failure(&self, failure: &Failure) {
        let message = failure.message();
        let line = if self.json {
            serde_json::json!({ "error": message, "exit": failure.exit as u8 }).to_string()
        } else {
            text::printable(&format!("error: {}", message.replace('\n', " ")))
        };
        self.warn(&line);
    }

    /// Writes a line to stderr.
    pub fn warn(&self, line: &str) {
        if let Some(written) = &self.captured {
            written.send(Part::Stderr(format!("{line}\n").into_bytes()));
            return;
        }
        // A closed stderr is ignored.
        let _ = writeln!(io::stderr(), "{line}");
    }
}
