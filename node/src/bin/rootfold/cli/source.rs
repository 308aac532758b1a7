//! Where a space can be read.

use rootfold_node::{
    address::{Address, AddressError},
    files::FilesUrl,
};

/// Where a space can be read: a node, or published files.
#[derive(Debug, Clone)]
pub enum Source {
    /// A node.
    Node(Address),
    /// Published files.
    Files(FilesUrl),
}

impl Source {
    /// An address of a node, or a base URL of published files.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn of(text: &str) -> Result<Source, AddressError> {
        match text.parse() {
            Ok(files) => Ok(Source::Files(files)),
            Err(_) => Address::of_node(text).map(Source::Node),
        }
    }

    /// As people write it.
    pub fn text(&self) -> String {
        match self {
            Source::Node(address) => address.to_string(),
            Source::Files(url) => url.to_string(),
        }
    }
}
