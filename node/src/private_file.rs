//! Files with secrets: keys and tokens. One that others can read is refused.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Why a file with a secret is not used.
#[derive(Debug, Error)]
pub enum PrivateFileError {
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
    /// Other users can read it.
    #[error(
        "{}: other users can read this secret (mode {mode:04o}): `chmod 600` it, and replace the secret if \
         it was read",
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It belongs to another user, who can read and replace it.
    #[error("{}: belongs to another user (uid {owner})", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The user.
        owner: u32,
    },
    /// It is longer than such a secret can be.
    #[error("{}: longer than {limit} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
}

/// The bytes of a file that only its owner can read: this user, or root.
///
/// # Errors
/// [`PrivateFileError`], also if it has more than `limit` bytes.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, PrivateFileError> {
    let unreadable = |source| PrivateFileError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    check(path, &file)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(PrivateFileError::TooLong { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

#[cfg(unix)]
fn check(path: &Path, file: &File) -> Result<(), PrivateFileError> {
    use std::os::unix::fs::MetadataExt;
    let path = || path.to_owned();
    let held =
        file.metadata().map_err(|source| PrivateFileError::Unreadable { path: path(), source })?;
    let (mode, owner) = (held.mode() & 0o7777, held.uid());
    if mode & 0o077 != 0 {
        return Err(PrivateFileError::Exposed { path: path(), mode });
    }
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err(PrivateFileError::Foreign { path: path(), owner });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check(_: &Path, _: &File) -> Result<(), PrivateFileError> {
    Ok(())
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn secrets_that_others_can_read_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "12345").unwrap();
        for mode in [0o644, 0o640, 0o604, 0o620, 0o777] {
            fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let e = read(&path, 5).unwrap_err();
            assert!(matches!(e, PrivateFileError::Exposed { mode: held, .. } if held == mode));
            assert!(e.to_string().contains("secret: other users"), "{e}");
        }
        for mode in [0o600, 0o400] {
            fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(read(&path, 5).unwrap(), b"12345");
        }
        assert!(matches!(read(&path, 4), Err(PrivateFileError::TooLong { .. })));
        let missing = read(&folder.path().join("missing"), 4);
        assert!(matches!(missing, Err(PrivateFileError::Unreadable { .. })));
    }
}
