//! `rekey` and `revoke`

use clap::Args;
use serde_json::json;

use super::{
    failure::Failure,
    grant::{public_key, refuse_known},
    Context,
};

/// `rekey`
#[derive(Debug, Args)]
pub struct RekeyArgs {
    /// The id of the writer; 0 is the owner.
    writer: u32,
    /// The new public key (128 hexadecimal digits), or the name of a key on this node.
    public_key: String,
    /// Whether the writer may write shared keys from now on [default: as before].
    #[arg(long, value_name = "BOOL")]
    shared: Option<bool>,
}

/// `revoke`
#[derive(Debug, Args)]
pub struct RevokeArgs {
    /// The id of the writer.
    writer: u32,
}

/// Gives the log of a writer another key.
pub fn rekey(context: &Context, args: &RekeyArgs) -> Result<(), Failure> {
    let space = context.space()?;
    let public_key = public_key(context, &args.public_key)?;
    refuse_known(&space, &public_key)?;
    let secret = context.owner(&space)?;
    context.warn_if_restored();
    let writer = args.writer;
    space.replace_key(&secret, writer, public_key, args.shared)?;
    let digits = hex::encode(public_key.to_bytes());
    let json = json!({ "writer": writer, "public_key": digits });
    let done = format!("the log of writer {writer} goes on under another key");
    context.output.answer_done(&done, &json, || format!("writer {writer} has another key"))
}

/// Closes the log of a writer.
pub fn revoke(context: &Context, args: &RevokeArgs) -> Result<(), Failure> {
    let space = context.space()?;
    let secret = context.owner(&space)?;
    context.warn_if_restored();
    let writer = args.writer;
    space.close_log(&secret, writer)?;
    let done = format!("the log of writer {writer} is closed");
    let json = json!({ "writer": writer, "closed": true });
    context.output.answer_done(&done, &json, || format!("writer {writer} is revoked"))
}
