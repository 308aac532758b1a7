//! Runs of the built binary.

#![allow(dead_code, clippy::unwrap_used)] // No test file uses all of it.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Seek, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// The result of a run.
pub struct Ran {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Ran {
    fn new(output: Output) -> Ran {
        Ran {
            code: output.status.code().expect("not killed"),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Asserts exit code 0 and returns stdout.
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}", self.stderr);
        String::from_utf8(self.stdout).unwrap()
    }

    /// Asserts exit code 0 and parses stdout as one line of JSON.
    pub fn json(self) -> Value {
        let line = self.ok();
        assert_eq!(line.matches('\n').count(), 1, "not one line: {line:?}");
        assert!(line.ends_with('\n'));
        serde_json::from_str(&line).unwrap()
    }

    /// Asserts an exit code, that stderr contains `words`, and that stdout is empty.
    pub fn fails(self, code: i32, words: &str) {
        assert_eq!(self.code, code, "{}", self.stderr);
        assert!(self.stderr.contains(words), "stderr does not contain {words:?}: {}", self.stderr);
        assert_eq!(String::from_utf8_lossy(&self.stdout), "");
    }
}

/// The result of a run that was to be killed.
pub struct Cut {
    /// Whether it was killed before its end.
    pub killed: bool,
    pub stderr: String,
}

/// A node: a data directory.
pub struct Node {
    pub data: PathBuf,
    pub params: PathBuf,
    // Removed when the last node in it is dropped.
    _folder: Option<TempDir>,
}

impl Node {
    /// A node whose data directory does not exist yet.
    pub fn new() -> Node {
        let folder = tempfile::tempdir().unwrap();
        Node { data: folder.path().join("data"), params: params_dir(), _folder: Some(folder) }
    }

    /// A node whose data directory and folder of parameters do not exist yet.
    pub fn without_parameters() -> Node {
        let node = Node::new();
        Node { params: node.data.with_file_name("params"), ..node }
    }

    /// A node with a new space of profile `small`.
    pub fn with_space() -> Node {
        let node = Node::new();
        node.run(["space", "new"]).ok();
        node
    }

    /// A node with a copy of the data of this one.
    pub fn copy(&self) -> Node {
        let copy = Node::new();
        copy_folder(&self.data, &copy.data);
        copy
    }

    /// The binary with the data directory of this node.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rootfold"));
        command
            .env_remove("RUST_LOG")
            .arg("--data")
            .arg(&self.data)
            .arg("--params-dir")
            .arg(&self.params)
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran {
        Ran::new(self.command(arguments).output().unwrap())
    }

    pub fn json<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Value {
        let mut command = self.command(["--json"]);
        command.args(arguments);
        Ran::new(command.output().unwrap()).json()
    }

    /// Runs with these bytes on stdin.
    pub fn run_with<S: AsRef<OsStr>>(
        &self,
        stdin: &[u8],
        arguments: impl IntoIterator<Item = S>,
    ) -> Ran {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The program may close stdin early.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        Ran::new(child.wait_with_output().unwrap())
    }

    /// Runs, and kills -9 after `patience`; a run that ends before must succeed.
    pub fn run_and_kill<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        patience: Duration,
    ) -> Cut {
        let mut stderr = tempfile::tempfile().unwrap();
        let mut command = self.command(arguments);
        command.env("RUST_LOG", "info");
        command.stdout(Stdio::null()).stderr(stderr.try_clone().unwrap());
        let mut child = command.spawn().unwrap();
        let began = Instant::now();
        while began.elapsed() < patience && child.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        // The process may have ended just before the kill.
        child.kill().unwrap();
        let status = child.wait().unwrap();
        let mut said = String::new();
        stderr.rewind().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        assert!(status.success() || status.code().is_none(), "{status}: {said}");
        Cut { killed: !status.success(), stderr: said }
    }

