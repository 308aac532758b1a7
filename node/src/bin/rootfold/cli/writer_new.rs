//! `writer new`

use clap::Args;
use serde_json::json;

use super::{failure::Failure, Context};

/// `writer new`
#[derive(Debug, Args)]
pub struct WriterNewArgs {
    /// The name of the key on this node.
    name: String,
}

/// Creates a key and prints its public key.
pub fn run(context: &Context, args: &WriterNewArgs) -> Result<(), Failure> {
    // A key may come before the space, but not into a bootstrap that was cut off.
    match context.data_dir().open() {
        Err(e) if e.is_cut_off() => return Err(e.into()),
        _ => {}
    }
    let secret = context.keyring().create(&args.name)?;
    let public_key = hex::encode(secret.public_key().to_bytes());
    context.output.answer_done(
        "the key is created",
        &json!({ "name": args.name, "public_key": public_key }),
        || {
            format!(
                "{public_key}\nthe owner of the space admits it with: rootfold grant {public_key}"
            )
        },
    )
}
