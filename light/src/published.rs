//! A space as plain files: their names, and the checks of the pointer and of objects.
//!
//! A publisher writes pages, values and objects under names that their content determines, and last the pointer
//! [`POINTER`]. A reader needs nothing but to read a file by its name. `docs/formats.md`, "Published files",
//! has the layout.

use prost::bytes::Bytes;
use rootfold_core::{field, key::Key, F};
use rootfold_proto::{
    decode,
    limits::{MAX_MESSAGE_BYTES, MAX_NAMES},
    v1, DecodeError,
};
use thiserror::Error;

use crate::{
    invite::Invite,
    messages::{self, MessageError},
    values::{ValueKind, ValueName},
};

/// The name of the pointer.
pub const POINTER: &str = "published";
/// The name of the list of files to be removed.
pub const GARBAGE: &str = "garbage";
/// The version of the format.
pub const FILES_VERSION: u32 = 1;
/// The longest pointer, in bytes.
pub const MAX_POINTER_BYTES: usize = 256 * 1024;
/// The longest object, in bytes.
pub const MAX_OBJECT_BYTES: usize = MAX_MESSAGE_BYTES;
/// The largest number of objects with ops.
pub const MAX_TAIL_OBJECTS: usize = 4_096;
/// The largest number of pages of the frontier.
pub const MAX_FRONTIER_PAGES: usize = MAX_NAMES;

/// The name of an object: the BLAKE3 digest of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(pub [u8; 32]);

/// What the pointer names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Milliseconds since 1970 by the clock of the publisher, which is not trusted.
    pub published_at: u64,
    /// The object with the genesis config, if the publisher has it.
    pub genesis: Option<ObjectName>,
    /// The object with the verifying key.
    pub verifying_key: ObjectName,
    /// The object with the newest snapshot.
    pub snapshot: ObjectName,
    /// The objects with the pages of the frontier, at least one.
    pub frontier: Vec<ObjectName>,
    /// The objects with the ops after the snapshot.
    pub tail: Vec<ObjectName>,
}

/// Why published files are refused.
#[derive(Debug, Error)]
pub enum PublishedError {
    /// A file is not the message that it should be.
    #[error("{name}: {source}")]
    Decode {
        /// The name of the file.
        name: String,
        /// What is wrong.
        source: DecodeError,
    },
    /// A message does not have the required form.
    #[error("{name}: {source}")]
    Message {
        /// The name of the file.
        name: String,
        /// What is wrong.
        source: MessageError,
    },
    /// Files of another version.
    #[error("published files of version {version}; this program reads version {FILES_VERSION}")]
    Version {
        /// The version.
        version: u32,
    },
    /// Another space, or other parameters.
    #[error("these are the files of {actual}, expected {expected}")]
    Other {
        /// What the invite names.
        expected: String,
        /// What the pointer names.
        actual: String,
    },
    /// The content of an object does not have its name.
    #[error("{name} was altered: its content has another digest")]
    Altered {
        /// The name of the file.
        name: String,
    },
}

impl ObjectName {
    /// The name of this content.
    pub fn of(content: &[u8]) -> ObjectName {
        ObjectName(*blake3::hash(content).as_bytes())
    }

    /// The name of its file.
    pub fn file(&self) -> String {
        format!("objects/{}", blake3::Hash::from_bytes(self.0).to_hex())
    }

    /// Checks that `content` has this name.
    ///
    /// # Errors
    /// [`PublishedError::Altered`].
    pub fn check(&self, content: &[u8]) -> Result<(), PublishedError> {
        if ObjectName::of(content) == *self {
            Ok(())
        } else {
            Err(PublishedError::Altered { name: self.file() })
        }
    }

    fn read(what: &'static str, bytes: &[u8]) -> Result<ObjectName, MessageError> {
        let length = bytes.len();
        let bytes = bytes.try_into();
        bytes.map(ObjectName).map_err(|_| MessageError::Length {
            what,
            expected: 32,
            actual: length,
        })
    }
}

/// The name of the file of a page, with its inline values.
pub fn page_file(name: &F) -> String {
    format!("pages/{}", field::to_hex(name))
}

/// The name of the file of a value that is too long to be inline in a page.
pub fn value_file(name: &ValueName) -> String {
    let kind = match name.kind {
        ValueKind::User => "user",
        ValueKind::Head => "head",
        ValueKind::Replacement => "replacement",
    };
    format!("values/{kind}-{}", field::to_hex(&name.digest))
}

/// The name of the file with the primary keys of the entries of the index in a leaf page.
pub fn keys_file(page: &F) -> String {
    format!("keys/{}", field::to_hex(page))
}

/// A file of the tree of a published state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TreeFile {
    /// A page.
    Page(F),
    /// A value that is not inline in its page.
    Value(ValueName),
    /// The primary keys of the entries of the index in a leaf page.
    Keys(F),
}

impl TreeFile {
    /// The name of the file.
    pub fn file(&self) -> String {
        match self {
            TreeFile::Page(name) => page_file(name),
            TreeFile::Value(name) => value_file(name),
            TreeFile::Keys(page) => keys_file(page),
        }
    }

