//! Paths as text for serde; those that are not UTF-8 are lists of bytes.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::{
    de::{Error, SeqAccess, Visitor},
    Deserializer, Serialize, Serializer,
};

/// Writes a path.
pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    match path.to_str() {
        Some(text) => serializer.serialize_str(text),
        None => path.as_os_str().as_encoded_bytes().serialize(serializer),
    }
}

/// Reads a path.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    deserializer.deserialize_any(PathVisitor)
}

struct PathVisitor;

impl<'de> Visitor<'de> for PathVisitor {
    type Value = PathBuf;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path, as a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<PathBuf, E> {
        if text.is_empty() {
            return Err(E::custom("the path is empty"));
        }
        Ok(PathBuf::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<PathBuf, A::Error> {
        let mut read = Vec::new();
        while let Some(byte) = bytes.next_element::<u8>()? {
            read.push(byte);
        }
        of_bytes(read).ok_or_else(|| A::Error::custom("not a path of this system"))
    }
}

#[cfg(unix)]
fn of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

/// Paths that need not be there.
pub mod optional {
    use std::{fmt, path::PathBuf};

    use serde::{
        de::{Error, Visitor},
        Deserializer, Serializer,
    };

    /// Writes a path, or nothing.
    #[allow(clippy::ref_option, reason = "serde passes the field")]
    pub fn serialize<S: Serializer>(
        path: &Option<PathBuf>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match path {
            Some(path) => super::serialize(path, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a path, or nothing.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<PathBuf>, D::Error> {
        deserializer.deserialize_option(OptionalVisitor)
    }

    struct OptionalVisitor;

    impl<'de> Visitor<'de> for OptionalVisitor {
        type Value = Option<PathBuf>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a path, as a string")
        }

        fn visit_none<E: Error>(self) -> Result<Option<PathBuf>, E> {
            Ok(None)
        }

        fn visit_unit<E: Error>(self) -> Result<Option<PathBuf>, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(
            self,
            deserializer: D,
        ) -> Result<Option<PathBuf>, D::Error> {
            super::deserialize(deserializer).map(Some)
        }
    }
}
