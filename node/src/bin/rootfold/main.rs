//! The `rootfold` binary.

mod cli;
#[cfg(unix)]
mod control;
mod global;
mod logging;
mod path_text;
#[cfg(unix)]
mod socket;
mod written;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use cli::{
    failure::{Failure, OrFail},
    output::Output,
};

fn main() -> ExitCode {
    let (mut cli, matches) = match cli::usage::parse(std::env::args_os().collect()) {
        Ok(parsed) => parsed,
        Err(answer) => return print(&answer),
    };
    let output = Output::new(cli.json);
    let config = match cli::configure(&mut cli, &matches) {
        Ok(config) => config,
        Err(failure) => return fail(&output, &failure),
    };
    let started = logging::start(&cli.global.log_level, cli.global.log_format);
    if let Err(failure) = started.or_usage("--log-level") {
        return fail(&output, &failure);
    }
    #[cfg(unix)]
    if let Some(exit) = control::delegate(&cli) {
        return exit;
    }
    match cli::run(cli, config, output.clone(), caller()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&output, &failure),
    }
}

/// Prints why a command failed.
fn fail(output: &Output, failure: &Failure) -> ExitCode {
    output.failure(failure);
    ExitCode::from(failure.exit as u8)
}

/// Prints what clap has to say.
fn print(answer: &cli::usage::Answer) -> ExitCode {
    // A closed stdout or stderr is ignored.
    let _ = if answer.is_error {
        io::stderr().write_all(answer.text.as_bytes())
    } else {
        io::stdout().write_all(answer.text.as_bytes())
    };
    ExitCode::from(answer.exit)
}

/// A user at a terminal, or a script. If the command serves, it runs the commands of other processes.
fn caller() -> cli::Caller {
    #[cfg(unix)]
    return cli::Caller::Terminal { runner: Some(control::run) };
    #[cfg(not(unix))]
    cli::Caller::Terminal {}
}
