//! The command line as clap reads it.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Replicas that start from a proof and not from the history.
#[derive(Debug, Parser)]
#[command(name = "rootfold", version, about, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 done, 1 refused (a proof, signature, page, value or op is \
                        bad), 2 usage, 3 could not reach, read or write.")]
pub struct Cli {
    /// The node's data folder.
    #[arg(long, global = true, value_name = "DIR", default_value = ".rootfold")]
    pub data: PathBuf,
    /// Where parameters are kept [default: $ROOTFOLD_PARAMS_DIR, else rootfold/ in the user's cache].
    #[arg(long, global = true, value_name = "DIR")]
    pub params_dir: Option<PathBuf>,
    /// Answers with one line of JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes spaces.
    #[command(subcommand)]
    Space(SpaceCommand),
    /// Makes writers' keys.
    #[command(subcommand)]
    Writer(WriterCommand),
    /// Admits a writer to the space (only its owner can).
    Grant(GrantArgs),
    /// Writes a value.
    Put(PutArgs),
    /// Deletes a value.
    Del(DelArgs),
    /// Prints the value of a key.
    Get(GetArgs),
    /// Prints keys in order.
    Scan(ScanArgs),
    /// Prints ops in the order of each writer's log.
    Log(LogArgs),
    /// Writes a git history: each author a writer, each changed path an op.
    ImportGit(ImportArgs),
    /// Makes or finds the parameters of a profile, and prints their id.
    Params(ParamsArgs),
    /// Serves the space over gRPC until interrupted.
    Serve(ServeArgs),
    /// Folds the ops that are not proved yet into the running proof.
    Prove(ProveArgs),
    /// Compresses the running proof into a snapshot that `serve` hands out.
    Publish(PublishArgs),
    /// Checks a snapshot file.
    Verify(VerifyArgs),
    /// Makes a replica from a peer's snapshot, or brings it up to date.
    Bootstrap(BootstrapArgs),
    /// Makes a replica the long way: from the peer's whole logs, without a proof.
    Replay(ReplayArgs),
    /// Prints what this node holds.
    Status,
    /// Does all of it on a git history: folds, proves, and syncs two replicas in processes of their
    /// own, one from the proof and one from the logs.
    Demo(DemoArgs),
}

/// The size of the step circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProfileName {
    /// For tests and the demo.
    Small,
    /// For real spaces whose keys mostly grow, as those of logs and messages do.
    Standard,
    /// For real spaces whose ops hit keys all over a large tree.
    Scattered,
}

/// `space ...`
#[derive(Debug, Subcommand)]
pub enum SpaceCommand {
    /// Makes a space, with this node as its owner (writer 0).
    New(SpaceNewArgs),
}

/// `space new`
#[derive(Debug, Args)]
pub struct SpaceNewArgs {
    /// The profile in which the space is proved.
    #[arg(long, value_enum, default_value = "small")]
    pub profile: ProfileName,
    /// Public keys of more first writers, which get the ids 1, 2, ...
    #[arg(long = "writer", value_name = "PUBLIC_KEY")]
    pub writers: Vec<String>,
}

/// `writer ...`
#[derive(Debug, Subcommand)]
pub enum WriterCommand {
    /// Makes a key and prints its public half, for the owner to grant.
    New(WriterNewArgs),
}

/// `writer new`
#[derive(Debug, Args)]
pub struct WriterNewArgs {
    /// The key's name on this node.
    pub name: String,
}

/// `grant`
#[derive(Debug, Args)]
pub struct GrantArgs {
    /// The new writer's public key (128 hexadecimal digits), or the name of a key on this node.
    pub who: String,
    /// The new writer's id [default: the smallest that is free].
    #[arg(long, value_name = "ID")]
    pub id: Option<u32>,
}

/// Who writes.
#[derive(Debug, Args)]
pub struct WriterArg {
    /// The name of the key to write with.
    #[arg(long = "as", value_name = "NAME", default_value = super::keyring::OWNER)]
    pub name: String,
}

/// `put`
#[derive(Debug, Args)]
pub struct PutArgs {
    /// The key, at most 91 bytes.
    pub key: OsString,
    /// The value; `-` reads it from stdin.
    #[arg(required_unless_present = "file", conflicts_with = "file", allow_hyphen_values = true)]
    pub value: Option<OsString>,
    /// Reads the value from a file.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub writer: WriterArg,
}

/// `del`
#[derive(Debug, Args)]
pub struct DelArgs {
    /// The key.
    pub key: OsString,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub writer: WriterArg,
}

/// `get`
#[derive(Debug, Args)]
pub struct GetArgs {
    /// The key.
    pub key: OsString,
}

/// `scan`
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Only keys that begin so.
    #[arg(long, value_name = "P", default_value = "")]
    pub prefix: OsString,
    /// At most so many keys.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub limit: usize,
}

/// `log`
#[derive(Debug, Args)]
pub struct LogArgs {
    /// Only this writer's log.
    #[arg(long, value_name = "ID")]
    pub writer: Option<u32>,
    /// At most so many ops, the newest of each log.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub limit: usize,
}

/// `import-git`
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// A folder in the repository.
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// At most so many path changes, the oldest.
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    pub limit: usize,
}

/// `params`
#[derive(Debug, Args)]
pub struct ParamsArgs {
    /// The profile.
    #[arg(long, value_enum, default_value = "small")]
    pub profile: ProfileName,
}

/// `serve`
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The address to listen on; port 0 takes a free one, which is printed.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7340")]
    pub listen: std::net::SocketAddr,
}

/// `prove`
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// At most so many ops per epoch.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub epoch: usize,
    /// Stops after so many epochs.
    #[arg(long, value_name = "N")]
    pub epochs: Option<u64>,
}

/// `publish`
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// Also writes the snapshot to a file that `verify` reads.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Also writes the verifying key to a file, for `verify --key`.
    #[arg(long, value_name = "FILE")]
    pub key_out: Option<PathBuf>,
}

/// `verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The snapshot file.
    pub file: PathBuf,
    /// The space and parameters that are meant [default: those of the data folder].
    #[arg(long)]
    pub invite: Option<String>,
    /// The verifying key; it must be the one that the invite names [default: that of the data
    /// folder].
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
}

/// `bootstrap`
#[derive(Debug, Args)]
pub struct BootstrapArgs {
    /// The peer, as host:port; several times for several peers.
    #[arg(long, value_name = "ADDR", required = true)]
    pub from: Vec<String>,
    /// The space and parameters.
    #[arg(long)]
    pub invite: String,
}

/// `replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The peer, as host:port.
    #[arg(long, value_name = "ADDR")]
    pub from: String,
    /// The space and parameters.
    #[arg(long)]
    pub invite: String,
}

/// `demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// A folder in a git repository. Without it the repository here is taken if its history is long
    /// enough, and a made-up history if not.
    #[arg(long, value_name = "PATH")]
    pub git: Option<PathBuf>,
    /// At most so many path changes, the oldest.
    #[arg(long, value_name = "N", default_value_t = 2400)]
    pub ops: usize,
    /// The size of the step circuit.
    #[arg(long, value_enum, default_value = "standard")]
    pub profile: ProfileName,
    /// Keeps the folder with the three nodes' data and says where it is.
    #[arg(long)]
    pub keep: bool,
}
