//! `git rev-list | git diff-tree`, parsed into changes.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{ChildStdout, Stdio},
};

use rootfold_core::value::MAX_VALUE;

use super::{
    blobs::Blobs,
    process::{git, Running},
    Change, Content, GitError, History, Skipped,
};

const COMMAND: &str = "diff-tree";
/// The longest path or commit header that is kept, in bytes. The header of a wide merge is cut: the ids
/// of its parents come last.
const FIELD_LIMIT: u64 = 64 * 1024;

/// The two processes; the second reads the output of the first.
struct Walk {
    from: BufReader<ChildStdout>,
    diff_tree: Running,
    rev_list: Running,
}

/// The header of a commit in the output.
struct Commit {
    id: Vec<u8>,
    merge: bool,
    seconds: i64,
    email: Vec<u8>,
}

/// A line of a raw diff: old and new content of a path.
struct RawChange {
    old: Side,
    new: Side,
}

/// The content of a path in a tree.
#[derive(PartialEq, Eq)]
enum Side {
    Nothing,
    File(String),
    Link,
    Submodule,
}

pub fn read(
    path: &Path,
    limit: usize,
    mut progress: impl FnMut(usize),
) -> Result<History, GitError> {
    let mut walk = Walk::start(path)?;
    let mut reader = Reader::new(Blobs::open(path)?);
    let mut commit = None;
    let mut complete = false;
    while reader.changes.len() < limit {
        let Some(field) = walk.field(true)? else {
            walk.finish()?;
            complete = true;
            break;
        };
        // A line feed precedes the first raw line of a commit.
        let field = field.strip_prefix(b"\n").unwrap_or(&field);
        if field.starts_with(b":") {
            let raw = parse_raw(field)?;
            let path =
                walk.field(false)?.ok_or_else(|| strange("a raw line without a path", b""))?;
            let commit = commit
                .as_ref()
                .ok_or_else(|| strange("a raw line before the first commit", field))?;
            reader.take(commit, path, raw)?;
            progress(reader.changes.len());
        } else {
            commit = Some(parse_commit(field)?);
        }
    }
    Ok(reader.into_history(complete))
}

impl Walk {
    fn start(path: &Path) -> Result<Walk, GitError> {
        let mut rev_list = git(path, "rev-list");
        rev_list.args(["--reverse", "--topo-order", "HEAD"]);
        let mut rev_list = Running::start("rev-list", rev_list)?;
        let commits = rev_list.child().stdout.take().expect("stdout is piped");
        let mut diff_tree = git(path, COMMAND);
        diff_tree
            .args(["--stdin", "--root", "-r", "-m", "-z", "--raw", "--no-abbrev"])
            .args(["--no-renames", "--format=tformat:%H|%ct|%ae|%P"])
            .stdin(Stdio::from(commits));
        let mut diff_tree = Running::start(COMMAND, diff_tree)?;
        let from = diff_tree.child().stdout.take().expect("stdout is piped");
        Ok(Walk { from: BufReader::new(from), diff_tree, rev_list })
    }

    /// The bytes before the next zero byte; `None` at the end. A long one is cut if it may be a commit
    /// header and is not a raw line; a path is never cut.
    fn field(&mut self, header: bool) -> Result<Option<Vec<u8>>, GitError> {
        let mut field = Vec::new();
        (&mut self.from)
            .take(FIELD_LIMIT)
            .read_until(0, &mut field)
            .map_err(|source| GitError::Pipe { command: COMMAND, source })?;
        match field.pop() {
            None => Ok(None),
            Some(0) => Ok(Some(field)),
            Some(_)
                if field.len() as u64 + 1 == FIELD_LIMIT
                    && header
                    && !field.trim_ascii_start().starts_with(b":") =>
            {
                self.skip_field()?;
                Ok(Some(field))
            }
            Some(_) => Err(strange("a field without end", &field)),
        }
    }

    /// Skips the bytes up to the next zero byte.
    fn skip_field(&mut self) -> Result<(), GitError> {
        self.from
            .skip_until(0)
            .map(drop)
            .map_err(|source| GitError::Pipe { command: COMMAND, source })
    }

    /// Checks that both processes succeeded: otherwise the history may be truncated.
    fn finish(self) -> Result<(), GitError> {
        drop(self.from);
        self.rev_list.finish()?;
        self.diff_tree.finish()
    }
}

/// Collects changes and tracks the files that result from them.
struct Reader {
    blobs: Blobs,
    /// Path -> blob after all changes so far.
    files: BTreeMap<Vec<u8>, String>,
    author_ids: BTreeMap<Vec<u8>, usize>,
    authors: Vec<Vec<u8>>,
    changes: Vec<Change>,
    commits: usize,
    /// The commit of the last change.
    last_commit: Vec<u8>,
    skipped: Skipped,
}

