//! Notices that a data directory was copied or restored from a backup.
//!
//! A writer who goes on from an older copy signs a second continuation of their log: a fork, for
//! good. A file in the directory holds its own inode number. A copy has another one.

use std::{fs, io, path::PathBuf};

use crate::data_dir::DataDir;

/// The name of the file.
const MARK: &str = "inode";

/// The mark of a data directory.
#[derive(Debug, Clone)]
pub struct Mark {
    path: PathBuf,
}

impl Mark {
    /// The mark in this directory.
    pub fn of(data_dir: &DataDir) -> Mark {
        Mark { path: data_dir.path().join(MARK) }
    }

    /// Whether the directory was copied since [`Mark::set`]. `false` without a mark, and where files
    /// have no inode numbers.
    ///
    /// # Errors
    /// Any I/O error except that there is no mark.
    pub fn is_copied(&self) -> io::Result<bool> {
        match fs::read_to_string(&self.path) {
            Ok(held) => Ok(self.inode()?.is_some_and(|inode| held.trim() != inode.to_string())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Marks the directory where it is now.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn set(&self) -> io::Result<()> {
        // The file keeps its inode number when it is written again.
        let options =
            fs::OpenOptions::new().write(true).create(true).truncate(false).open(&self.path);
        drop(options?);
        match self.inode()? {
            Some(inode) => fs::write(&self.path, format!("{inode}\n")),
            None => Ok(()),
        }
    }

    /// Marks another directory as a copy of this one.
    ///
    /// # Errors
    /// Any I/O error.
    pub(crate) fn copy_to(&self, other: &DataDir) -> io::Result<()> {
        // Without a mark here the copy gets one that no file has.
        let held = fs::read_to_string(&self.path).unwrap_or_else(|_| "0\n".to_owned());
        fs::write(Mark::of(other).path, held)
    }

    #[cfg(unix)]
    fn inode(&self) -> io::Result<Option<u64>> {
        use std::os::unix::fs::MetadataExt;
        Ok(Some(fs::metadata(&self.path)?.ino()))
    }

    #[cfg(not(unix))]
    fn inode(&self) -> io::Result<Option<u64>> {
        Ok(None)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_noticed_and_a_move_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| Mark::of(&DataDir::new(folder.path().join(name)));
        fs::create_dir(folder.path().join("a")).unwrap();
        assert!(!at("a").is_copied().unwrap());
        at("a").set().unwrap();
        assert!(!at("a").is_copied().unwrap());
        fs::create_dir(folder.path().join("b")).unwrap();
        fs::copy(&at("a").path, &at("b").path).unwrap();
        assert!(at("b").is_copied().unwrap());
        fs::rename(folder.path().join("a"), folder.path().join("c")).unwrap();
        assert!(!at("c").is_copied().unwrap());
        at("b").set().unwrap();
        assert!(!at("b").is_copied().unwrap());
    }
}
