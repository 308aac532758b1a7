//! A made-up git history on which a proof pays: a wiki whose pages are edited again and again.

use std::{
    fmt::Write as _,
    io::{self, BufWriter, Write},
    path::Path,
    process::{Command, Stdio},
};

use super::super::failure::{Failure, OrFail};

/// The pages of the wiki. Each is one key, so this bounds the state.
const PAGES: usize = 200;
/// The people who edit it. Each is a writer with a log of their own.
const PEOPLE: usize = 40;
/// Time of the first edit and between edits, in seconds.
const FIRST_EDIT: u64 = 1_600_000_000;
const EDIT_EVERY: u64 = 5_400;
const WORDS: [&str; 32] = [
    "water", "road", "north", "market", "stone", "river", "council", "harvest", "bridge", "school",
    "garden", "winter", "letter", "island", "forest", "station", "harbour", "village", "mountain",
    "library", "meeting", "window", "summer", "journey", "orchard", "valley", "lantern", "meadow",
    "compass", "ferry", "weather", "archive",
];

/// Makes a bare git repository in `folder` with a history of `edits` commits. Each commit changes
/// one page, and the history is the same every time.
pub fn make(folder: &Path, edits: usize) -> Result<(), Failure> {
    git(folder, &["init", "--quiet", "--bare", "."])?;
    git(folder, &["symbolic-ref", "HEAD", "refs/heads/main"])?;
    let mut import = command(folder, &["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .or_unreachable("starting `git fast-import`")?;
    let stdin = import.stdin.take().expect("stdin is piped");
    let written = write_history(BufWriter::new(stdin), edits);
    let status = import.wait().or_unreachable("waiting for `git fast-import`")?;
    written.or_unreachable("writing to `git fast-import`")?;
    if !status.success() {
        return Err(Failure::unreachable(format!("`git fast-import` failed: {status}")));
    }
    Ok(())
}

/// Writes the history in the format of `git fast-import` and closes `out`.
fn write_history(mut out: impl Write, edits: usize) -> io::Result<()> {
    for edit in 0..edits {
        let mut random = blake3::Hasher::new().update(&(edit as u64).to_be_bytes()).finalize_xof();
        let mut below = |bound: usize| {
            let mut bytes = [0; 8];
            random.fill(&mut bytes);
            (u64::from_be_bytes(bytes) % bound as u64) as usize
        };
        // The square prefers low numbers: some pages and some people are busier than others.
        let mut skewed = |bound: usize| below(bound) * below(bound) / bound;
        // The first edits create the pages.
        let page = if edit < PAGES { edit } else { skewed(PAGES) };
        let person = skewed(PEOPLE);
        let mut text = format!("# Page {page}\n\nEdit {edit}.\n\n");
        for _ in 0..60 + below(60) {
            let _ = write!(text, "{} ", WORDS[below(WORDS.len())]);
        }
        let seconds = FIRST_EDIT + edit as u64 * EDIT_EVERY;
        let who = format!("Person {person} <person{person}@wiki.example> {seconds} +0000");
        let message = format!("Edit page {page}");
        writeln!(out, "commit refs/heads/main\nauthor {who}\ncommitter {who}")?;
        writeln!(out, "data {}\n{message}", message.len())?;
        writeln!(out, "M 100644 inline page-{page:03}.md\ndata {}\n{text}", text.len())?;
    }
    out.flush()
}

fn git(folder: &Path, arguments: &[&str]) -> Result<(), Failure> {
    let status = command(folder, arguments).status().or_unreachable("starting `git`")?;
    if !status.success() {
        let arguments = arguments.join(" ");
        return Err(Failure::unreachable(format!("`git {arguments}` failed: {status}")));
    }
    Ok(())
}

/// A git process that no configuration of the user or the machine changes.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env_remove("GIT_DIR")
        .stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use rootfold_node::git::read_history;

    use super::*;

    #[test]
    fn the_history_has_the_promised_shape_and_is_the_same_every_time() {
        let make_one = || {
            let folder = tempfile::tempdir().unwrap();
            make(folder.path(), 300).unwrap();
            let history = read_history(folder.path(), usize::MAX, |_| ()).unwrap();
            assert_eq!((history.commits, history.changes.len()), (300, 300));
            let mut paths: Vec<_> = history.changes.iter().map(|c| c.path.clone()).collect();
            paths.sort();
            paths.dedup();
            assert_eq!(paths.len(), PAGES);
            assert!(history.authors.len() > PEOPLE / 2);
            history
        };
        let (one, two) = (make_one(), make_one());
        assert_eq!(format!("{:?}", one.changes), format!("{:?}", two.changes));
    }
}
