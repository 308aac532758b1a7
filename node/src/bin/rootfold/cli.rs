//! The command line: one file per command.

pub mod args;
pub mod failure;
pub mod keyring;
pub mod output;
pub mod parameters;
pub mod progress;

mod backup;
mod bootstrap;
mod context;
mod del;
mod demo;
mod forks;
mod get;
mod grant;
mod health;
mod import;
mod import_git;
mod invite;
mod log;
mod pages;
mod params;
mod peers;
mod prove;
mod publish;
mod put;
mod replay;
mod scan;
mod scrub;
mod serve;
pub mod space_new;
mod status;
pub mod text;
pub mod usage;
mod verify;
mod watch;
mod writer_new;

pub use context::{block_on, genesis, Beside, Caller, Context};

use clap::CommandFactory;

use args::{Cli, Command, SpaceCommand, WriterCommand};
use failure::Failure;
use output::Output;

/// Runs the command, in a process of its own or in a node that serves.
pub fn run(cli: Cli, output: Output, caller: Caller) -> Result<(), Failure> {
    let context = Context::new(cli.data, cli.params_dir, output, caller);
    match cli.command {
        Command::Space(SpaceCommand::New(args)) => space_new::run(&context, args),
        Command::Writer(WriterCommand::New(args)) => writer_new::run(&context, &args),
        Command::Grant(args) => grant::run(&context, &args),
        Command::Put(args) => put::run(&context, args),
        Command::Del(args) => del::run(&context, &args),
        Command::Get(args) => get::run(&context, &args),
        Command::Scan(args) => scan::run(&context, &args),
        Command::Log(args) => log::run(&context, &args),
        Command::ImportGit(args) => import_git::run(&context, &args),
        Command::Invite(args) => invite::run(&context, &args),
        Command::Scrub(args) => scrub::run(&context, &args),
        Command::Params(args) => params::run(&context, &args),
        Command::Serve(args) => serve::run(&context, &args),
        Command::Prove(args) => prove::run(&context, &args),
        Command::Publish(args) => publish::run(&context, &args),
        Command::Verify(args) => verify::run(&context, &args),
        Command::Bootstrap(args) => bootstrap::run(&context, &args),
        Command::Replay(args) => replay::run(&context, args),
        Command::Watch(args) => watch::run(&context, &args),
        Command::Peers(args) => peers::run(&context, &args),
        Command::Backup(args) => backup::run(&context, &args),
        Command::Health(args) => health::run(&context, &args),
        Command::Completions(args) => pages::completions(&context, &args, Cli::command()),
        Command::Man(args) => pages::man(&context, &args, Cli::command()),
        Command::Status => status::run(&context),
        Command::Forks(args) => forks::run(&context, &args),
        Command::Demo(args) => demo::run(&context, &args),
    }
}
