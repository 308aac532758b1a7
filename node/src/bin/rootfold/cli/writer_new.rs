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
    let secret = context.keyring().create(&args.name)?;
    let public_key = hex::encode(secret.public_key().to_bytes());
    context.output.answer(&json!({ "name": args.name, "public_key": public_key }), || {
        format!("{public_key}\nthe owner of the space admits it with: rootfold grant {public_key}")
    })
}
