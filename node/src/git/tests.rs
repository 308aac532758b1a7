//! Histories of repositories that the tests create.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use rand::{rngs::StdRng, Rng, SeedableRng};

use super::*;

/// A repository in its own directory, without the configuration of user and system.
struct Repository {
    folder: tempfile::TempDir,
    seconds: i64,
}

impl Repository {
    fn new() -> Repository {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository { folder, seconds: 1_600_000_000 };
        repository.git(&["init", "-q", "-b", "main", "."]);
        repository
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn git(&self, arguments: &[&str]) -> String {
        self.git_as("a@example.org", arguments)
    }

    fn git_as(&self, email: &str, arguments: &[&str]) -> String {
        let date = format!("{} +0000", self.seconds);
        let mut git = Command::new("git");
        for (variable, _) in std::env::vars().filter(|(name, _)| name.starts_with("GIT_")) {
            git.env_remove(variable);
        }
        let output = git
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "An Author")
            .env("GIT_AUTHOR_EMAIL", email)
            .env("GIT_COMMITTER_NAME", "A Committer")
            .env("GIT_COMMITTER_EMAIL", "committer@example.org")
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .current_dir(self.path())
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn commit(&mut self, email: &str) {
        self.seconds += 60;
        self.git(&["add", "-A"]);
        self.git_as(email, &["commit", "-q", "--allow-empty", "-m", "change"]);
    }

    fn history(&self) -> History {
        read_history(self.path(), usize::MAX, |_| {}).unwrap()
    }

    /// The small regular files of `HEAD`, path to blob.
    fn head(&self) -> BTreeMap<Vec<u8>, String> {
        self.git(&["ls-tree", "-r", "-l", "-z", "HEAD"])
            .split_terminator('\0')
            .filter_map(|line| {
                let (meta, path) = line.split_once('\t').unwrap();
                let meta: Vec<&str> = meta.split_whitespace().collect();
                let regular = meta[0].starts_with("100");
                let small = meta[3].parse::<usize>().is_ok_and(|size| size <= MAX_VALUE);
                (regular && small).then(|| (path.as_bytes().to_vec(), meta[2].to_owned()))
            })
            .collect()
    }
}

/// The files that result from a list of changes.
fn sum(history: &History) -> BTreeMap<Vec<u8>, String> {
    let mut files = BTreeMap::new();
    for change in &history.changes {
        match &change.content {
            Content::Put { blob } => files.insert(change.path.clone(), blob.clone()),
            Content::Delete => files.remove(&change.path),
        };
    }
    files
}

fn paths(history: &History) -> Vec<String> {
    let name = |change: &Change| {
        let sign = if change.content == Content::Delete { "-" } else { "" };
        format!("{sign}{}", String::from_utf8_lossy(&change.path))
    };
    history.changes.iter().map(name).collect()
}

#[test]
fn a_history_is_read_oldest_first_with_authors_times_and_contents() {
    let mut repository = Repository::new();
    repository.write("b", "one");
    repository.write("a/x y\nz", "two");
    repository.commit("first@example.org");
    repository.write("b", "three");
    repository.commit("second@example.org");
    repository.git(&["mv", "b", "c"]);
    repository.commit("first@example.org");

    let history = repository.history();
    assert_eq!(history.authors, [b"first@example.org".to_vec(), b"second@example.org".to_vec()]);
    assert_eq!(paths(&history), ["a/x y\nz", "b", "b", "-b", "c"]);
    assert_eq!(history.changes.iter().map(|c| c.author).collect::<Vec<_>>(), [0, 0, 1, 0, 0]);
    assert_eq!(history.changes[0].seconds, 1_600_000_060);
    assert_eq!(history.changes[4].seconds, 1_600_000_180);
    assert_eq!(history.commits, 3);
    assert_eq!(history.skipped, Skipped::default());
    assert_eq!(history.skipped.summary(), None);

    let mut blobs = Blobs::open(repository.path()).unwrap();
    let bytes = |change: &Change, blobs: &mut Blobs| match &change.content {
        Content::Put { blob } => blobs.contents(blob).unwrap(),
        Content::Delete => Vec::new(),
    };
    assert_eq!(bytes(&history.changes[0], &mut blobs), b"two");
    assert_eq!(bytes(&history.changes[4], &mut blobs), b"three");
}

#[test]
fn a_limit_keeps_the_oldest_changes() {
    let mut repository = Repository::new();
    for i in 0..20 {
        repository.write(&format!("file{i}"), "x");
        repository.commit("a@example.org");
    }
    let whole = repository.history();
    let mut told = 0;
    let cut = read_history(repository.path(), 7, |n| told = n).unwrap();
    assert_eq!(cut.changes, whole.changes[..7]);
    assert_eq!((cut.commits, told), (7, 7));
    assert_eq!(read_history(repository.path(), 0, |_| {}).unwrap().changes, []);
}

#[test]
fn a_folder_inside_a_repository_stands_for_the_repository() {
    let mut repository = Repository::new();
    repository.write("folder/f", "x");
    repository.write("g", "x");
    repository.commit("a@example.org");
    let inside = read_history(&repository.path().join("folder"), 10, |_| {}).unwrap();
    assert_eq!(inside, repository.history());
}

#[test]
fn links_submodules_and_large_blobs_are_left_out_and_leave_no_old_contents() {
    let mut repository = Repository::new();
    for path in ["large", "link", "module", "edge"] {
        repository.write(path, "small");
    }
    repository.commit("a@example.org");
    repository.write("large", vec![7; MAX_VALUE + 1]);
    repository.write("edge", vec![7; MAX_VALUE]);
    repository.write("new-large", vec![8; 3 * MAX_VALUE]);
    std::fs::remove_file(repository.path().join("link")).unwrap();
    std::os::unix::fs::symlink("large", repository.path().join("link")).unwrap();
    std::fs::remove_file(repository.path().join("module")).unwrap();
    repository.git(&["add", "-A"]);
    let entry = format!("160000,{},module", repository.git(&["rev-parse", "HEAD"]).trim());
    repository.git(&["update-index", "--add", "--cacheinfo", &entry]);
    repository.git(&["commit", "-q", "-m", "change"]);

    let history = repository.history();
    assert_eq!(paths(&history)[4..], ["edge", "-large", "-link", "-module"]);
    assert_eq!(history.skipped, Skipped { large: 2, links: 1, submodules: 1 });
    assert_eq!(
        history.skipped.summary().unwrap(),
        "skipped changes: 2 over 64 KiB, 1 of symbolic links, 1 of submodules"
    );
    assert_eq!(sum(&history), repository.head());
}

#[test]
fn a_change_of_mode_alone_is_no_change() {
    let mut repository = Repository::new();
    repository.write("script", "x");
    repository.commit("a@example.org");
    repository.git(&["update-index", "--chmod=+x", "script"]);
    repository.git(&["commit", "-q", "-m", "mode"]);
    assert_eq!(paths(&repository.history()), ["script"]);
}

#[test]
fn a_merge_adds_only_what_it_decides() {
    let mut repository = Repository::new();
    repository.write("both", "base");
    repository.write("kept", "base");
    repository.commit("a@example.org");
    repository.git(&["checkout", "-q", "-b", "side"]);
    repository.write("both", "side");
    repository.write("of-side", "side");
    repository.commit("side@example.org");
    repository.git(&["checkout", "-q", "main"]);
    repository.write("both", "main");
    repository.commit("main@example.org");
    repository.seconds += 60;
    repository.git(&["merge", "-q", "--no-commit", "-s", "ours", "side"]);
    repository.write("both", "resolved");
    repository.write("of-side", "side");
    repository.commit("merger@example.org");

    let history = repository.history();
    assert_eq!(sum(&history), repository.head());
    let of = |email: &str| {
        let author = history.authors.iter().position(|a| a == email.as_bytes()).unwrap();
        let changes = history.changes.iter().filter(|c| c.author == author);
        changes.map(|c| String::from_utf8_lossy(&c.path).into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of("side@example.org"), ["both", "of-side"]);
    assert_eq!(of("main@example.org"), ["both"]);
    assert_eq!(of("merger@example.org"), ["both"]);
}

/// Random commits, branches and merges: the changes always result in the files of `HEAD`.
#[test]
fn a_whole_history_adds_up_to_head() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    for _ in 0..3 {
        let mut repository = Repository::new();
        repository.write("start", "x");
        repository.commit("0@example.org");
        let mut branches = BTreeSet::from(["main".to_owned()]);
        for step in 0..25 {
            let branch = branches.iter().nth(rng.gen_range(0..branches.len())).unwrap().clone();
            repository.git(&["checkout", "-q", "-f", &branch]);
            match rng.gen_range(0..10) {
                0..=1 => {
                    let name = format!("branch{step}");
                    repository.git(&["checkout", "-q", "-b", &name]);
                    branches.insert(name);
                }
                2..=4 if branches.len() > 1 => {
                    let others: Vec<_> = branches.iter().filter(|b| **b != branch).collect();
                    let other = others[rng.gen_range(0..others.len())].clone();
                    merge(&mut repository, &mut rng, &other);
                }
                _ => {
                    scribble(&repository, &mut rng);
                    repository.commit(&format!("{}@example.org", rng.gen_range(0..4)));
                }
            }
        }
        repository.git(&["checkout", "-q", "-f", "main"]);
        for branch in branches.iter().filter(|b| *b != "main") {
            merge(&mut repository, &mut rng, branch);
        }
        assert_eq!(sum(&repository.history()), repository.head());
    }
}

/// Changes or removes a few of a few files.
fn scribble(repository: &Repository, rng: &mut StdRng) {
    for _ in 0..rng.gen_range(1..4) {
        let path = format!("f{}", rng.gen_range(0..6));
        if rng.gen_bool(0.25) {
            let _ = std::fs::remove_file(repository.path().join(path));
        } else {
            // Few different contents, so that branches sometimes agree.
            repository.write(&path, format!("{}", rng.gen_range(0..4)));
        }
    }
}

/// Merges `other`; the result is ours, theirs or neither.
fn merge(repository: &mut Repository, rng: &mut StdRng, other: &str) {
    repository.seconds += 60;
    let strategy = ["ours", "theirs"][rng.gen_range(0..2)];
    if strategy == "ours" {
        repository.git(&["merge", "-q", "--no-ff", "--no-commit", "-s", "ours", other]);
    } else {
        // `-X theirs` stops at a file that one side deleted; the file is the result.
        let _ = Command::new("git")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .current_dir(repository.path())
            .args(["merge", "-q", "--no-ff", "--no-commit", "-X", "theirs", other])
            .output()
            .unwrap();
    }
    if rng.gen_bool(0.3) {
        scribble(repository, rng);
    }
    repository.commit("merger@example.org");
}

#[test]
fn no_repository_no_commit_and_no_path_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let error = read_history(folder.path(), 10, |_| {}).unwrap_err();
    assert!(matches!(error, GitError::NotARepository { .. }), "{error}");
    assert!(error.to_string().contains("not a git repository"), "{error}");

