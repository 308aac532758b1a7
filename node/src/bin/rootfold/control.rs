//! Commands beside a running node. One process at a time can open a database, so a command is sent to the
//! node that serves the data directory, if there is one, and runs there.

use std::{
    ffi::OsString,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        net::UnixStream,
    },
    path::{Path, PathBuf},
    process::ExitCode,
};

use rootfold_core::value::MAX_VALUE;
use rootfold_node::space::Space;

use crate::{
    cli::{
        self,
        args::{Cli, Command},
        output::Output,
        Beside, Caller,
    },
    socket::{Answer, Request, SOCKET},
};

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

impl From<cli::usage::Answer> for Answer {
    fn from(answer: cli::usage::Answer) -> Answer {
        let (stdout, stderr) = match answer.is_error {
            true => (String::new(), answer.text),
            false => (hex::encode(answer.text), String::new()),
        };
        Answer { exit: answer.exit, stdout, stderr }
    }
}

/// Runs a command on the space of this node.
pub fn run(request: Request, space: Space, data: PathBuf) -> Answer {
    if request.version != env!("CARGO_PKG_VERSION") {
        return Answer::failed(&format!(
            "the running node has version {}, this program has {}",
            env!("CARGO_PKG_VERSION"),
            request.version
        ));
    }
    let cli = match cli::usage::parse(request.args.iter().map(|digits| from_hex(digits)).collect())
    {
        Ok(cli) => cli,
        Err(answer) => return answer.into(),
    };
    let cwd = PathBuf::from(from_hex(&request.cwd));
    let stdin = request.stdin.map(|digits| hex::decode(digits).unwrap_or_default());
    let params_dir = request.params_dir.map(|digits| cwd.join(from_hex(&digits)));
    let (output, written) = Output::captured(cli.json);
    let beside = Beside { space, cwd, stdin };
    let cli = Cli { data, params_dir, ..cli };
    let exit = match cli::run(cli, output.clone(), Caller::Process(beside)) {
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
