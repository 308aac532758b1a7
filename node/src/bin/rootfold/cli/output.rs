//! Answers on stdout: text for people, or one line of JSON.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;
use tokio::sync::mpsc;

use super::{
    failure::{Failure, OrFail},
    text,
};

/// The form of answers, and where they go.
#[derive(Debug, Clone)]
pub struct Output {
    /// JSON instead of text.
    pub json: bool,
    /// Takes what is written for another process; `None` writes to stdout and stderr.
    captured: Option<Written>,
}

/// A part of what a command has written for another process.
pub enum Part {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
}

/// Takes what a command writes for another process.
#[derive(Debug, Clone)]
pub struct Written(mpsc::Sender<Part>);

impl Written {
    /// The number of parts that wait for the other process before the command does.
    const WAITING: usize = 16;

    /// A writer, and what receives the parts.
    pub fn new() -> (Written, mpsc::Receiver<Part>) {
        let (sender, receiver) = mpsc::channel(Written::WAITING);
        (Written(sender), receiver)
    }

    /// Sends a part; waits while the other process is slow, so not for use in a future. Without that
    /// process the part is dropped.
    fn send(&self, part: Part) {
        let _ = self.0.blocking_send(part);
    }
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
        self.captured.as_ref().is_some_and(|written| written.0.is_closed())
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
