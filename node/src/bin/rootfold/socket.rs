//! The socket in the data directory of a node that serves: it takes commands of other processes.
//!
//! A request is one line of JSON. The answer is a line for each part that the command writes, and one with
//! its exit code. The socket is for the user of the node alone.

use std::{
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use rootfold_light::response::printable;
use rootfold_node::{peers::Peers, space::Space};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt},
    net::{unix::OwnedWriteHalf, UnixListener},
    task::spawn_blocking,
    time::timeout,
};

use crate::{
    global::{Global, MAX_STDIN},
    written::{Part, Written},
};

/// The name of the socket in the data directory.
pub const SOCKET: &str = "control.sock";
/// The longest request, with what was read from stdin as hexadecimal text, in bytes.
const REQUEST_LIMIT: u64 = 2 * MAX_STDIN + 4 * 1024 * 1024;
/// The time for a request to arrive.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// Runs a command in a node that serves, and returns its exit code.
pub type Runner = fn(Request, Serving, Written) -> u8;

/// A node that serves.
#[derive(Clone)]
pub struct Serving {
    pub space: Space,
    pub data: PathBuf,
    pub peers: Peers,
}

/// A command of another process.
#[derive(Serialize, Deserialize)]
pub struct Request {
    pub version: String,
    /// The arguments with the name of the program, in hexadecimal: they need not be UTF-8.
    pub args: Vec<String>,
    /// The folder to which the paths among them are relative.
    pub cwd: String,
    /// The options of all commands, from the command line, variables and config file of the caller.
    pub global: Global,
    /// The bytes of stdin, if the command reads it.
    pub stdin: Option<String>,
}

/// A line of an answer: something that the command has written, or its end.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Line {
    /// Bytes for stdout, in hexadecimal.
    Stdout(String),
    /// Bytes for stderr, in hexadecimal.
    Stderr(String),
    /// The exit code. The last line.
    Exit(u8),
}

impl From<Part> for Line {
    fn from(part: Part) -> Line {
        match part {
            Part::Stdout(bytes) => Line::Stdout(hex::encode(bytes)),
            Part::Stderr(bytes) => Line::Stderr(hex::encode(bytes)),
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
    pub async fn run(&self, runner: Runner, serving: Serving) {
        let own = rustix::process::getuid().as_raw();
        loop {
            let Ok((stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let same_user =
                stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0);
            if !same_user {
                tracing::warn!(event = "command-refused", "refused a command of another user");
                continue;
            }
            let serving = serving.clone();
            tokio::spawn(async move {
                if let Err(e) = serve(stream, runner, serving).await {
                    tracing::debug!(error = %e, "a command was not answered");
                }
            });
        }
    }
}

async fn serve(stream: tokio::net::UnixStream, runner: Runner, serving: Serving) -> io::Result<()> {
    let (from, mut to) = stream.into_split();
    let mut line = String::new();
    let mut from = tokio::io::BufReader::new(from.take(REQUEST_LIMIT));
    timeout(REQUEST_TIME, from.read_line(&mut line)).await??;
    let request = match serde_json::from_str(&line) {
        Ok(request) => request,
        Err(e) => return fail(&mut to, &format!("not a command of this program: {e}")).await,
    };
    let (written, mut parts) = Written::new();
    let command = spawn_blocking(move || runner(request, serving, written));
    loop {
        tokio::select! {
            part = parts.recv() => match part {
                Some(part) => send(&mut to, &Line::from(part)).await?,
                None => break,
            },
            // The caller sends nothing more: it has gone.
            _ = from.read_u8() => return Ok(()),
        }
    }
    match command.await {
        Ok(exit) => send(&mut to, &Line::Exit(exit)).await,
        Err(e) => fail(&mut to, &format!("the command panicked: {e}")).await,
    }
}

async fn fail(to: &mut OwnedWriteHalf, what: &str) -> io::Result<()> {
    let line = format!("error: {}\n", printable(what));
    send(to, &Part::Stderr(line.into_bytes()).into()).await?;
    send(to, &Line::Exit(3)).await
}

async fn send(to: &mut OwnedWriteHalf, line: &Line) -> io::Result<()> {
    let mut line = serde_json::to_vec(line)?;
    line.push(b'\n');
    to.write_all(&line).await
}
