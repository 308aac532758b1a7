//! `writer new`

use serde_json::json;

use super::{args::WriterNewArgs, failure::Failure, Context};

/// Makes a key.
pub fn run(context: &Context, args: &WriterNewArgs) -> Result<(), Failure> {
    let secret = context.keyring().create(&args.name)?;
    let public_key = hex::encode(secret.public_key().to_bytes());
    context.output.answer(&json!({ "name": args.name, "public_key": public_key }), || {
        format!("{public_key}\nfor the owner of the space: rootfold grant {public_key}")
    })
}
