//! `params`

use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::{failure::Failure, parameters::ProfileName, Context};

/// `params`
#[derive(Debug, Args)]
pub struct ParamsArgs {
    /// The profile.
    #[arg(long, value_enum, default_value = "small")]
    profile: ProfileName,
}

/// Generates or reads parameters, and prints their id and size.
pub fn run(context: &Context, args: &ParamsArgs) -> Result<(), Failure> {
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