    let error = read_history(&folder.path().join("absent"), 10, |_| {}).unwrap_err();
    assert!(error.to_string().contains("no such path"), "{error}");

    let repository = Repository::new();
    let error = read_history(repository.path(), 10, |_| {}).unwrap_err();
    assert!(matches!(error, GitError::NoCommit { .. }), "{error}");
}

#[test]
fn a_missing_object_is_named() {
    let mut repository = Repository::new();
    repository.write("f", "x");
    repository.commit("a@example.org");
    let blob = repository.git(&["rev-parse", "HEAD:f"]).trim().to_owned();
    let object = repository.path().join(format!(".git/objects/{}/{}", &blob[..2], &blob[2..]));
    std::fs::remove_file(object).unwrap();
    let error = read_history(repository.path(), 10, |_| {}).unwrap_err();
    assert!(matches!(&error, GitError::Missing { id } if *id == blob), "{error}");
}

#[test]
fn a_damaged_history_is_an_error_and_not_a_shorter_history() {
    let mut repository = Repository::new();
    for i in 0..3 {
        repository.write("f", format!("{i}"));
        repository.commit("a@example.org");
    }
    let tree = repository.git(&["rev-parse", "HEAD~1^{tree}"]).trim().to_owned();
    let object = repository.path().join(format!(".git/objects/{}/{}", &tree[..2], &tree[2..]));
    std::fs::remove_file(object).unwrap();
    let error = read_history(repository.path(), 10, |_| {}).unwrap_err();
    assert!(matches!(error, GitError::Failed { .. }), "{error}");
}
