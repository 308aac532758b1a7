//! The options of all commands.

use std::{
    env,
    path::{Path, PathBuf},
};

use clap::{builder::BoolishValueParser, Args};
use rootfold_proto::limits::MAX_GROUP_BYTES;
use serde::{Deserialize, Serialize};

use crate::{logging::LogFormat, path_text};

/// The largest number of bytes that a command reads from stdin: a batch of values of the largest group, in
/// hexadecimal, with keys and tags.
pub const MAX_STDIN: u64 = 3 * MAX_GROUP_BYTES as u64;

/// The variable of `--params-dir`. clap does not read it, since an empty one counts as none.
pub const PARAMS_DIR: &str = "ROOTFOLD_PARAMS_DIR";

/// The path that a variable names, unless it is empty.
pub fn path_in(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

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
    /// The certificate authorities of nodes whose addresses begin with `https://`, as PEM [default: those of
    /// the system].
    #[arg(long, global = true, value_name = "FILE", env = "ROOTFOLD_TLS_CA")]
    #[serde(with = "path_text::optional")]
    pub tls_ca: Option<PathBuf>,
    /// The certificate that this node shows to nodes that want one, as PEM.
    #[arg(long, global = true, value_name = "FILE", env = "ROOTFOLD_TLS_CLIENT_CERT")]
    #[serde(with = "path_text::optional")]
    pub tls_client_cert: Option<PathBuf>,
    /// The key of --tls-client-cert, as PEM; nobody else may be able to read it.
    #[arg(long, global = true, value_name = "FILE", env = "ROOTFOLD_TLS_CLIENT_KEY")]
    #[serde(with = "path_text::optional")]
    pub tls_client_key: Option<PathBuf>,
    /// The token for nodes that take ops only with one; nobody else may be able to read the file.
    #[arg(long, global = true, value_name = "FILE", env = "ROOTFOLD_TOKEN_FILE")]
    #[serde(with = "path_text::optional")]
    pub token_file: Option<PathBuf>,
    /// Sends the token to other machines without TLS too, where others can read it.
    #[arg(
        long,
        global = true,
        env = "ROOTFOLD_TOKEN_IN_CLEAR",
        value_parser = BoolishValueParser::new()
    )]
    pub token_in_clear: bool,
    /// What is logged on stderr: error, warn, info, debug or trace, or a filter such as `warn,rootfold_node=debug`.
    /// The variable RUST_LOG counts more.
    #[arg(
        long,
        global = true,
        value_name = "LEVEL",
        default_value = "warn",
        env = "ROOTFOLD_LOG_LEVEL"
    )]
    pub log_level: String,
    /// How the log is written.
    #[arg(long, global = true, value_enum, default_value = "text", env = "ROOTFOLD_LOG_FORMAT")]
    pub log_format: LogFormat,
}

impl Global {
    /// The same options with paths that do not depend on the folder of the process, which is `folder`.
    #[must_use]
    pub fn within(self, folder: &Path) -> Global {
        let within = |path: PathBuf| folder.join(path);
        Global {
            data: within(self.data),
            params_dir: self.params_dir.map(within),
            tls_ca: self.tls_ca.map(within),
            tls_client_cert: self.tls_client_cert.map(within),
            tls_client_key: self.tls_client_key.map(within),
            token_file: self.token_file.map(within),
            token_in_clear: self.token_in_clear,
            log_level: self.log_level,
            log_format: self.log_format,
        }
    }
}
