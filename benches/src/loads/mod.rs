//! The loads of the benchmarks: puts of three kinds, and a space that takes them.

mod puts;
mod space;

use std::path::PathBuf;

use anyhow::Context;
use rootfold_core::{key::Key, F};
use serde::{Deserialize, Serialize};

pub use puts::{appended, git_history, random};
pub use space::{LoadSpace, Planned};

/// A key and the digest of its new value. The digest 0 deletes the key.
pub type Put = (Key, F);

/// The source of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Load {
    /// The path changes of a git repository, oldest first.
    Git,
    /// Keys that begin with an increasing timestamp: every put is at the end of the tree.
    Append,
    /// Random keys: every put is at a random place of the tree.
    Random,
}

impl Load {
    /// All loads, in the order of the report.
    pub const ALL: [Load; 3] = [Load::Git, Load::Append, Load::Random];
}

/// The puts of a load.
pub struct Puts {
    /// The puts that are in the tree before the measurement.
    pub before: Vec<Put>,
    /// The measured puts.
    pub after: Vec<Put>,
}

/// The number of puts to make, and their source.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Number of keys in the tree before the measurement. Ignored for a git history.
    pub keys: usize,
    /// Number of measured puts. A git history provides at most half of its changes.
    pub puts: usize,
    /// A path inside the git repository.
    pub git: PathBuf,
}

impl Load {
    /// The puts of this load. Every call returns the same puts.
    ///
    /// # Errors
    /// If the git history cannot be read or has fewer than two changes.
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
                anyhow::ensure!(history.len() > 1, "the git history has fewer than two changes");
                let after = wanted.puts.min(history.len() / 2);
                let at = history.len() - after;
                Ok(split(history, at))
            }
        }
    }
}
