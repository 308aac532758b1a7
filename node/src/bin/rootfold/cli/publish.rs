//! `publish`

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use rootfold_light::snapshot::Snapshot;
use rootfold_node::{
    files::{FilesUrl, PublishReport, Publisher},
    prove::Prover,
    snapshot_file,
    space::Space,
};
use rootfold_prover::atomic::publish_atomically;
use serde_json::json;

use super::{
    context::{block_on, invite, verifying_key},
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
    /// Also writes the space as plain files, for any static host: a folder, file:///PATH, s3://BUCKET/PATH, or a
    /// web server that takes PUT. Without newly proved ops, the newest snapshot is published.
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// With --to: how many seconds files stay that no published state needs any more.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, requires = "to")]
    keep: u64,
}

/// Compresses the running proof into a snapshot and prints the invite.
pub fn run(context: &Context, args: &PublishArgs) -> Result<(), Failure> {
    let space = context.space()?;
    let target = args.to.as_ref().map(|to| FilesUrl::of_target(to, &context.path(Path::new(""))));
    let target = target.transpose().or_usage("--to")?;
    let (snapshot, compress) = match space.latest_snapshot()? {
        Some(newest) if target.is_some() && !has_more_proved(&space) => (newest, Duration::ZERO),
        _ => compress(context, &space)?,
    };
    let invite = invite(&space)?;
    write_files(context, args, &space, &snapshot)?;
    let published = match target {
        Some(url) => Some(publish_to(&space, &url, Duration::from_secs(args.keep))?),
        None => None,
    };
    let header = &snapshot.header;
    let mut json = json!({
        "root": text::field_text(&header.root),
        "ops": header.ops,
        "steps": header.steps,
        "proof_bytes": snapshot.proof.len(),
        "compress_s": compress.as_secs_f64(),
        "invite": invite.to_string(),
    });
    if let Some(PublishReport { written, bytes, unchanged, removed, tail, .. }) = &published {
        json["files"] = json!({
            "written": written, "bytes": bytes, "unchanged": unchanged, "removed": removed, "tail": tail,
        });
    }
    context.output.answer(&json, || {
        let mut said = format!(
            "root    {}\n{} ops in {} steps, proof of {} made in {:.1} s\ninvite  {invite}",
            text::field_text(&header.root),
            header.ops,
            header.steps,
            text::bytes_text(snapshot.proof.len() as u64),
            compress.as_secs_f64()
        );
        if let Some(report) = &published {
            said += &format!(
                "\nfiles   {} written ({}), {} unchanged, {} removed",
                report.written,
                text::bytes_text(report.bytes),
                report.unchanged,
                report.removed
            );
        }
        said
    })
}

/// Whether ops are proved that the newest snapshot does not cover.
fn has_more_proved(space: &Space) -> bool {
    let status = space.status();
    let covered = status.snapshot.map_or(0, |header| header.ops);
    status.proved.is_some_and(|proved| proved.ops > covered)
}

fn compress(context: &Context, space: &Space) -> Result<(Snapshot, Duration), Failure> {
    let bars = context.bars();
    let parameters = context.space_parameters(space, &bars)?;
    let prover = Prover::open(space.clone(), &context.data_dir(), parameters)?;
    let published = prover.publish(&bars)?;
    bars.clear();
    Ok(published)
}

/// Writes the snapshot and the verifying key to the files that were asked for.
fn write_files(
    context: &Context,
    args: &PublishArgs,
    space: &Space,
    snapshot: &Snapshot,
) -> Result<(), Failure> {
    let doing = |path: &Path| format!("writing {}", path.display());
    if let Some(path) = &args.out {
        let path = &context.path(path);
        snapshot_file::write(path, snapshot).or_unreachable(doing(path))?;
    }
    if let Some(path) = &args.key_out {
        let path = &context.path(path);
        let bytes = verifying_key(space)?.encode();
        publish_atomically(path, &[&bytes]).or_unreachable(doing(path))?;
    }
    Ok(())
}

fn publish_to(space: &Space, url: &FilesUrl, grace: Duration) -> Result<PublishReport, Failure> {
    block_on(async {
        let publisher = Publisher::new(space.clone(), url).or_unreachable(url.to_string())?;
        publisher.with_grace(grace).publish().await.or_unreachable(url.to_string())
    })
}
