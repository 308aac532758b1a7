//! `params`, `params fetch`

use std::time::Instant;

use clap::{Args, Subcommand};
use rootfold_node::{
    address::Address,
    bootstrap::DialAs,
    prove::{fetch_parameters, FetchedParameters},
};
use serde_json::json;

use super::{
    context::{self, block_on},
    failure::Failure,
    parameters::ProfileName,
    text, Context,
};

/// `params`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ParamsArgs {
    #[command(subcommand)]
    command: Option<ParamsCommand>,
    /// The profile.
    #[arg(long, value_enum, default_value = "small")]
    profile: ProfileName,
}

impl ParamsArgs {
    /// Whether the command reads the space in the data directory.
    pub fn needs_space(&self) -> bool {
        matches!(&self.command, Some(ParamsCommand::Fetch(FetchArgs { invite: None, .. })))
    }
}

/// The commands below `params`.
#[derive(Debug, Subcommand)]
enum ParamsCommand {
    /// Fetches the parameters of a space from a peer: hundreds of MB. A transfer that was cut off goes on.
    Fetch(FetchArgs),
}

/// `params fetch`
#[derive(Debug, Args)]
struct FetchArgs {
    /// A peer, as host or host:port; may be given several times.
    #[arg(long, value_name = "ADDR", required = true, value_parser = Address::of_node)]
    from: Vec<Address>,
    /// The invite to the space [default: that of the space in the data directory].
    #[arg(long)]
    invite: Option<String>,
}

/// Generates, reads or fetches parameters, and prints their id and size.
pub fn run(context: &Context, args: &ParamsArgs) -> Result<(), Failure> {
    match &args.command {
        Some(ParamsCommand::Fetch(args)) => fetch(context, args),
        None => make(context, args),
    }
}

fn fetch(context: &Context, args: &FetchArgs) -> Result<(), Failure> {
    let invite = match &args.invite {
        Some(invite) => text::invite_of(invite)?,
        None => context::invite(&context.space()?)?,
    };
    let (dir, bars) = (context.parameters()?, context.bars());
    let dial = DialAs(context.credentials()?);
    let from: Vec<String> = args.from.iter().map(ToString::to_string).collect();
    let fetching = fetch_parameters(&from, &dial, dir.path(), invite.parameters, &bars);
    let FetchedParameters { path, bytes } = block_on(async { Ok(fetching.await?) })?;
    bars.clear();
    let json = json!({
        "parameters": invite.parameters.to_string(),
        "file": path.display().to_string(),
        "bytes": bytes,
    });
    context.output.answer(&json, || {
        format!(
            "{}\n{} received, stored in {}",
            invite.parameters,
            text::bytes_text(bytes),
            path.display()
        )
    })
}

fn make(context: &Context, args: &ParamsArgs) -> Result<(), Failure> {
    let started = Instant::now();
    let folder = context.parameters()?;
    let provided = folder.provide(args.profile, &context.bars())?;
    let parameters = &provided.parameters;
    let seconds = started.elapsed().as_secs_f64();
    let json = json!({
        "profile": parameters.verifying_key().key().profile,
        "parameters": parameters.id().to_string(),
        "name": parameters.name(),
        "development": parameters.is_development(),
        "constraints": parameters.constraints(),
        "made": provided.made,
        "seconds": seconds,
        "folder": folder.path().display().to_string(),
    });
    context.output.answer(&json, || {
        format!(
            "{}\nid           {}\nconstraints  {}\n{} in {seconds:.1} s, stored in {}",
            parameters.name(),
            parameters.id(),
            parameters.constraints(),
            if provided.made { "generated" } else { "read" },
            folder.path().display()
        )
    })
}
