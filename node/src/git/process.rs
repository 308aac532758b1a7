//! Git processes that only read objects.

use std::{
    fs::File,
    io::{Read, Seek},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::GitError;

/// The longest kept error message of git, in bytes.
const SAID_LIMIT: u64 = 2048;

/// Variables that select another repository. Git sets them for hooks, from which Rootfold may run.
const REDIRECTIONS: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
];

/// `git -C path command`, without input.
pub fn git(path: &Path, command: &'static str) -> Command {
    let mut git = Command::new("git");
    for variable in REDIRECTIONS {
        git.env_remove(variable);
    }
    git.env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        // A missing object is an error; git must not fetch it.
        .env("GIT_NO_LAZY_FETCH", "1")
        // Replacement objects are local to one clone.
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("LC_ALL", "C")
        .arg("-C")
        .arg(path)
        .arg(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    git
}

/// A git process. Its stderr goes to a file: a pipe could fill up, and the terminal shows progress bars.
/// Killed on drop.
pub struct Running {
    command: &'static str,
    child: Child,
    complaints: File,
}

impl Running {
    /// Starts `git`.
    pub fn start(command: &'static str, mut git: Command) -> Result<Running, GitError> {
        let pipe = |source| GitError::Pipe { command, source };
        let complaints = tempfile::tempfile().map_err(pipe)?;
        let stderr = complaints.try_clone().map_err(pipe)?;
        let child =
            git.stderr(stderr).spawn().map_err(|source| GitError::NotInstalled { source })?;
        Ok(Running { command, child, complaints })
    }

    /// The process, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits for the exit; an error unless the process succeeded.
    pub fn finish(mut self) -> Result<(), GitError> {
        let command = self.command;
        let status = self.child.wait().map_err(|source| GitError::Pipe { command, source })?;
        if status.success() {
            return Ok(());
        }
        Err(GitError::Failed { command, said: self.said() })
    }

    /// The error messages of git so far.
    pub fn said(&mut self) -> String {
        let mut said = Vec::new();
        let read = self
            .complaints
            .rewind()
            .and_then(|()| (&self.complaints).take(SAID_LIMIT).read_to_end(&mut said));
        match read {
            Ok(n) if n > 0 => String::from_utf8_lossy(&said).trim_end().replace('\n', " "),
            _ => "no error message".to_owned(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if the process has exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Checks that `path` is in a repository with at least one commit.
pub fn require_commit(path: &Path) -> Result<(), GitError> {
    let here = || path.to_path_buf();
    if !path.exists() {
        return Err(GitError::NotARepository { path: here(), said: "no such path".to_owned() });
    }
    let mut probe = git(path, "rev-parse");
    probe.args(["--git-dir"]);
    Running::start("rev-parse", probe)?.finish().map_err(|error| match error {
        GitError::Failed { said, .. } => GitError::NotARepository { path: here(), said },
        other => other,
    })?;
    let mut probe = git(path, "rev-parse");
    probe.args(["--verify", "--quiet", "--end-of-options", "HEAD^{commit}"]);
    Running::start("rev-parse", probe)?.finish().map_err(|error| match error {
        GitError::Failed { .. } => GitError::NoCommit { path: here() },
        other => other,
    })
}

/// Whether the repository is a shallow clone, or a linked worktree of one.
pub fn is_shallow(path: &Path) -> Result<bool, GitError> {
    let mut probe = git(path, "rev-parse");
    probe.args(["--is-shallow-repository"]);
    let mut probe = Running::start("rev-parse", probe)?;
    let mut said = String::new();
    let stdout = probe.child().stdout.take();
    let read = stdout.map_or(Ok(0), |out| out.take(SAID_LIMIT).read_to_string(&mut said));
    read.map_err(|source| GitError::Pipe { command: "rev-parse", source })?;
    probe.finish()?;
    Ok(said.trim() == "true")
}
