//! Atomic replacement of files.

use std::{fs::File, io, io::Write, path::Path};

/// Replaces `path` by a file with the bytes of `parts`: writes a temporary file in the same folder,
/// syncs it to disk and renames it. A reader of `path` finds the old bytes or the new ones, also
/// after a crash. The new file has mode 0644, less the bits of the umask.
///
/// # Errors
/// Any I/O error. `path` is unchanged, unless only the last sync of the folder failed.
pub fn write_atomically(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let dir = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = readable().tempfile_in(dir)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The new name is durable once the folder is synced.
    File::open(dir)?.sync_all()
}

/// Temporary files that others may read; `tempfile` alone makes them readable by their owner only.
/// Nobody else may write them, whatever the umask: parameters that a group can write are refused.
fn readable() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o644));
    }
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("file");
        for text in ["old", "newer"] {
            write_atomically(&path, &[text.as_bytes(), b"."]).expect("writes");
            let read = std::fs::read_to_string(&path).expect("reads");
            assert_eq!(read, format!("{text}."));
        }
        let entries = std::fs::read_dir(dir.path()).expect("lists").count();
        assert_eq!(entries, 1);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_write_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("file");
        write_atomically(&path, &[b"text"]).expect("writes");
        let mode = path.metadata().expect("is there").permissions().mode();
        assert_eq!(mode & 0o022, 0, "mode {mode:o}");
    }
}
