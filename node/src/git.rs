//! A git history as a list of path changes, read with the `git` program.
//!
//! All commits that `HEAD` reaches are read, parents before children, so the author of a change is
//! the one who made it and not the one who merged it. A commit with one parent has the changes to
//! that parent. A merge has only the paths whose contents differ from the result of the changes so
//! far: conflict resolutions, and the chosen side where two branches disagree. So the changes of a
//! complete history result in exactly the files of `HEAD`.
//!
//! Symbolic links, submodules and blobs over the limit of a value are skipped and counted. A file that
//! is replaced by one of them is deleted. A rename is a delete and a put. Only objects are read: no
//! working tree, no filters, no hooks; nothing is fetched.

mod blobs;
mod changes;
pub mod plan;
mod process;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use rootfold_core::value::MAX_VALUE;
use thiserror::Error;

pub use blobs::Blobs;

/// Why a history cannot be read.
#[derive(Debug, Error)]
pub enum GitError {
    /// The program `git` cannot be started.
    #[error("cannot start `git` (is it installed?): {source}")]
    NotInstalled {
        /// What the system reported.
        source: std::io::Error,
    },
    /// The path is not in a repository, or git refuses to read it.
    #[error("{} is not in a readable git repository: {said}", path.display())]
    NotARepository {
        /// The path.
        path: PathBuf,
        /// What git reported.
        said: String,
    },
    /// The repository has no commit.
    #[error("the git repository of {} has no commit yet", path.display())]
    NoCommit {
        /// The path.
        path: PathBuf,
    },
    /// A pipe to a git process failed.
    #[error("cannot read from `git {command}`: {source}")]
    Pipe {
        /// The git command.
        command: &'static str,
        /// What the system reported.
        source: std::io::Error,
    },
    /// A git process exited with an error.
    #[error("`git {command}` failed: {said}")]
    Failed {
        /// The git command.
        command: &'static str,
        /// What git reported.
        said: String,
    },
    /// The output of a git process does not have its documented form.
    #[error("unexpected output of `git {command}`: {what}")]
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

/// The content of a path after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A blob.
    Put {
        /// The blob's object id, in hexadecimal.
        blob: String,
    },
    /// No file.
    Delete,
}

/// A change of one path in one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The index of the commit's author in [`History::authors`].
    pub author: usize,
    /// The committer's time in seconds since 1970. Git allows any number; one that is not a number of
    /// 64 bits is 0.
    pub seconds: i64,
    /// The bytes of the path, with `/` as separator.
    pub path: Vec<u8>,
    /// The new content.
    pub content: Content,
}

/// The numbers of skipped changes.
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
    /// The authors' e-mail addresses as in the commits, in the order of their first changes.
    pub authors: Vec<Vec<u8>>,
    /// The changes, oldest first.
    pub changes: Vec<Change>,
    /// The number of commits with these changes.
    pub commits: usize,
    /// The skipped changes.
    pub skipped: Skipped,
    /// The files that result from the changes: path -> blob.
    pub files: BTreeMap<Vec<u8>, String>,
    /// Whether these are all changes, so that the files are those of `HEAD`.
    pub complete: bool,
    /// Whether the repository is a shallow clone: older commits are missing.
    pub shallow: bool,
}

impl Skipped {
    /// A line about the skipped changes; `None` if there are none.
    pub fn summary(&self) -> Option<String> {
        let parts: Vec<String> = [
            (self.large, format!("over {} KiB", MAX_VALUE / 1024)),
            (self.links, "of symbolic links".to_owned()),
            (self.submodules, "of submodules".to_owned()),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        (!parts.is_empty()).then(|| format!("skipped changes: {}", parts.join(", ")))
    }
}

/// Reads the oldest `limit` changes of the repository that contains `path`. `progress` receives the
/// number of changes so far.
///
/// # Errors
/// [`GitError`].
pub fn read_history(
    path: &Path,
    limit: usize,
    progress: impl FnMut(usize),
) -> Result<History, GitError> {
    process::require_commit(path)?;
    let history = changes::read(path, limit, progress)?;
    Ok(History { shallow: process::is_shallow(path)?, ..history })
}

#[cfg(test)]
mod tests;
