//! `forks`

use std::{
    fs::{self, File},
    io::Read,
    path::PathBuf,
};

use clap::{Args, Subcommand};
use rootfold_core::field;
use rootfold_light::fork::{CheckedFork, Fork, MAX_FORK_BYTES};
use serde_json::{json, Value};

use super::{
    failure::{Failure, OrFail},
    Context,
};

/// `forks`
#[derive(Debug, Args)]
pub struct ForksArgs {
    /// Accepts the branch of this writer that this node holds: the log goes on from there.
    #[arg(long, value_name = "WRITER", conflicts_with_all = ["export", "check"])]
    accept: Option<u32>,
    /// Writes the evidence of this writer's fork to the file of --to.
    #[arg(long, value_name = "WRITER", requires = "to", conflicts_with = "check")]
    export: Option<u32>,
    /// The file for --export.
    #[arg(long, value_name = "FILE", requires = "export")]
    to: Option<PathBuf>,
    /// Checks evidence in a file; needs no space.
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<ForksCommand>,
}

/// `forks ...`
#[derive(Debug, Subcommand)]
enum ForksCommand {
    /// Lets the log of a writer go on with one branch, for all nodes; only the owner can do so.
    Resolve {
        /// The id of the writer.
        writer: u32,
        /// The branch as `forks` shows it, 1 or 2.
        branch: usize,
    },
}

/// Shows, exports, checks or accepts forked logs.
pub fn run(context: &Context, args: &ForksArgs) -> Result<(), Failure> {
    if let Some(path) = &args.check {
        let fork = read(&context.path(path))?;
        return context.output.answer(&fork_json(&fork, false), || fork_text(&fork, false));
    }
    let space = context.space()?;
    let none = |writer| {
        Failure::not_found(format!("this node has no evidence of a fork of writer {writer}"))
    };
    if let Some(ForksCommand::Resolve { writer, branch }) = args.command {
        let secret = context.owner(&space)?;
        context.warn_if_restored();
        space.resolve_fork(&secret, writer, branch)?;
    }
    if let Some(writer) = args.accept {
        if !space.accept_fork(writer)? {
            return Err(none(writer));
        }
    }
    if let (Some(writer), Some(path)) = (args.export, &args.to) {
        let fork = space.fork(writer)?.ok_or_else(|| none(writer))?;
        let path = context.path(path);
        let doing = format!("writing {}", path.display());
        fs::write(&path, fork.fork().to_bytes()).or_unreachable(doing)?;
    }
    let mut forks = Vec::new();
    for (writer, mark) in space.forks() {
        if let Some(fork) = space.fork(writer)? {
            forks.push((fork, mark.accepted));
        }
    }
    let list: Vec<Value> =
        forks.iter().map(|(fork, accepted)| fork_json(fork, *accepted)).collect();
    context.output.answer(&json!({ "forks": list }), || match forks.as_slice() {
        [] => "no forked logs".to_owned(),
        forks => forks.iter().map(|(fork, accepted)| fork_text(fork, *accepted)).collect(),
    })
}

fn read(path: &PathBuf) -> Result<CheckedFork, Failure> {
    let doing = || path.display().to_string();
    let mut bytes = Vec::new();
    let file = File::open(path).or_unreachable(doing())?;
    file.take(MAX_FORK_BYTES as u64 + 1).read_to_end(&mut bytes).or_unreachable(doing())?;
    Fork::from_bytes(&bytes).and_then(Fork::check).or_refused(doing())
}

fn fork_json(fork: &CheckedFork, accepted: bool) -> Value {
    let heads: Vec<Value> = fork
        .heads()
        .iter()
        .map(|signed| json!({ "seq": signed.seq, "head": field::to_hex(&signed.head.head) }))
        .collect();
    json!({
        "writer": fork.writer(),
        "public_key": hex::encode(fork.public_key().to_bytes()),
        "shared": fork.shared(),
        "heads": heads,
        "accepted": accepted,
        "evidence": hex::encode(fork.fork().to_bytes()),
    })
}

/// One line for the fork and one for each signed head.
pub fn fork_text(fork: &CheckedFork, accepted: bool) -> String {
    let (writer, shared) = (fork.writer(), fork.shared());
    let state = if accepted { "the branch here is accepted" } else { "the log rests there" };
    let mut text = format!(
        "writer {writer} has signed two different ops {}, after {shared} shared ops; {state}\n",
        shared.saturating_add(1)
    );
    for (branch, signed) in (1..).zip(fork.heads()) {
        let head = field::to_hex(&signed.head.head);
        text += &format!("  branch {branch}, signed head after op {}: {head}\n", signed.seq);
    }
    text
}
