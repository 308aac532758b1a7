//! Errors of published files.

use rootfold_core::tree::TreeError;
use rootfold_light::published::PublishedError;
use thiserror::Error;
use tonic::Status;

use crate::{blocking::Panicked, space::SpaceError, store::StoreError};

/// Why a text is no base URL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FilesUrlError {
    /// Not a URL.
    #[error("{text}: not a URL: {what}")]
    Form {
        /// The text.
        text: String,
        /// What is wrong.
        what: String,
    },
    /// Another scheme, or no path.
    #[error("{text}: expected file:///PATH, s3://BUCKET/PATH, or http(s)://HOST/PATH")]
    Scheme {
        /// The text.
        text: String,
    },
}

/// Why a file cannot be read or written.
#[derive(Debug, Error)]
pub enum FilesError {
    /// The place cannot be used.
    #[error(transparent)]
    Url(#[from] FilesUrlError),
    /// The host refuses, or cannot be reached.
    #[error("{name}: {source}")]
    Host {
        /// The name of the file, or of what was asked.
        name: String,
        /// What the host says.
        source: object_store::Error,
    },
    /// A file is longer than files of its kind can be.
    #[error("{name} has more than {limit} bytes")]
    TooLong {
        /// The name of the file.
        name: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// A file is missing.
    #[error("{name} is missing")]
    Missing {
        /// The name of the file.
        name: String,
    },
    /// A file is not what it should be.
    #[error(transparent)]
    Published(#[from] PublishedError),
}

/// Why a space is not published.
#[derive(Debug, Error)]
pub enum PublishError {
    /// The space has no snapshot.
    #[error("there is no snapshot to publish: prove first (`rootfold prove`, `rootfold publish`)")]
    NoSnapshot,
    /// The space has no verifying key.
    #[error("the space has no verifying key: a replica that was replayed cannot publish")]
    NoKey,
    /// The files there cover more ops.
    #[error(
        "the files there cover {published} ops, the newest snapshot here covers {held}: sync with a peer first"
    )]
    Behind {
        /// The ops that the files cover.
        published: u64,
        /// The ops that the newest snapshot of this node covers.
        held: u64,
    },
    /// The place cannot be read or written.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The space cannot be read.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The space cannot be read.
    #[error("reading the logs: {}", .0.message())]
    Logs(Box<Status>),
    /// Work has panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

impl From<TreeError> for PublishError {
    fn from(e: TreeError) -> PublishError {
        PublishError::Space(e.into())
    }
}

impl From<StoreError> for PublishError {
    fn from(e: StoreError) -> PublishError {
        PublishError::Space(e.into())
    }
}

impl From<Status> for PublishError {
    fn from(status: Status) -> PublishError {
        PublishError::Logs(Box::new(status))
    }
}

impl From<PublishedError> for PublishError {
    fn from(e: PublishedError) -> PublishError {
        PublishError::Files(e.into())
    }
}