impl Reader {
    fn new(blobs: Blobs) -> Reader {
        Reader {
            blobs,
            files: BTreeMap::new(),
            author_ids: BTreeMap::new(),
            authors: Vec::new(),
            changes: Vec::new(),
            commits: 0,
            last_commit: Vec::new(),
            skipped: Skipped::default(),
        }
    }

    /// Processes a raw line: adds a change, counts a skipped one, or both.
    fn take(&mut self, commit: &Commit, path: Vec<u8>, raw: RawChange) -> Result<(), GitError> {
        // A merge is listed once per parent, so only differences to the files so far count. In other
        // commits the content is equal if only the mode has changed.
        let held = self.files.get(&path);
        let no_news = match &raw.new {
            Side::File(blob) if commit.merge => held == Some(blob),
            new => *new == raw.old,
        };
        if no_news {
            return Ok(());
        }
        let blob = match raw.new {
            Side::File(blob) if self.blobs.size(&blob)? <= MAX_VALUE as u64 => Some(blob),
            Side::Nothing => None,
            left_out => {
                // A merge would count it again.
                if !commit.merge {
                    self.skipped.count(&left_out);
                }
                None
            }
        };
        let content = match blob {
            Some(blob) => {
                self.files.insert(path.clone(), blob.clone());
                Content::Put { blob }
            }
            None if self.files.remove(&path).is_some() => Content::Delete,
            None => return Ok(()),
        };
        let author = self.author(&commit.email);
        self.changes.push(Change { author, seconds: commit.seconds, path, content });
        if self.last_commit != commit.id {
            self.last_commit.clone_from(&commit.id);
            self.commits += 1;
        }
        Ok(())
    }

    fn author(&mut self, email: &[u8]) -> usize {
        if let Some(id) = self.author_ids.get(email) {
            return *id;
        }
        let id = self.authors.len();
        self.authors.push(email.to_vec());
        self.author_ids.insert(email.to_vec(), id);
        id
    }

    fn into_history(self, complete: bool) -> History {
        History {
            files: self.files,
            complete,
            shallow: false,
            authors: self.authors,
            changes: self.changes,
            commits: self.commits,
            skipped: self.skipped,
        }
    }
}

impl Skipped {
    fn count(&mut self, side: &Side) {
        match side {
            Side::Nothing => {}
            Side::File(_) => self.large += 1,
            Side::Link => self.links += 1,
            Side::Submodule => self.submodules += 1,
        }
    }
}

/// `<id>|<seconds>|<email>|<parents>`. An e-mail address may contain `|`, the other parts do not.
fn parse_commit(field: &[u8]) -> Result<Commit, GitError> {
    let refused = || strange("malformed commit header", field);
    let mut from_left = field.splitn(3, |b| *b == b'|');
    let mut part = || from_left.next().ok_or_else(refused);
    let (id, seconds, rest) = (part()?.to_vec(), part()?, part()?);
    let last = rest.iter().rposition(|b| *b == b'|').ok_or_else(refused)?;
    let (email, parents) = (rest[..last].to_vec(), &rest[last + 1..]);
    // Git prints what the commit has, which need not be a number of 64 bits.
    let seconds =
        std::str::from_utf8(seconds).ok().and_then(|s| s.trim().parse().ok()).unwrap_or(0);
    Ok(Commit { id, merge: parents.contains(&b' '), seconds, email })
}

/// `:<old mode> <new mode> <old id> <new id> <status>`.
fn parse_raw(field: &[u8]) -> Result<RawChange, GitError> {
    let text = std::str::from_utf8(field).unwrap_or_default();
    match text.trim_start_matches(':').split(' ').collect::<Vec<_>>()[..] {
        [old_mode, new_mode, old, new, _] => {
            Ok(RawChange { old: side(old_mode, old, field)?, new: side(new_mode, new, field)? })
        }
        _ => Err(strange("malformed raw line", field)),
    }
}

fn side(mode: &str, id: &str, field: &[u8]) -> Result<Side, GitError> {
    match mode {
        "000000" => Ok(Side::Nothing),
        // Old versions of git wrote mode 100664.
        "100644" | "100755" | "100664" => Ok(Side::File(id.to_owned())),
        "120000" => Ok(Side::Link),
        "160000" => Ok(Side::Submodule),
        _ => Err(strange("unknown mode", field)),
    }
}

fn strange(what: &str, field: &[u8]) -> GitError {
    let field: String = String::from_utf8_lossy(field).chars().take(200).collect();
    GitError::Strange { command: COMMAND, what: format!("{what}: {field:?}") }
}
