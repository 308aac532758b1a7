//! Sizes and contents of blobs, from two `git cat-file` processes.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{ChildStdin, ChildStdout, Stdio},
};

use rootfold_core::value::MAX_VALUE;

use super::{
    process::{git, Running},
    GitError,
};

const COMMAND: &str = "cat-file";
/// The longest first line of an answer in bytes: object id, type and size.
const LINE_LIMIT: u64 = 256;

/// The blobs of a repository.
pub struct Blobs {
    sizes: CatFile,
    contents: CatFile,
}

impl Blobs {
    /// Opens the repository that contains `path`.
    pub fn open(path: &Path) -> Result<Blobs, GitError> {
        Ok(Blobs {
            sizes: CatFile::start(path, "--batch-check")?,
            contents: CatFile::start(path, "--batch")?,
        })
    }

    /// The size of a blob in bytes.
    pub fn size(&mut self, id: &str) -> Result<u64, GitError> {
        self.sizes.ask(id)
    }

    /// The bytes of a blob, which must fit into a value.
    pub fn contents(&mut self, id: &str) -> Result<Vec<u8>, GitError> {
        let size = self.contents.ask(id)?;
        if size > MAX_VALUE as u64 {
            return Err(strange(format!("{size} bytes for blob {id}, more than its size before")));
        }
        self.contents.body(size)
    }
}

struct CatFile {
    // Declared before `process`, so that it is closed first.
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    process: Running,
}

impl CatFile {
    fn start(path: &Path, mode: &str) -> Result<CatFile, GitError> {
        let mut command = git(path, COMMAND);
        command.arg(mode).stdin(Stdio::piped());
        let mut process = Running::start(COMMAND, command)?;
        let to = process.child().stdin.take().expect("stdin is piped");
        let from = process.child().stdout.take().expect("stdout is piped");
        Ok(CatFile { to, from: BufReader::new(from), process })
    }

    /// Requests an object and reads the first line of the answer; returns the size.
    fn ask(&mut self, id: &str) -> Result<u64, GitError> {
        let asked = writeln!(self.to, "{id}").and_then(|()| self.to.flush());
        let mut line = String::new();
        let read = asked.and_then(|()| (&mut self.from).take(LINE_LIMIT).read_line(&mut line));
        match read {
            Ok(0) => Err(GitError::Failed { command: COMMAND, said: self.process.said() }),
            Err(source) => Err(GitError::Pipe { command: COMMAND, source }),
            Ok(_) => parse_answer(id, line.trim_end()),
        }
    }

    fn body(&mut self, size: u64) -> Result<Vec<u8>, GitError> {
        let mut bytes = Vec::new();
        // A line feed follows the content.
        (&mut self.from)
            .take(size + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| GitError::Pipe { command: COMMAND, source })?;
        if bytes.pop() != Some(b'\n') || bytes.len() as u64 != size {
            return Err(strange(format!("{} bytes for a blob of {size} bytes", bytes.len())));
        }
        Ok(bytes)
    }
}

/// `<id> blob <size>`, or `<id> missing`.
fn parse_answer(id: &str, line: &str) -> Result<u64, GitError> {
    match line.split(' ').collect::<Vec<_>>()[..] {
        [named, "blob", size] if named == id => {
            size.parse().map_err(|_| strange(format!("{size:?} as the size of {id}")))
        }
        [named, "missing"] if named == id => Err(GitError::Missing { id: id.to_owned() }),
        _ => Err(strange(format!("{line:?} when asked for blob {id}"))),
    }
}

fn strange(what: String) -> GitError {
    GitError::Strange { command: COMMAND, what }
}
