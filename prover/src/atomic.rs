//! Atomic replacement of files.

use std::{fs::File, io, io::Write, path::Path};

use tempfile::Builder;

/// Replaces `path` by a file with the bytes of `parts`: writes a temporary file in the same folder,
/// syncs it to disk and renames it. A reader of `path` finds the old bytes or the new ones, also
/// after a crash. The new file has mode 0600.
///
/// # Errors
/// Any I/O error. `path` is unchanged, unless only the last sync of the folder failed.
pub fn write_atomically(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    // The mode is the default of `tempfile`.
    replace(&Builder::new(), path, parts)
}

/// [`write_atomically`] for a file that others may read: the umask decides its mode.
///
/// # Errors
/// As [`write_atomically`].
pub fn publish_atomically(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut builder = Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    replace(&builder, path, parts)
}

/// The folder of a path: `.` for a name alone.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn replace(builder: &Builder<'_, '_>, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let dir = folder_of(path);
    let mut file = builder.tempfile_in(dir)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The new name is durable once the folder is synced.
    File::open(dir)?.sync_all()
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
    fn only_a_published_file_is_for_others() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("temporary directory");
        let [private, public, usual] = ["private", "public", "usual"].map(|f| dir.path().join(f));
        write_atomically(&private, &[b"."]).expect("writes");
        publish_atomically(&public, &[b"."]).expect("writes");
        std::fs::write(&usual, ".").expect("writes");
        let mode =
            |path: &Path| std::fs::metadata(path).expect("exists").permissions().mode() & 0o777;
        assert_eq!(mode(&private), 0o600);
        assert_eq!(mode(&public), mode(&usual));
    }
}
