//! Commands beside a running node. One process at a time can open a database, so the node that serves a
//! data directory listens on a socket in it, and runs there the commands that other processes send.
//!
//! A request and its answer are one line of JSON each. The socket is for the user of the node alone.

use std::{
    ffi::OsString,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::PermissionsExt,
        net::UnixStream,
    },
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use rootfold_core::value::MAX_VALUE;
use rootfold_node::space::Space;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt},
    net::UnixListener,
    task::spawn_blocking,
    time::timeout,
};

use crate::cli::{
    self,
    args::{Cli, Command},
    output::Output,
    Beside,
};

/// The name of the socket in the data directory.
const SOCKET: &str = "control.sock";
/// The longest request, with a value as hexadecimal text, in bytes.
const REQUEST_LIMIT: u64 = 4 * MAX_VALUE as u64 + 4 * 1024 * 1024;
/// The time for a request to arrive.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// A command of another process.
#[derive(Serialize, Deserialize)]
struct Request {
    version: String,
    /// The arguments with the name of the program, in hexadecimal: they need not be UTF-8.
    args: Vec<String>,
    /// The folder to which the paths among them are relative.
    cwd: String,
    params_dir: Option<String>,
    /// The bytes of stdin, if the command reads it.
    stdin: Option<String>,
}

/// What the command has written.
#[derive(Serialize, Deserialize)]
struct Answer {
    exit: u8,
    stdout: String,
    stderr: String,
}

fn to_hex(path: &Path) -> String {
    hex::encode(path.as_os_str().as_bytes())
}

fn from_hex(digits: &str) -> OsString {
    OsString::from_vec(hex::decode(digits).unwrap_or_default())
}

/// Runs the command in the node that serves the data directory. `None` if there is none, or the command
/// does not need the database.
pub fn delegate(cli: &Cli) -> Option<ExitCode> {
    let needs_space = !matches!(
        cli.command,
        Command::Space(_)
            | Command::Writer(_)
            | Command::Params(_)
            | Command::Serve(_)
            | Command::Replay(_)
            | Command::Demo(_)
    );
    if !needs_space {
        return None;
    }
    // Without a node the socket is missing, or nobody listens on it any more.
    let stream = UnixStream::connect(cli.data.join(SOCKET)).ok()?;
    let output = Output::new(cli.json);
    match exchange(&stream, cli) {
        Ok(answer) => {
            let _ = io::stderr().write_all(answer.stderr.as_bytes());
            let stdout = hex::decode(answer.stdout).unwrap_or_default();
            match output.bytes(&stdout) {
                Ok(()) => Some(ExitCode::from(answer.exit)),
                Err(failure) => {
                    let failure = failure.after("the running node has done the command");
                    output.failure(&failure);
                    Some(ExitCode::from(failure.exit as u8))
                }
            }
        }
        Err(e) => {
            let failure = cli::failure::Failure::unreachable(format!(
                "the node that serves {} does not answer: {e}",
                cli.data.display()
            ));
            output.failure(&failure);
            Some(ExitCode::from(failure.exit as u8))
        }
    }
}

fn exchange(mut stream: &UnixStream, cli: &Cli) -> io::Result<Answer> {
    let reads_stdin = matches!(&cli.command, Command::Put(args) if args.reads_stdin());
    let mut stdin = Vec::new();
    if reads_stdin {
        io::stdin().lock().take(MAX_VALUE as u64 + 1).read_to_end(&mut stdin)?;
    }
    let params_dir = cli.params_dir.clone().or_else(|| {
        std::env::var_os("ROOTFOLD_PARAMS_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from)
    });
    let request = Request {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        args: std::env::args_os().map(|arg| hex::encode(arg.as_bytes())).collect(),
        cwd: to_hex(&std::env::current_dir()?),
        params_dir: params_dir.map(|dir| to_hex(&dir)),
        stdin: reads_stdin.then(|| hex::encode(stdin)),
    };
    let mut line = serde_json::to_vec(&request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    serde_json::from_str(&answer).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
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
    pub async fn run(&self, space: Space, data: &Path) {
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
                if let Err(e) = serve(stream, space, data).await {
                    tracing::debug!(error = %e, "a command was not answered");
                }
            });
        }
    }
}

async fn serve(stream: tokio::net::UnixStream, space: Space, data: PathBuf) -> io::Result<()> {
    let (from, mut to) = stream.into_split();
    let mut line = String::new();
    let mut from = tokio::io::BufReader::new(from.take(REQUEST_LIMIT));
    timeout(REQUEST_TIME, from.read_line(&mut line)).await??;
    let answer = match serde_json::from_str(&line) {
        Ok(request) => spawn_blocking(move || run(request, space, data))
            .await
            .unwrap_or_else(|e| failed(format!("the command panicked: {e}"))),
        Err(e) => failed(format!("not a command of this program: {e}")),
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    to.write_all(&line).await
}

fn failed(what: String) -> Answer {
    Answer { exit: 3, stdout: String::new(), stderr: format!("error: {what}\n") }
}

/// Runs a command on the space of this node.
fn run(request: Request, space: Space, data: PathBuf) -> Answer {
    if request.version != env!("CARGO_PKG_VERSION") {
        return failed(format!(
            "the running node has version {}, this program has {}",
            env!("CARGO_PKG_VERSION"),
            request.version
        ));
    }
    let cli = match Cli::try_parse_from(request.args.iter().map(|digits| from_hex(digits))) {
        Ok(cli) => cli,
        Err(e) => return failed(e.to_string()),
    };
    let cwd = PathBuf::from(from_hex(&request.cwd));
    let stdin = request.stdin.map(|digits| hex::decode(digits).unwrap_or_default());
    let params_dir = request.params_dir.map(|digits| cwd.join(from_hex(&digits)));
    let (output, written) = Output::captured(cli.json);
    let beside = Beside { space, cwd, stdin };
    let cli = Cli { data, params_dir, ..cli };
    let exit = match cli::run(cli, output.clone(), Some(beside)) {
        Ok(()) => 0,
        Err(failure) => {
            output.failure(&failure);
            failure.exit as u8
        }
    };
    let (stdout, stderr) = written.take();
    Answer {
        exit,
        stdout: hex::encode(stdout),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}
