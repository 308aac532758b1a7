//! Commands beside a running node. One process at a time can open a database, so a command is sent to the
//! node that serves the data directory, if there is one, and runs there.

use std::{
    ffi::OsString,
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        net::UnixStream,
    },
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::{
    cli::{
        self,
        args::{Cli, Command},
        config::Config,
        failure::{Failure, OrFail},
        output::Output,
        Beside, Caller,
    },
    global::{self, Global},
    socket::{Line, Request, Serving, SOCKET},
    written::Written,
};

fn to_hex(path: &Path) -> String {
    hex::encode(path.as_os_str().as_bytes())
}

fn from_hex(digits: &str) -> OsString {
    OsString::from_vec(from_digits(digits))
}

/// Runs the command in the node that serves the data directory. `None` if no node does, or the command does
/// not need the database.
pub fn delegate(cli: &Cli) -> Option<ExitCode> {
    let needs_space = match &cli.command {
        Command::Space(_)
        | Command::Writer(_)
        | Command::Serve(_)
        | Command::Replay(_)
        | Command::Health(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Demo(_) => false,
        Command::Params(args) => args.needs_space(),
        _ => true,
    };
    if !needs_space {
        return None;
    }
    // Without a node the socket is missing, or nobody listens on it any more.
    let stream = UnixStream::connect(cli.global.data.join(SOCKET)).ok()?;
    let output = Output::new(cli.json);
    match exchange(&stream, cli, &output) {
        Ok(exit) => Some(exit),
        Err(e) => {
            let failure = Failure::unreachable(format!(
                "the node that serves {} does not answer: {e}",
                cli.global.data.display()
            ));
            output.failure(&failure);
            Some(ExitCode::from(failure.exit as u8))
        }
    }
}

fn exchange(mut stream: &UnixStream, cli: &Cli, output: &Output) -> io::Result<ExitCode> {
    let limit = cli.command.stdin();
    let mut stdin = Vec::new();
    if let Some(limit) = limit {
        io::stdin().lock().take(limit).read_to_end(&mut stdin)?;
    }
    let mut options = cli.global.clone();
    options.params_dir = options.params_dir.or_else(|| global::path_in(global::PARAMS_DIR));
    let cwd = std::env::current_dir()?;
    let request = Request {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        args: std::env::args_os().map(|arg| hex::encode(arg.as_bytes())).collect(),
        global: options.within(&cwd),
        cwd: to_hex(&cwd),
        stdin: limit.map(|_| hex::encode(stdin)),
    };
    let mut line = serde_json::to_vec(&request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    print_answer(BufReader::new(stream), output)
}

/// Prints the lines of an answer as they come, and returns the exit code.
fn print_answer(lines: impl BufRead, output: &Output) -> io::Result<ExitCode> {
    // The node goes on if an answer cannot be written; what it has done is known at the end.
    let mut written = Ok(());
    for line in lines.lines() {
        let line = serde_json::from_str(&line?);
        match line.map_err(|e| io::Error::new(ErrorKind::InvalidData, e))? {
            Line::Stdout(digits) => match output.write(&from_digits(&digits)) {
                // The reader has closed the pipe.
                Err(e) if e.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
                Err(e) => written = Err(e).or_unreachable("writing to stdout"),
                Ok(()) => {}
            },
            Line::Stderr(digits) => {
                let _ = io::stderr().write_all(&from_digits(&digits));
            }
            Line::Exit(exit) => {
                let Err(failure) = written else { return Ok(ExitCode::from(exit)) };
                let failure = failure.after("the running node has done the command");
                output.failure(&failure);
                return Ok(ExitCode::from(failure.exit as u8));
            }
        }
    }
    Err(io::Error::new(ErrorKind::UnexpectedEof, "it ended before the command"))
}

fn from_digits(digits: &str) -> Vec<u8> {
    hex::decode(digits).unwrap_or_default()
}

/// Runs a command on the space of this node. Returns its exit code.
pub fn run(request: Request, serving: Serving, written: Written) -> u8 {
    match try_run(request, serving, written) {
        Ok(()) => 0,
        Err((output, failure)) => {
            output.failure(&failure);
            failure.exit as u8
        }
    }
}

fn try_run(request: Request, serving: Serving, written: Written) -> Result<(), (Output, Failure)> {
    let args = request.args.iter().map(|digits| from_hex(digits));
    let plain = Output::captured(false, written.clone());
    if request.version != env!("CARGO_PKG_VERSION") {
        let failure = Failure::unreachable(format!(
            "the running node has version {}, this program has {}",
            env!("CARGO_PKG_VERSION"),
            request.version
        ));
        return Err((plain, failure));
    }
    // The caller has parsed the same command line, by the same version.
    let (cli, _) = cli::usage::parse(args.collect())
        .map_err(|answer| (plain, Failure::usage(answer.text.trim_end().to_owned())))?;
    let cwd = PathBuf::from(from_hex(&request.cwd));
    let stdin = request.stdin.map(|digits| from_digits(&digits));
    let output = Output::captured(cli.json, written);
    let beside = Beside { space: serving.space, peers: serving.peers, cwd, stdin };
    let cli = Cli { global: Global { data: serving.data, ..request.global }, ..cli };
    cli::run(cli, Config::default(), output.clone(), Caller::Process(beside))
        .map_err(|failure| (output, failure))
}
