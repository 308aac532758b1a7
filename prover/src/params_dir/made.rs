//! The list of the parameters that this user made, beside the parameters themselves.
//!
//! One id of 64 hexadecimal digits a line, in the order in which they were made.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use rootfold_verifier::ParameterId;

use super::{private, ParametersError};

/// Name of the list.
const FILE: &str = "made-here.list";

fn path(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// The ids in the list of `dir`, in the order in which they were made. Empty if there is no list.
///
/// # Errors
/// [`ParametersError::Io`], [`ParametersError::NotPrivate`] or [`ParametersError::List`].
pub(super) fn ids(dir: &Path) -> Result<Vec<ParameterId>, ParametersError> {
    let path = path(dir);
    let file = match private::open(&path) {
        Err(ParametersError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(Vec::new());
        }
        file => file?,
    };
    file.lock_shared().map_err(|source| ParametersError::io(&path, source))?;
    read(&path, &file)
}

/// Appends `id` to the list of `dir`, if it is not there already. A lock on the list keeps
/// processes that append at the same time apart.
///
/// # Errors
/// As [`ids`].
pub(super) fn add(dir: &Path, id: ParameterId) -> Result<(), ParametersError> {
    let path = path(dir);
    let io_error = |source| ParametersError::io(&path, source);
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(io_error)?;
    private::check(&path, file.metadata())?;
    file.lock().map_err(io_error)?;
    if read(&path, &file)?.contains(&id) {
        return Ok(());
    }
    file.write_all(format!("{id}\n").as_bytes()).map_err(io_error)?;
    file.sync_all().map_err(io_error)
}

fn read(path: &Path, mut file: &File) -> Result<Vec<ParameterId>, ParametersError> {
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|source| ParametersError::io(path, source))?;
    let parse = |(index, line): (usize, &str)| {
        let broken = |_| ParametersError::List { path: path.to_owned(), line: index + 1 };
        line.parse().map_err(broken)
    };
    text.lines().enumerate().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_listed_once_in_order() {
        let dir = tempfile::tempdir().expect("temporary directory");
        assert_eq!(ids(dir.path()).expect("no list"), []);
        let [first, second] = [9, 1].map(|byte| ParameterId([byte; 32]));
        for id in [first, second, first] {
            add(dir.path(), id).expect("adds");
        }
        assert_eq!(ids(dir.path()).expect("a list"), [first, second]);
    }

    #[test]
    fn a_broken_list_is_named() {
        let dir = tempfile::tempdir().expect("temporary directory");
        add(dir.path(), ParameterId([3; 32])).expect("adds");
        let mut text = std::fs::read_to_string(path(dir.path())).expect("reads");
        text.push_str("not an id\n");
        std::fs::write(path(dir.path()), text).expect("writes");
        let refused = ids(dir.path()).expect_err("line 2 is no id").to_string();
        assert!(refused.contains("made-here.list: line 2"), "{refused}");
    }
}
