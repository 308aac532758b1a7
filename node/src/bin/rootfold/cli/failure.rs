//! Failures with their exit codes.

use std::fmt;

use rootfold_light::verify::VerifyError;
use rootfold_node::{
    bootstrap::BootstrapError,
    data_dir::DataDirError,
    git::GitError,
    prove::ProveError,
    replay::ReplayError,
    server::ServeError,
    snapshot_file::SnapshotFileError,
    space::{IngestError, SpaceError},
    store::StoreError,
};
use rootfold_prover::ParametersError;

/// What the exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// A proof, signature, page, value or op is bad.
    Refused = 1,
    /// The command cannot mean what it says.
    Usage = 2,
    /// Something could not be reached, read or written.
    Unreachable = 3,
}

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What happened, outermost first.
    pub error: anyhow::Error,
}

impl Failure {
    /// A command that cannot mean what it says.
    pub fn usage(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Failure {
        Failure { exit: Exit::Usage, error: anyhow::Error::msg(message) }
    }

    /// Something that is not there.
    pub fn unreachable(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Failure {
        Failure { exit: Exit::Unreachable, error: anyhow::Error::msg(message) }
    }

    /// Something that is bad.
    pub fn refused(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Failure {
        Failure { exit: Exit::Refused, error: anyhow::Error::msg(message) }
    }

    /// The causes in one line, none twice: many errors name their source in their own text.
    pub fn in_words(&self) -> String {
        let mut words = String::new();
        for cause in self.error.chain().map(ToString::to_string) {
            if words.is_empty() {
                words = cause;
            } else if !words.contains(&cause) {
                words = format!("{words}: {cause}");
            }
        }
        words
    }
}

/// Gives an error its exit code and says what was being done.
pub trait OrFail<T> {
    /// Exit code 1.
    fn or_refused(self, doing: impl fmt::Display) -> Result<T, Failure>;
    /// Exit code 2.
    fn or_usage(self, doing: impl fmt::Display) -> Result<T, Failure>;
    /// Exit code 3.
    fn or_unreachable(self, doing: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrFail<T> for Result<T, E> {
    fn or_refused(self, doing: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| failure(Exit::Refused, error, &doing))
    }

    fn or_usage(self, doing: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| failure(Exit::Usage, error, &doing))
    }

    fn or_unreachable(self, doing: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| failure(Exit::Unreachable, error, &doing))
    }
}

fn failure(exit: Exit, error: impl Into<anyhow::Error>, doing: &impl fmt::Display) -> Failure {
    Failure { exit, error: error.into().context(doing.to_string()) }
}

/// What this machine could not do.
macro_rules! unreachable_errors {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure { exit: Exit::Unreachable, error: error.into() }
            }
        })*
    };
}

/// Errors that know whether they blame data or the way to it.
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
    DataDirError,
    SpaceError,
    StoreError,
    GitError,
    ParametersError,
    ProveError,
    ServeError
);
judging_errors!(IngestError, BootstrapError, ReplayError);

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Failure {
        Failure { exit: Exit::Refused, error: error.into() }
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
