//! The socket in the data directory of a node that serves: it takes commands of other processes.
//!
//! A request and its answer are one line of JSON each. The socket is for the user of the node alone.

use std::{
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use rootfold_core::value::MAX_VALUE;
use rootfold_node::space::Space;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt},
    net::UnixListener,
    task::spawn_blocking,
    time::timeout,
};

/// The name of the socket in the data directory.
pub const SOCKET: &str = "control.sock";
/// The longest request, with a value as hexadecimal text, in bytes.
const REQUEST_LIMIT: u64 = 4 * MAX_VALUE as u64 + 4 * 1024 * 1024;
/// The time for a request to arrive.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// Runs a command on the space of a node, which serves this data directory.
pub type Runner = fn(Request, Space, PathBuf) -> Answer;

/// A command of another process.
#[derive(Serialize, Deserialize)]
pub struct Request {
    pub version: String,
    /// The arguments with the name of the program, in hexadecimal: they need not be UTF-8.
    pub args: Vec<String>,
    /// The folder to which the paths among them are relative.
    pub cwd: String,
    pub params_dir: Option<String>,
    /// The bytes of stdin, if the command reads it.
    pub stdin: Option<String>,
}

/// What the command has written.
#[derive(Serialize, Deserialize)]
pub struct Answer {
    pub exit: u8,
    pub stdout: String,
    pub stderr: String,
}

impl Answer {
    /// The answer to a command that cannot be run.
    pub fn failed(what: &str) -> Answer {
        Answer {
            exit: 3,
            stdout: String::new(),
            stderr: format!("error: {}\n", what.escape_debug()),
        }
    }
}

/// The socket of a running node. Removed on drop.
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Control {
    /// Listens in a data directory whose database this process has open. A socket that an earlier process
    /// left is replaced.
    ///
    /// # Errors
    /// Any I/O error, for example that the path is too long for a socket.
    pub fn bind(data: &Path) -> io::Result<Control> {
        let path = data.join(SOCKET);
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600))?;
        Ok(Control { listener, path })
    }

    /// Runs commands until dropped.
    pub async fn run(&self, runner: Runner, space: Space, data: &Path) {
        let own = rustix::process::getuid().as_raw();
        loop {
            let Ok((stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let same_user =
                stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0);
            if !same_user {
                tracing::warn!("refused a command of another user");
                continue;
            }
            let (space, data) = (space.clone(), data.to_owned());
            tokio::spawn(async move {
                if let Err(e) = serve(stream, runner, space, data).await {
                    tracing::debug!(error = %e, "a command was not answered");
                }
            });
        }
    }
}

async fn serve(
    stream: tokio::net::UnixStream,
    runner: Runner,
    space: Space,
    data: PathBuf,
) -> io::Result<()> {
    let (from, mut to) = stream.into_split();
    let mut line = String::new();
    let mut from = tokio::io::BufReader::new(from.take(REQUEST_LIMIT));
    timeout(REQUEST_TIME, from.read_line(&mut line)).await??;
    let answer = match serde_json::from_str(&line) {
        Ok(request) => spawn_blocking(move || runner(request, space, data))
            .await
            .unwrap_or_else(|e| Answer::failed(&format!("the command panicked: {e}"))),
        Err(e) => Answer::failed(&format!("not a command of this program: {e}")),
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    to.write_all(&line).await
}
