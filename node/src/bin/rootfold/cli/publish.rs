//! `publish`

use std::path::PathBuf;

use clap::Args;
use rootfold_node::{prove::Prover, snapshot_file};
use rootfold_prover::atomic::publish_atomically;
use serde_json::json;

use super::{
    context::{invite, verifying_key},
    failure::{Failure, OrFail},
    text, Context,
};

/// `publish`
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// Also writes the snapshot to a file, for `verify`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Also writes the verifying key to a file, for `verify --key`.
    #[arg(long, value_name = "FILE")]
    key_out: Option<PathBuf>,
}

/// Compresses the running proof into a snapshot and prints the invite.
pub fn run(context: &Context, args: &PublishArgs) -> Result<(), Failure> {
    let space = context.space()?;
    let bars = context.bars();
    let parameters = context.space_parameters(&space, &bars)?;
    let invite = invite(&space)?;
    let prover = Prover::open(space.clone(), &context.data_dir(), parameters)?;
    let (snapshot, compress) = prover.publish(&bars)?;
    bars.clear();
    if let Some(path) = &args.out {
        let path = &context.path(path);
        snapshot_file::write(path, &snapshot)
            .or_unreachable(format!("writing {}", path.display()))?;
    }
    if let Some(path) = &args.key_out {
        let path = &context.path(path);
        let doing = || format!("writing {}", path.display());
        let bytes = verifying_key(&space)?.encode();
        publish_atomically(path, &[&bytes]).or_unreachable(doing())?;
    }
    let header = &snapshot.header;
    let json = json!({
        "root": text::field_text(&header.root),
        "ops": header.ops,
        "steps": header.steps,
        "proof_bytes": snapshot.proof.len(),
        "compress_s": compress.as_secs_f64(),
        "invite": invite.to_string(),
    });
    context.output.answer(&json, || {
        format!(
            "root    {}\n{} ops in {} steps, proof of {} made in {:.1} s\ninvite  {invite}",
            text::field_text(&header.root),
            header.ops,
            header.steps,
            text::bytes_text(snapshot.proof.len() as u64),
            compress.as_secs_f64()
        )
    })
}
