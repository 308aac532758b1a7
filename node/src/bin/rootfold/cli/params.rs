//! `params`

use std::time::Instant;

use serde_json::json;

use super::{args::ParamsArgs, failure::Failure, progress::Bars, Context};

/// Makes or finds parameters.
pub fn run(context: &Context, args: &ParamsArgs) -> Result<(), Failure> {
    let started = Instant::now();
    let folder = context.parameters()?;
    let provided = folder.provide(args.profile, &Bars::new())?;
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
            "{}\nid           {}\nconstraints  {}\n{} in {seconds:.1} s, kept in {}",
            parameters.name(),
            parameters.id(),
            parameters.constraints(),
            if provided.made { "made" } else { "found and read" },
            folder.path().display()
        )
    })
}
