//! A space as plain files: publishing it to a folder, a store of the S3 protocol or a web server, and reading it
//! from there. No node need run where the files are; `rootfold_light::published` has their names.
//!
//! [`Publisher`] writes the files. [`connect`] makes a [`Peer`] of them, which a replica treats as any other
//! peer: nothing that it sends is trusted.

mod error;
mod garbage;
mod place;
mod publish;
mod source;
mod walk;

pub use error::{FilesError, FilesUrlError, PublishError};
pub use place::FilesUrl;
pub use publish::{publish_beside, PublishReport, Publisher};

use crate::client::{Credentials, Peer, PeerError};

/// A connection to a node, or to published files if the address is a [`FilesUrl`].
///
/// # Errors
/// [`PeerError`].
pub async fn connect(address: &str, credentials: &Credentials) -> Result<Peer, PeerError> {
    match address.parse::<FilesUrl>() {
        Ok(url) => source::connect(address, &url).await,
        Err(_) => Peer::connect_as(address, credentials).await,
    }
}