    /// Runs with a limit of the size of files, in units of 512 bytes: a write beyond it fails, as on a full
    /// disk.
    pub fn run_on_full_disk<S: AsRef<OsStr>>(
        &self,
        units: u64,
        arguments: impl IntoIterator<Item = S>,
    ) -> Ran {
        let plain = self.command(arguments);
        let output = Command::new("sh")
            .env_remove("RUST_LOG")
            .arg("-c")
            .arg(format!("trap '' XFSZ; ulimit -S -f {units}; exec \"$0\" \"$@\""))
            .arg(plain.get_program())
            .args(plain.get_args())
            .stdin(Stdio::null())
            .output();
        Ran::new(output.unwrap())
    }

    /// Serves until dropped.
    pub fn serve(&self) -> Served {
        self.serve_with("", &[])
    }

    /// Serves with further options, after shell commands that set limits of the process.
    pub fn serve_with(&self, before: &str, options: &[&str]) -> Served {
        let mut plain = self.command(["--json", "serve"]);
        if !options.contains(&"--listen") {
            plain.args(["--listen", "127.0.0.1:0"]);
        }
        let mut command = Command::new("sh");
        command
            .env_remove("RUST_LOG")
            .arg("-c")
            .arg(format!("{before}\nexec \"$0\" \"$@\""))
            .arg(plain.get_program())
            .args(plain.get_args())
            .args(options)
            .stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).expect("serve prints its address");
        let address = answer["address"].as_str().unwrap().to_owned();
        Served { child, address }
    }
}

/// A running `serve`.
pub struct Served {
    child: Child,
    pub address: String,
}

impl Served {
    /// Sends SIGTERM and returns the exit code.
    pub fn stop(mut self) -> i32 {
        self.terminate();
        self.wait()
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let asked = Command::new("kill").arg(self.id().to_string()).status().unwrap();
        assert!(asked.success());
    }

    /// Waits for the end and returns the exit code.
    pub fn wait(&mut self) -> i32 {
        self.child.wait().unwrap().code().expect("not killed")
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The largest memory of the process so far, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// The processor time of the process so far.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap();
        let after_name = stat.rsplit(')').next().unwrap();
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks = |field: usize| fields[field].parse::<u64>().unwrap();
        Duration::from_millis((ticks(11) + ticks(12)) * 10)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The directory of parameters, which all tests share.
fn params_dir() -> PathBuf {
    match std::env::var_os("ROOTFOLD_PARAMS_DIR") {
        Some(dir) if !dir.is_empty() => dir.into(),
        _ => Path::new(env!("CARGO_TARGET_TMPDIR")).join("rootfold-params"),
    }
}

pub fn copy_folder(from: &Path, to: &Path) {
    rootfold_node::private_file::create_folder(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A git repository in its own directory.
pub struct Repository {
    folder: TempDir,
    commits: i64,
}

impl Repository {
    pub fn new() -> Repository {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository { folder, commits: 0 };
        repository.git("init@example.org", &["init", "-q", "-b", "main", "."]);
        repository
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub fn commit(&mut self, email: &str) {
        self.commits += 1;
        self.git(email, &["add", "-A"]);
        self.git(email, &["commit", "-q", "-m", "change"]);
    }

    fn git(&self, email: &str, arguments: &[&str]) {
        let date = format!("{} +0000", 1_700_000_000 + 60 * self.commits);
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
            .env("GIT_COMMITTER_EMAIL", email)
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .current_dir(self.path())
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
    }
}

/// A history of three authors: `commits` commits, each of three changes of `files` files.
pub fn some_history(commits: usize, files: usize) -> Repository {
    let mut repository = Repository::new();
    for commit in 0..commits {
        for change in 0..3 {
            let file = (7 * commit + 3 * change) % files;
            repository.write(&format!("folder/file{file}"), format!("{commit} {change}"));
        }
        repository.commit(&format!("author{}@example.org", commit % 3));
    }
    repository
}
