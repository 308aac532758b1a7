//! `grant`

use clap::Args;
use rootfold_core::eddsa::PublicKey;
use rootfold_light::signing::Admission;
use rootfold_node::space::Space;
use serde_json::json;

use super::{
    context,
    failure::{Failure, OrFail},
    Context,
};

/// `grant`
#[derive(Debug, Args)]
pub struct GrantArgs {
    /// The new writer's public key (128 hexadecimal digits), or the name of a key on this node.
    who: String,
    /// The new writer's id [default: the smallest free id].
    #[arg(long, value_name = "ID")]
    id: Option<u32>,
    /// Whether the writer may write shared keys [default: as the space says].
    #[arg(long, value_name = "BOOL")]
    shared: Option<bool>,
}

/// Admits a writer.
pub fn run(context: &Context, args: &GrantArgs) -> Result<(), Failure> {
    let space = context.space()?;
    let public_key = public_key(context, &args.who)?;
    let secret = context.owner(&space)?;
    refuse_known(&space, &public_key)?;
    let writers = space.writers();
    let free = || (1..=u32::MAX).find(|id| !writers.contains_key(id));
    let id =
        args.id.or_else(free).ok_or_else(|| Failure::refused("all 2^32 writer ids are taken"))?;
    let genesis = context::genesis(&space)?;
    context.warn_if_restored();
    let shared = args.shared.unwrap_or_else(|| genesis.sharing.allows(id));
    space.grant(&secret, genesis.salt, &Admission { writer: id, public_key, shared })?;
    let digits = hex::encode(public_key.to_bytes());
    let json = json!({ "writer": id, "public_key": digits, "shared": shared });
    let done = format!("writer {id} is admitted");
    context.output.answer_done(&done, &json, || format!("writer {id} admitted"))
}

/// Refuses a public key that a writer has already.
pub fn refuse_known(space: &Space, public_key: &PublicKey) -> Result<(), Failure> {
    match space.writers().iter().find(|(_, tip)| tip.head.public_key == *public_key) {
        Some((id, _)) => Err(Failure::refused(format!("this key is already writer {id}"))),
        None => Ok(()),
    }
}

/// Parses 128 hexadecimal digits, or reads the public key of a local key by its name.
pub fn public_key(context: &Context, who: &str) -> Result<PublicKey, Failure> {
    let mut bytes = [0u8; 64];
    if hex::decode_to_slice(who, &mut bytes).is_err() {
        return Ok(context.keyring().read(who)?.public_key());
    }
    let public_key = PublicKey::from_bytes(&bytes).or_usage("public key")?;
    public_key.check().or_refused("public key")?;
    Ok(public_key)
}
