//! What the figures are measured on: puts of three kinds, and the space that they go into.

mod puts;
mod space;

use std::path::PathBuf;

use anyhow::Context;
use rootfold_core::{key::Key, F};
use serde::{Deserialize, Serialize};

pub use puts::{appended, git_history, random};
pub use space::{LoadSpace, Planned};

/// A key and the digest of the value that is put under it; 0 deletes.
pub type Put = (Key, F);

/// Where keys come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Load {
    /// The path changes of a git repository, oldest first.
    Git,
    /// Keys that begin with the time: every put goes to the end of the tree.
    Append,
    /// Keys without order: every put goes somewhere else.
    Random,
}

impl Load {
    /// All of them, in the order of the report.
    pub const ALL: [Load; 3] = [Load::Git, Load::Append, Load::Random];
}

/// A load: what the tree holds before, and what is put then.
pub struct Puts {
    /// The entries of the tree.
    pub before: Vec<Put>,
    /// What is written into it.
    pub after: Vec<Put>,
}

/// Which puts to make.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Keys that the tree holds before; a git history has as many as it has.
    pub keys: usize,
    /// Puts after that; a git history gives at most half of its changes.
    pub puts: usize,
    /// A path inside the git repository.
    pub git: PathBuf,
}

impl Load {
    /// The puts of this load, the same at every call.
    ///
    /// # Errors
    /// If the git history cannot be read.
    pub fn puts(self, wanted: &Wanted) -> anyhow::Result<Puts> {
        let split = |mut before: Vec<Put>, at: usize| {
            let after = before.split_off(at);
            Puts { before, after }
        };
        match self {
            Load::Append => {
                Ok(split(appended(1).take(wanted.keys + wanted.puts).collect(), wanted.keys))
            }
            Load::Random => {
                Ok(split(random(2).take(wanted.keys + wanted.puts).collect(), wanted.keys))
            }
            Load::Git => {
                let history = git_history(&wanted.git)
                    .with_context(|| format!("the history of {}", wanted.git.display()))?;
                anyhow::ensure!(history.len() > 1, "a git history of less than two changes");
                let after = wanted.puts.min(history.len() / 2);
                let at = history.len() - after;
                Ok(split(history, at))
            }
        }
    }
}
