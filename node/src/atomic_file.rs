//! Files that are there whole or not at all, whenever the process is killed.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whom the umask says.
    Everybody,
    /// Its owner (0600).
    OwnerOnly,
}

/// What the name of a file that is being written ends with. One that is left over is dead.
pub const PARTIAL: &str = "partial";

/// Writes `path` beside itself, syncs and renames it, and syncs the folder.
///
/// # Errors
/// What the file system said; then `path` is as before.
pub fn write(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let partial = partial(path);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if access == Access::OwnerOnly {
        use std::os::unix::fs::OpenOptionsExt;
        // The mode counts only for a new file.
        match fs::remove_file(&partial) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        options.mode(0o600);
    }
    let mut file = options.open(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&partial, path)?;
    sync_folder(path)
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// What the file system said, or `InvalidData` if the file is longer.
pub fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let what = format!("longer than the limit of {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    Ok(bytes)
}

fn partial(path: &Path) -> PathBuf {
    // Two processes that write the same file do not write into each other's.
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.{PARTIAL}", std::process::id()));
    PathBuf::from(name)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
