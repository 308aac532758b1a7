//! `grant`

use rootfold_core::eddsa::PublicKey;
use rootfold_light::signing;
use serde_json::json;

use super::{
    args::GrantArgs,
    failure::{Failure, OrFail},
    keyring::OWNER,
    put::now_ms,
    Context,
};

/// Admits a writer.
pub fn run(context: &Context, args: &GrantArgs) -> Result<(), Failure> {
    let space = context.space()?;
    let public_key = public_key(context, &args.who)?;
    let (owner, tip, secret) = context.writer(&space, OWNER)?;
    if owner != 0 {
        return Err(Failure::refused("only the owner of the space admits writers"));
    }
    let writers = space.writers();
    if let Some((id, _)) = writers.iter().find(|(_, tip)| tip.head.public_key == public_key) {
        return Err(Failure::refused(format!("this key is writer {id} already")));
    }
    let free = || (1..=u32::MAX).find(|id| !writers.contains_key(id));
    let id = args.id.or_else(free).ok_or_else(|| Failure::refused("no writer id is free"))?;
    let genesis = space.genesis()?;
    let genesis = genesis
        .ok_or_else(|| Failure::unreachable("this replica does not know the space's genesis"))?;
    let (submission, _) = signing::grant(&tip, &secret, genesis.salt, id, public_key, now_ms())
        .or_refused("granting")?;
    space.ingest(&submission)?;
    let digits = hex::encode(public_key.to_bytes());
    context
        .output
        .answer(&json!({ "writer": id, "public_key": digits }), || format!("writer {id} admitted"))
}

/// A key written out, or the name of a local one.
pub fn public_key(context: &Context, who: &str) -> Result<PublicKey, Failure> {
    let mut bytes = [0u8; 64];
    if hex::decode_to_slice(who, &mut bytes).is_err() {
        return Ok(context.keyring().read(who)?.public_key());
    }
    let public_key = PublicKey::from_bytes(&bytes).or_usage("the public key")?;
    public_key.check().or_refused("the public key")?;
    Ok(public_key)
}
