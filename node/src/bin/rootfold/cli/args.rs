//! The command line: global options and the list of commands. The arguments of a command are in its
//! own file.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::global::Global;

use super::{
    backup::BackupArgs,
    batch::BatchArgs,
    bootstrap::BootstrapArgs,
    del::DelArgs,
    demo::DemoArgs,
    find::FindArgs,
    forks::ForksArgs,
    get::GetArgs,
    grant::GrantArgs,
    health::HealthArgs,
    import_git::ImportGitArgs,
    invite::InviteArgs,
    log::LogArgs,
    pages::{CompletionsArgs, ManArgs},
    params::ParamsArgs,
    peers::PeersArgs,
    prove::ProveArgs,
    publish::PublishArgs,
    put::PutArgs,
    replace::{RekeyArgs, RevokeArgs},
    replay::ReplayArgs,
    scan::ScanArgs,
    scrub::ScrubArgs,
    serve::ServeArgs,
    space_new::SpaceNewArgs,
    verify::VerifyArgs,
    watch::WatchArgs,
    writer_new::WriterNewArgs,
};

/// Replicas that start from a proof instead of the history.
#[derive(Debug, Parser)]
#[command(name = "rootfold", version, about, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done; 1 refused: a proof, signature, page, value or op is bad or not \
                        allowed, or a log is forked; 2 usage; 3 unreachable, unreadable or \
                        unwritable; 4 this replica and a peer differ; 5 not found."
)]
pub struct Cli {
    /// Options that the config file may set too.
    #[command(flatten)]
    pub global: Global,
    /// The config file [default: config.toml in the data directory, if there is one].
    #[arg(long, global = true, value_name = "FILE", env = "ROOTFOLD_CONFIG")]
    pub config: Option<PathBuf>,
    /// Prints one line of JSON instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// All commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Creates a space.
    #[command(subcommand)]
    Space(SpaceCommand),
    /// Creates a key of a writer.
    #[command(subcommand)]
    Writer(WriterCommand),
    /// Admits a writer to the space; only its owner can do so.
    Grant(GrantArgs),
    /// Gives the log of a writer another key; only the owner can do so.
    Rekey(RekeyArgs),
    /// Closes the log of a writer: what it has stays, and nothing follows; only the owner can do so.
    Revoke(RevokeArgs),
    /// Writes a value.
    Put(PutArgs),
    /// Deletes a value.
    Del(DelArgs),
    /// Prints the value of a key.
    Get(GetArgs),
    /// Prints keys in order.
    Scan(ScanArgs),
    /// Prints the entries with a tag, in the order that they were tagged with.
    Find(FindArgs),
    /// Writes all changes of a file as one: all of them are visible, or none.
    Batch(BatchArgs),
    /// Prints the ops of each writer's log.
    Log(LogArgs),
    /// Imports a git history: each author becomes a writer, each changed path an op.
    ImportGit(ImportGitArgs),
    /// Prints the invite to the space, with addresses of nodes if they are given.
    Invite(InviteArgs),
    /// Generates the parameters of a profile unless they exist, and prints their id.
    Params(ParamsArgs),
    /// Serves the space over gRPC until interrupted.
    Serve(Box<ServeArgs>),
    /// Folds all pending ops into the running proof.
    Prove(ProveArgs),
    /// Compresses the running proof into a snapshot, which `serve` offers to replicas.
    Publish(PublishArgs),
    /// Verifies a snapshot file.
    Verify(VerifyArgs),
    /// Creates a replica from a snapshot of a peer, or fetches newer ops into it.
    Bootstrap(BootstrapArgs),
    /// Creates a replica from the complete logs of a peer, without a proof.
    Replay(ReplayArgs),
    /// Prints a line for each key that changes, beside a node that serves.
    Watch(WatchArgs),
    /// Prints the peers of this node, or changes them.
    Peers(PeersArgs),
    /// Prints the state of this node.
    Status,
    /// Copies the data directory, also beside a node that serves.
    Backup(BackupArgs),
    /// Reads every record again and checks it.
    Scrub(ScrubArgs),
    /// Shows forked logs with their evidence: both heads, signed by the writer.
    Forks(ForksArgs),
    /// Asks a node whether it serves; exit code 0 if all services do, otherwise 3.
    Health(HealthArgs),
    /// Prints the completions of a shell.
    Completions(CompletionsArgs),
    /// Writes manual pages into a folder.
    Man(ManArgs),
    /// Does all of it on a git history: folds, proves, and syncs two replicas in processes of their
    /// own, one from the proof and one from the logs.
    Demo(DemoArgs),
}

impl Command {
    /// The number of bytes that the command reads from stdin, at most; `None` if it reads none.
    pub fn stdin(&self) -> Option<u64> {
        match self {
            Command::Put(args) => args.stdin(),
            Command::Batch(args) => args.stdin(),
            _ => None,
        }
    }
}

/// `space`
#[derive(Debug, Subcommand)]
pub enum SpaceCommand {
    /// Creates a space whose owner (writer 0) is this node.
    New(SpaceNewArgs),
}

/// `writer`
#[derive(Debug, Subcommand)]
pub enum WriterCommand {
    /// Creates a key and prints its public key, which the owner needs for `grant`.
    New(WriterNewArgs),
}
