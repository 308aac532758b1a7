//! The options of all commands.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

use super::path_text;

/// The options of all commands. Each is a key of the config file too.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Global {
    /// The data directory of the node.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "ROOTFOLD_DATA",
        default_value = ".rootfold"
    )]
    #[serde(with = "path_text")]
    pub data: PathBuf,
    /// The folder of parameters [default: $ROOTFOLD_PARAMS_DIR, or rootfold/ in the user's cache].
    #[arg(long, global = true, value_name = "DIR")]
    #[serde(with = "path_text::optional")]
    pub params_dir: Option<PathBuf>,
}

impl Global {
    /// The same options with paths that do not depend on the folder of the process, which is `folder`.
    #[must_use]
    pub fn within(self, folder: &Path) -> Global {
        let within = |path: PathBuf| folder.join(path);
        Global { data: within(self.data), params_dir: self.params_dir.map(within) }
    }
}
