//! Answers on stdout: text for people, or one line of JSON.

use std::{
    io::{self, ErrorKind, Write},
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;

use super::{
    failure::{Failure, OrFail},
    text,
};

/// The form of answers, and where they go.
#[derive(Debug, Clone)]
pub struct Output {
    /// JSON instead of text.
    pub json: bool,
    /// What is written for another process; `None` writes to stdout and stderr.
    captured: Option<Written>,
}

/// What a command has written for another process: stdout and stderr.
#[derive(Debug, Clone, Default)]
pub struct Written(Arc<Mutex<(Vec<u8>, Vec<u8>)>>);

impl Written {
    /// The bytes of stdout and of stderr.
    pub fn take(&self) -> (Vec<u8>, Vec<u8>) {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Output {
    /// Answers on stdout.
    pub fn new(json: bool) -> Output {
        Output { json, captured: None }
    }

    /// Answers that are kept for another process.
    pub fn captured(json: bool) -> (Output, Written) {
        let written = Written::default();
        (Output { json, captured: Some(written.clone()) }, written)
    }

    /// Whether answers are kept for another process.
    pub fn is_captured(&self) -> bool {
        self.captured.is_some()
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
        if let Some(Written(captured)) = &self.captured {
            let mut captured = captured.lock().unwrap_or_else(PoisonError::into_inner);
            captured.0.extend_from_slice(bytes);
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            // The reader has closed the pipe.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            done => done.or_unreachable("writing to stdout"),
        }
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
        if let Some(Written(captured)) = &self.captured {
            let mut captured = captured.lock().unwrap_or_else(PoisonError::into_inner);
            captured.1.extend_from_slice(line.as_bytes());
            captured.1.push(b'\n');
            return;
        }
        // A closed stderr is ignored.
        let _ = writeln!(io::stderr(), "{line}");
    }
}
