//! Failures with their exit codes.

use std::fmt;

use rootfold_light::verify::VerifyError;
use rootfold_node::{
    backup::BackupError,
    bootstrap::BootstrapError,
    data_dir::DataDirError,
    git::GitError,
    private_file::PrivateFileError,
    prove::{FetchParametersError, ProveError},
    replay::ReplayError,
    server::ServeError,
    snapshot_file::SnapshotFileError,
    space::{ForkRefused, IngestError, SpaceError, WriteError},
    store::StoreError,
    tls::TlsError,
    token::TokenError,
};
use rootfold_prover::ParametersError;

use super::config::ConfigError;

/// The exit code of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// A proof, signature, page, value or op is bad, or an op is not allowed.
    Refused = 1,
    /// The arguments are wrong.
    Usage = 2,
    /// Something cannot be reached, read or written.
    Unreachable = 3,
    /// This replica and a peer have different states for the same ops.
    Differs = 4,
    /// What was asked for by name is not in the space or the list.
    NotFound = 5,
}

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// The error with its causes.
    pub error: anyhow::Error,
}

impl Failure {
    /// A failure with [`Exit::Usage`].
    pub fn usage(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Failure {
        Failure { exit: Exit::Usage, error: anyhow::Error::msg(message) }
    }

    /// A failure with [`Exit::Unreachable`].
    pub fn unreachable(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Failure {
        Failure { exit: Exit::Unreachable, error: anyhow::Error::msg(message) }
    }

    /// A failure with [`Exit::Refused`].
    pub fn refused(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Failure {
        Failure { exit: Exit::Refused, error: anyhow::Error::msg(message) }
    }

    /// A failure with [`Exit::Differs`].
    pub fn differs(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Failure {
        Failure { exit: Exit::Differs, error: anyhow::Error::msg(message) }
    }

    /// A failure with [`Exit::NotFound`].
    pub fn not_found(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Failure {
        Failure { exit: Exit::NotFound, error: anyhow::Error::msg(message) }
    }

    /// The same failure of a command that has `done` something before.
    #[must_use]
    pub fn after(self, done: &str) -> Failure {
        Failure { exit: self.exit, error: self.error.context(format!("{done}, but not reported")) }
    }

    /// The same failure, within `context`.
    #[must_use]
    pub fn within(self, context: impl fmt::Display + Send + Sync + 'static) -> Failure {
        Failure { exit: self.exit, error: self.error.context(context) }
    }

    /// The error and its causes in one line. Many errors include their source in their own text; such
    /// a source is not repeated.
    pub fn message(&self) -> String {
        let mut message = String::new();
        for cause in self.error.chain().map(ToString::to_string) {
            if message.is_empty() {
                message = cause;
            } else if !message.contains(&cause) {
                message = format!("{message}: {cause}");
            }
        }
        message
    }
}

/// Adds an exit code and a context to an error.
pub trait OrFail<T> {
    /// Adds [`Exit::Refused`].
    fn or_refused(self, context: impl fmt::Display) -> Result<T, Failure>;
    /// Adds [`Exit::Usage`].
    fn or_usage(self, context: impl fmt::Display) -> Result<T, Failure>;
    /// Adds [`Exit::Unreachable`].
    fn or_unreachable(self, context: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrFail<T> for Result<T, E> {
    fn or_refused(self, context: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| failure(Exit::Refused, error, &context))
    }

    fn or_usage(self, context: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| failure(Exit::Usage, error, &context))
    }

    fn or_unreachable(self, context: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| failure(Exit::Unreachable, error, &context))
    }
}

fn failure(exit: Exit, error: impl Into<anyhow::Error>, context: &impl fmt::Display) -> Failure {
    Failure { exit, error: error.into().context(context.to_string()) }
}

/// Errors of this machine.
macro_rules! unreachable_errors {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure { exit: Exit::Unreachable, error: error.into() }
            }
        })*
    };
}

/// Errors with a method `is_refusal`, which says whether data is bad.
macro_rules! judging_errors {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                let exit = if error.is_refusal() { Exit::Refused } else { Exit::Unreachable };
                Failure { exit, error: error.into() }
            }
        })*
    };
}

unreachable_errors!(
    BackupError,
    DataDirError,
    SpaceError,
    StoreError,
    GitError,
    PrivateFileError,
    ParametersError,
    ServeError,
    TlsError,
    TokenError
);
judging_errors!(
    ProveError,
    FetchParametersError,
    IngestError,
    BootstrapError,
    ReplayError,
    WriteError,
    ForkRefused
);

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Failure {
        Failure { exit: Exit::Refused, error: error.into() }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure { exit: Exit::Usage, error: error.into() }
    }
}

impl From<SnapshotFileError> for Failure {
    fn from(error: SnapshotFileError) -> Failure {
        let exit = match error {
            SnapshotFileError::File { .. } => Exit::Unreachable,
            SnapshotFileError::Snapshot { .. } => Exit::Refused,
        };
        Failure { exit, error: error.into() }
    }
}
