//! `verify`

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use rootfold_light::{invite::Invite, response::MAX_KEY_BYTES, verify};
use rootfold_node::snapshot_file;
use rootfold_verifier::{PreparedVerifyingKey, VerifyingKey};
use serde_json::json;

use super::{
    context,
    failure::{Failure, OrFail},
    text, Context,
};

/// `verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The snapshot file.
    file: PathBuf,
    /// The invite that the snapshot must match [default: that of the data directory].
    #[arg(long)]
    invite: Option<String>,
    /// The verifying key; its id must be the one in the invite [default: that of the data
    /// directory].
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Verifies a snapshot file against an invite; without one, against the space in the data directory.
pub fn run(context: &Context, args: &VerifyArgs) -> Result<(), Failure> {
    let snapshot = snapshot_file::read(&context.path(&args.file))?;
    let invite = args.invite.as_deref().map(text::invite_of).transpose()?;
    let (key, invite) = match (&args.key, invite) {
        (Some(path), Some(invite)) => (read_key(&context.path(path))?, invite),
        (Some(_), None) => {
            return Err(Failure::usage(
                "--key needs --invite, which names the parameters of the key",
            ));
        }
        (None, invite) => own_key(context, invite)?,
    };
    let key = PreparedVerifyingKey::new(key).or_refused("verifying key")?;
    let began = Instant::now();
    verify::verify(&snapshot, &invite, Some(&key))?;
    let ms = began.elapsed().as_secs_f64() * 1000.0;
    let header = &snapshot.header;
    let json = json!({
        "accepted": true,
        "root": text::field_text(&header.root),
        "ops": header.ops,
        "steps": header.steps,
        "parameters": key.key().name(),
        "development": key.key().development,
        "verify_ms": ms,
    });
    context.output.answer(&json, || {
        format!(
            "accepted in {ms:.1} ms with parameters {}: the root after {} ops is {}",
            key.key().name(),
            header.ops,
            text::field_text(&header.root)
        )
    })
}

/// The verifying key in the data directory, and the given invite or that of the space.
fn own_key(context: &Context, given: Option<Invite>) -> Result<(VerifyingKey, Invite), Failure> {
    let space = context.space()?;
    let own = context::invite(&space)?;
    Ok((context::verifying_key(&space)?, given.unwrap_or(own)))
}

fn read_key(path: &Path) -> Result<VerifyingKey, Failure> {
    let doing = || format!("verifying key {}", path.display());
    let file = File::open(path).or_unreachable(doing())?;
    let mut bytes = Vec::new();
    file.take(MAX_KEY_BYTES as u64 + 1).read_to_end(&mut bytes).or_unreachable(doing())?;
    VerifyingKey::decode(&bytes).or_refused(doing())
}
