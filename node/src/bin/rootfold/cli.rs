//! The command line: one file per command.

pub mod args;
pub mod config;
pub mod failure;
pub mod keyring;
pub mod output;
pub mod parameters;
pub mod progress;

mod backup;
mod batch;
mod bootstrap;
mod context;
mod del;
mod demo;
mod find;
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
mod replace;
mod replay;
mod scan;
mod scrub;
mod serve;
pub mod source;
mod space_new;
mod status;
pub mod text;
pub mod usage;
mod verify;
mod watch;
mod writer_new;

pub use context::{block_on, genesis, Beside, Caller, Context};

use clap::{ArgMatches, CommandFactory};

use args::{Cli, Command, SpaceCommand, WriterCommand};
use config::Config;
use failure::Failure;
use output::Output;

/// Lays the command line and the variables over the config file, for the options of all commands.
pub fn configure(cli: &mut Cli, matches: &ArgMatches) -> Result<Config, Failure> {
    if matches!(cli.command, Command::Completions(_) | Command::Man(_)) {
        return Ok(Config::default());
    }
    let config = Config::new(&Cli::command(), matches, cli.config.as_deref(), &cli.global.data);
    let config = config.with_global(cli.global.clone());
    cli.global = config.merged(&cli.global)?;
    Ok(config)
}

/// Runs the command, in a process of its own or in a node that serves.
pub fn run(cli: Cli, config: Config, output: Output, caller: Caller) -> Result<(), Failure> {
    let context = Context::new(cli.global, config, output, caller);
    match cli.command {
        Command::Space(SpaceCommand::New(args)) => space_new::run(&context, args),
        Command::Writer(WriterCommand::New(args)) => writer_new::run(&context, &args),
        Command::Grant(args) => grant::run(&context, &args),
        Command::Rekey(args) => replace::rekey(&context, &args),
        Command::Revoke(args) => replace::revoke(&context, &args),
        Command::Put(args) => put::run(&context, args),
        Command::Del(args) => del::run(&context, args),
        Command::Get(args) => get::run(&context, &args),
        Command::Scan(args) => scan::run(&context, &args),
        Command::Find(args) => find::run(&context, &args),
        Command::Batch(args) => batch::run(&context, &args),
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
