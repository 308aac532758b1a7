//! Files with secrets, such as keys, and their folders. One that others can read is refused.

use std::{
    fs::{DirBuilder, File},
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
    /// Other users can look into a folder with secrets.
    #[error(
        "{}: other users can read this folder, which has secret keys (mode {mode:04o}): `chmod 700` it",
        path.display()
    )]
    ExposedFolder {
        /// The folder.
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

/// Creates a folder and its missing parents, for this user only (mode 0700). An existing folder keeps its
/// mode.
///
/// # Errors
/// Any I/O error.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Checks that only its owner can look into a folder.
///
/// # Errors
/// [`PrivateFileError`].
pub fn check_folder(path: &Path) -> Result<(), PrivateFileError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let unreadable = |source| PrivateFileError::Unreadable { path: path.to_owned(), source };
        let mode = path.metadata().map_err(unreadable)?.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(PrivateFileError::ExposedFolder { path: path.to_owned(), mode });
        }
    }
    Ok(())
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
        let inside = folder.path().join("a/b");
        create_folder(&inside).unwrap();
        create_folder(&inside).unwrap();
        check_folder(&inside).unwrap();
        fs::set_permissions(&inside, PermissionsExt::from_mode(0o750)).unwrap();
        let e = check_folder(&inside).unwrap_err();
        assert!(e.to_string().contains("`chmod 700`"), "{e}");
        let missing = read(&folder.path().join("missing"), 4);
        assert!(matches!(missing, Err(PrivateFileError::Unreadable { .. })));
    }
}
