//! `verify`

use std::{fs::File, io::Read, path::Path, time::Instant};

use rootfold_light::{invite::Invite, reply::MAX_KEY_BYTES, verify};
use rootfold_node::snapshot_file;
use rootfold_verifier::{PreparedVerifyingKey, VerifyingKey};
use serde_json::json;

use super::{
    args::VerifyArgs,
    context,
    failure::{Failure, OrFail},
    text, Context,
};

/// Checks a snapshot file against an invite; without one, against the data folder's space.
pub fn run(context: &Context, args: &VerifyArgs) -> Result<(), Failure> {
    let snapshot = snapshot_file::read(&args.file)?;
    let invite = args.invite.as_deref().map(str::parse).transpose().or_usage("the invite")?;
    let (key, invite) = match (&args.key, invite) {
        (Some(path), Some(invite)) => (read_key(path)?, invite),
        (Some(_), None) => {
            return Err(Failure::usage("a key is checked against an invite: give --invite too"));
        }
        (None, invite) => own_key(context, invite)?,
    };
    let key = PreparedVerifyingKey::new(key).or_refused("the verifying key")?;
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
            "accepted in {ms:.1} ms under parameters {}: after {} ops the root is {}",
            key.key().name(),
            header.ops,
            text::field_text(&header.root)
        )
    })
}

/// The key in the data folder, and its space's invite unless another was given.
fn own_key(context: &Context, given: Option<Invite>) -> Result<(VerifyingKey, Invite), Failure> {
    let space = context.space()?;
    let own = context::invite(&space)?;
    Ok((context::verifying_key(&space)?, given.unwrap_or(own)))
}

fn read_key(path: &Path) -> Result<VerifyingKey, Failure> {
    let doing = || format!("the verifying key {}", path.display());
    let file = File::open(path).or_unreachable(doing())?;
    let mut bytes = Vec::new();
    file.take(MAX_KEY_BYTES as u64 + 1).read_to_end(&mut bytes).or_unreachable(doing())?;
    VerifyingKey::decode(&bytes).or_refused(doing())
}
