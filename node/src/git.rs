//! A git history as a list of path changes, read through the `git` binary.
//!
//! Every commit that `HEAD` reaches is walked, parents before children, so that the author of a
//! change is who made it and not who merged it. A commit with one parent gives what it changed. A
//! merge gives only the paths whose contents differ from what the changes so far add up to: its
//! conflict resolutions, and the side it chose where two branches disagree. So the changes of a
//! whole history add up to exactly the files of `HEAD`.
//!
//! Symbolic links, submodules and blobs over the limit of a value are left out and counted. Where
//! such a thing takes the place of a file, the file is deleted: no old contents stay behind.
//! Renames are a delete and a put. Only objects are read: no working tree, no filters, no hooks,
//! and nothing is fetched.

mod blobs;
mod changes;
pub mod plan;
mod process;

use std::path::{Path, PathBuf};

use rootfold_core::value::MAX_VALUE;
use thiserror::Error;

pub use blobs::Blobs;

/// Why a history could not be read.
#[derive(Debug, Error)]
pub enum GitError {
    /// There is no `git` to start.
    #[error("cannot start `git`: is it installed? {source}")]
    NotInstalled {
        /// What the system said.
        source: std::io::Error,
    },
    /// The path is in no repository, or git refuses to read it.
    #[error("{} is not in a git repository that can be read: {said}", path.display())]
    NotARepository {
        /// The path asked for.
        path: PathBuf,
        /// What git said.
        said: String,
    },
    /// The repository has no commit yet.
    #[error("the git repository of {} has no commit yet", path.display())]
    NoCommit {
        /// The path asked for.
        path: PathBuf,
    },
    /// Talking to a git process failed.
    #[error("reading from `git {command}` failed: {source}")]
    Pipe {
        /// The git command.
        command: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A git process ended with an error.
    #[error("`git {command}` failed: {said}")]
    Failed {
        /// The git command.
        command: &'static str,
        /// What git said.
        said: String,
    },
    /// A git process printed something that is not its documented output.
    #[error("`git {command}` printed {what}")]
    Strange {
        /// The git command.
        command: &'static str,
        /// What was unexpected.
        what: String,
    },
    /// A blob that a commit names is not in the repository (a partial clone).
    #[error("git object {id} is not in the repository; a partial clone cannot be imported")]
    Missing {
        /// The object's id.
        id: String,
    },
}

/// What a change leaves at its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The bytes of this blob.
    Put {
        /// The blob's object id, in hexadecimal.
        blob: String,
    },
    /// Nothing.
    Delete,
}

/// One path that one commit changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Index of the commit's author in [`History::authors`].
    pub author: usize,
    /// The commit's time (of the committer), in seconds since 1970; git allows any number.
    pub seconds: i64,
    /// The path's bytes, `/` between folders.
    pub path: Vec<u8>,
    /// What it holds now.
    pub content: Content,
}

/// What was left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Changes to a blob over the limit of a value.
    pub large: usize,
    /// Changes to a symbolic link.
    pub links: usize,
    /// Changes to a submodule.
    pub submodules: usize,
}

/// The oldest changes of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The authors' e-mail addresses as the commits write them, in order of first change.
    pub authors: Vec<Vec<u8>>,
    /// The changes, oldest first.
    pub changes: Vec<Change>,
    /// Commits that these changes come from.
    pub commits: usize,
    /// What was left out on the way.
    pub skipped: Skipped,
}

impl Skipped {
    /// Says in words what was left out; `None` if nothing was.
    pub fn in_words(&self) -> Option<String> {
        let parts: Vec<String> = [
            (self.large, format!("over {} KiB", MAX_VALUE / 1024)),
            (self.links, "of symbolic links".to_owned()),
            (self.submodules, "of submodules".to_owned()),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        (!parts.is_empty()).then(|| format!("left out changes: {}", parts.join(", ")))
    }
}

/// Reads the oldest `limit` changes of the repository that `path` lies in. `progress` is told the
/// number of changes now and then.
///
/// # Errors
/// [`GitError`], which says what git said.
pub fn read_history(
    path: &Path,
    limit: usize,
    progress: impl FnMut(usize),
) -> Result<History, GitError> {
    process::require_commit(path)?;
    changes::read(path, limit, progress)
}

#[cfg(test)]
mod tests;
