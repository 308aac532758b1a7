//! The check that only the user of this process can write a folder or a file.
//!
//! Whoever can write the parameters' folder can plant parameters whose trapdoor they know. On Unix
//! the owner and the permission bits are checked; access control lists are not. On other systems
//! nothing is checked.

use std::{
    fs::{DirBuilder, File, Metadata},
    io,
    path::Path,
};

use thiserror::Error;

use super::ParametersError;

/// Why parameters in a folder or file must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotPrivate {
    /// Another user owns it.
    #[error(
        "it belongs to user {owner}, and this program runs as user {user}; the owner could plant \
         parameters whose trapdoor they know; use a folder of your own"
    )]
    Owner {
        /// User id of the owner.
        owner: u32,
        /// Effective user id of this process.
        user: u32,
    },
    /// Its group or everyone can write it.
    #[error(
        "its mode {mode:04o} lets other users write it, and they could plant parameters whose \
         trapdoor they know; take the right away with `chmod go-w`"
    )]
    Writable {
        /// The permission bits.
        mode: u32,
    },
}

/// Creates `dir` and its missing parents, readable and writable for this user only (mode 0700), and
/// checks it. An existing folder keeps its mode.
pub(super) fn create_folder(dir: &Path) -> Result<(), ParametersError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|source| ParametersError::io(dir, source))?;
    check_folder(dir)
}

/// Checks an existing folder.
pub(super) fn check_folder(dir: &Path) -> Result<(), ParametersError> {
    check(dir, std::fs::metadata(dir))
}

/// Opens a file for reading and checks it. The open file is checked, not its name, so that the
/// bytes read are those of the file that was checked.
pub(super) fn open(path: &Path) -> Result<File, ParametersError> {
    let file = File::open(path).map_err(|source| ParametersError::io(path, source))?;
    check(path, file.metadata())?;
    Ok(file)
}

/// Checks the metadata of the folder or file at `path`.
pub(super) fn check(path: &Path, metadata: io::Result<Metadata>) -> Result<(), ParametersError> {
    let metadata = metadata.map_err(|source| ParametersError::io(path, source))?;
    judge(&metadata).map_err(|source| ParametersError::NotPrivate { path: path.to_owned(), source })
}

#[cfg(unix)]
fn judge(metadata: &Metadata) -> Result<(), NotPrivate> {
    use std::os::unix::fs::MetadataExt;

    let user = rustix::process::geteuid().as_raw();
    judge_owner_and_mode(metadata.uid(), metadata.mode() & 0o7777, user)
}

#[cfg(not(unix))]
fn judge(_: &Metadata) -> Result<(), NotPrivate> {
    Ok(())
}

#[cfg(unix)]
fn judge_owner_and_mode(owner: u32, mode: u32, user: u32) -> Result<(), NotPrivate> {
    if owner != user {
        return Err(NotPrivate::Owner { owner, user });
    }
    if mode & 0o022 != 0 {
        return Err(NotPrivate::Writable { mode });
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt,
    };

    #[test]
    fn other_owners_and_writers_are_refused() {
        assert_eq!(judge_owner_and_mode(7, 0o755, 7), Ok(()));
        assert_eq!(judge_owner_and_mode(7, 0o600, 7), Ok(()));
        let other_owner = Err(NotPrivate::Owner { owner: 0, user: 7 });
        assert_eq!(judge_owner_and_mode(0, 0o700, 7), other_owner);
        for mode in [0o770, 0o702, 0o620, 0o1777] {
            assert_eq!(judge_owner_and_mode(7, mode, 7), Err(NotPrivate::Writable { mode }));
        }
    }

    #[test]
    fn a_new_folder_is_private_and_a_shared_one_is_refused() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let (parent, folder) = (dir.path().join("a"), dir.path().join("a/b"));
        create_folder(&folder).expect("creates both");
        for made in [&parent, &folder] {
            let mode = fs::metadata(made).expect("exists").permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
        fs::set_permissions(&folder, Permissions::from_mode(0o775)).expect("own folder");
        let refused = create_folder(&folder).expect_err("the group can write it").to_string();
        assert!(refused.contains("a/b: its mode 0775"), "{refused}");
        assert!(refused.contains("chmod go-w"), "{refused}");
    }
}
