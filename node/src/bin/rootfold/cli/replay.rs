//! `replay`

use clap::Args;
use rootfold_core::field;
use rootfold_node::{
    address::Address,
    replay::{self, Replay},
};
use serde_json::json;

use super::{context::block_on, failure::Failure, text, Context};

/// `replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The peer, as host or host:port.
    #[arg(long, value_name = "ADDR", value_parser = Address::of_node)]
    from: Address,
    /// The invite to the space.
    #[arg(long)]
    invite: String,
}

/// Creates a replica from the complete logs of a peer.
pub fn run(context: &Context, args: ReplayArgs) -> Result<(), Failure> {
    let invite = text::invite_of(&args.invite)?;
    let bars = context.bars();
    let job = Replay {
        peer: args.from.to_string(),
        space: invite.space,
        data_dir: Some(context.data_dir()),
    };
    let credentials = context.credentials()?;
    let report = block_on(async { Ok(replay::run_as(job, &credentials, &bars).await?) })?;
    bars.clear();
    let ms = report.elapsed.as_secs_f64() * 1000.0;
    let json = json!({
        "root": field::to_hex(&report.root),
        "source_root": report.source_root.as_ref().map(field::to_hex),
        "ops": report.ops,
        "bytes": report.bytes,
        "ms": ms,
    });
    context.output.answer(&json, || {
        format!(
            "{} ops: {} in {ms:.1} ms\nroot  {}",
            report.ops,
            text::bytes_text(report.bytes),
            field::to_hex(&report.root)
        )
    })
}