    /// The file of this name; `None` if it is not one of a tree.
    pub fn of_file(name: &str) -> Option<TreeFile> {
        let (folder, name) = name.split_once('/')?;
        match folder {
            "pages" => Some(TreeFile::Page(field::from_hex(name).ok()?)),
            "keys" => Some(TreeFile::Keys(field::from_hex(name).ok()?)),
            "values" => {
                let (kind, digest) = name.split_once('-')?;
                let kind = match kind {
                    "user" => ValueKind::User,
                    "head" => ValueKind::Head,
                    "replacement" => ValueKind::Replacement,
                    _ => return None,
                };
                Some(TreeFile::Value(ValueName { kind, digest: field::from_hex(digest).ok()? }))
            }
            _ => None,
        }
    }
}

impl Published {
    /// Reads the pointer of the space that an invite names.
    ///
    /// # Errors
    /// [`PublishedError`].
    pub fn read(bytes: &[u8], invite: &Invite) -> Result<Published, PublishedError> {
        let (named, published) = Published::decode(bytes)?;
        let text = |Invite { space, parameters }: &Invite| {
            format!("space {} with parameters {parameters}", field::to_hex(space))
        };
        let (expected, actual) = (text(invite), text(&named));
        if expected != actual {
            return Err(PublishedError::Other { expected, actual });
        }
        Ok(published)
    }

    /// Reads a pointer, and the space and parameters that it is for.
    ///
    /// # Errors
    /// [`PublishedError`].
    pub fn decode(bytes: &[u8]) -> Result<(Invite, Published), PublishedError> {
        let message = message::<v1::Published>(POINTER, bytes)?;
        if message.version != FILES_VERSION {
            return Err(PublishedError::Version { version: message.version });
        }
        let refused = |source| PublishedError::Message { name: POINTER.to_owned(), source };
        let space = messages::field("space", &message.space).map_err(refused)?;
        let parameters = messages::parameter_id(&message.parameters).map_err(refused)?;
        let published = Published::of(&message).map_err(refused)?;
        Ok((Invite { space, parameters }, published))
    }

    fn of(message: &v1::Published) -> Result<Published, MessageError> {
        messages::at_most("pages of a frontier", message.frontier.len(), MAX_FRONTIER_PAGES)?;
        messages::at_most("objects of ops", message.tail.len(), MAX_TAIL_OBJECTS)?;
        let all = |what, names: &[Vec<u8>]| -> Result<Vec<ObjectName>, MessageError> {
            names.iter().map(|name| ObjectName::read(what, name)).collect()
        };
        let genesis = match message.genesis.as_slice() {
            [] => None,
            name => Some(ObjectName::read("genesis", name)?),
        };
        let frontier = all("frontier", &message.frontier)?;
        if frontier.is_empty() {
            return Err(MessageError::Missing { what: "frontier" });
        }
        Ok(Published {
            published_at: message.published_at,
            genesis,
            verifying_key: ObjectName::read("verifying key", &message.verifying_key)?,
            snapshot: ObjectName::read("snapshot", &message.snapshot)?,
            frontier,
            tail: all("tail", &message.tail)?,
        })
    }

    /// The pointer of a space.
    pub fn to_message(&self, invite: &Invite) -> v1::Published {
        let name = |name: &ObjectName| name.0.to_vec();
        v1::Published {
            version: FILES_VERSION,
            space: messages::bytes(&invite.space),
            parameters: invite.parameters.0.to_vec(),
            published_at: self.published_at,
            genesis: self.genesis.as_ref().map(name).unwrap_or_default(),
            verifying_key: name(&self.verifying_key),
            snapshot: name(&self.snapshot),
            frontier: self.frontier.iter().map(name).collect(),
            tail: self.tail.iter().map(name).collect(),
        }
    }

    /// All objects that the pointer names.
    pub fn objects(&self) -> impl Iterator<Item = ObjectName> + '_ {
        let first = self.genesis.into_iter().chain([self.verifying_key, self.snapshot]);
        first.chain(self.frontier.iter().copied()).chain(self.tail.iter().copied())
    }
}

/// Decodes the message in a file.
///
/// # Errors
/// [`PublishedError::Decode`].
pub fn message<M: prost::Message + prost::Name + Default>(
    name: &str,
    bytes: &[u8],
) -> Result<M, PublishedError> {
    let refused = |source| PublishedError::Decode { name: name.to_owned(), source };
    decode(Bytes::copy_from_slice(bytes)).map_err(refused)
}

/// The primary keys in the file of a leaf page. Nothing of them is trusted: the reader compares their digests
/// with the entries of the index.
///
/// # Errors
/// [`PublishedError`].
pub fn primary_keys(page: &F, bytes: &[u8]) -> Result<Vec<Key>, PublishedError> {
    let name = keys_file(page);
    let message = message::<v1::PrimaryKeys>(&name, bytes)?;
    let keys = message.keys.iter().map(|key| messages::key("key", key));
    keys.collect::<Result<_, _>>().map_err(|source| PublishedError::Message { name, source })
}
