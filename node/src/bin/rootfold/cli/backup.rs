//! `backup`

use std::path::PathBuf;

use clap::Args;
use rootfold_node::backup::backup;
use serde_json::json;

use super::{context::verifying_key, failure::Failure, text, Context};

/// `backup`
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The directory of the backup, which must not exist.
    #[arg(value_name = "DIR")]
    to: PathBuf,
}

/// Copies the data directory.
pub fn run(context: &Context, args: &BackupArgs) -> Result<(), Failure> {
    let space = context.space()?;
    let to = context.path(&args.to);
    let made = backup(&space, &context.data_dir(), &to)?;
    let parameters = verifying_key(&space).ok().map(|key| key.id().to_string());
    let json = json!({
        "records": made.records,
        "bytes": made.bytes,
        "parameters": parameters,
    });
    context.output.answer_done("the backup is made", &json, || {
        let rest = match &parameters {
            Some(id) => format!("\na prover also needs the file of parameters {id}"),
            None => String::new(),
        };
        let bytes = text::bytes_text(made.bytes);
        format!("{} records, {bytes}, keys included: keep it secret{rest}", made.records)
    })
}
