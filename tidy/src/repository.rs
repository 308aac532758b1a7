//! The text files of the repository.

use std::{collections::BTreeMap, fmt, fs, io, path::Path};

/// Folders with nothing written by hand: build outputs, dependencies of tests, seeds of fuzzers.
const SKIPPED_FOLDERS: [&str; 5] = ["target", ".git", "node_modules", "artifacts", "corpus"];

/// One breach of a rule of the repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Path from the repository's root, with `/` between folders.
    pub file: String,
    /// Counted from 1; 0 for a finding about the file as a whole.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.what),
            line => write!(f, "{}:{line}: {}", self.file, self.what),
        }
    }
}

/// Text files by path from the repository's root, with `/` between folders.
#[derive(Clone, Debug, Default)]
pub struct Repository {
    files: BTreeMap<String, String>,
}

impl Repository {
    /// Reads all UTF-8 files under `root`, except build outputs and fuzzing seeds.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        let mut folders = vec![(root.to_owned(), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let kind = entry.file_type()?;
                if kind.is_dir() && !SKIPPED_FOLDERS.contains(&name.as_str()) {
                    folders.push((entry.path(), format!("{prefix}{name}/")));
                } else if kind.is_file() {
                    if let Ok(text) = String::from_utf8(fs::read(entry.path())?) {
                        files.insert(format!("{prefix}{name}"), text);
                    }
                }
            }
        }
        Ok(Self { files })
    }

    /// The files whose path ends with `suffix`, in the order of their paths.
    pub(crate) fn ending<'a>(
        &'a self,
        suffix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
        self.all().filter(move |(path, _)| path.ends_with(suffix))
    }

    /// All files in the order of their paths.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The text of one file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Is `path` a file or a folder with files?
    pub(crate) fn holds(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.files.contains_key(path)
            || self
                .files
                .range(folder.clone()..)
                .next()
                .is_some_and(|(p, _)| p.starts_with(&folder))
    }
}

impl<'a, const N: usize> From<[(&'a str, &'a str); N]> for Repository {
    fn from(files: [(&'a str, &'a str); N]) -> Self {
        Self { files: files.into_iter().map(|(p, text)| (p.to_owned(), text.to_owned())).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_files_and_folders_and_nothing_else() {
        let repository = Repository::from([("docs/a.md", ""), ("docs.md", "")]);
        for there in ["docs", "docs/", "docs/a.md", "docs.md"] {
            assert!(repository.holds(there), "{there}");
        }
        for not_there in ["doc", "docs/a", "docs/b.md"] {
            assert!(!repository.holds(not_there), "{not_there}");
        }
    }
}
