//! `space new`

use ark_ff::UniformRand;
use rand::rngs::OsRng;
use rootfold_core::{eddsa::PublicKey, space::Genesis, F};
use rootfold_light::invite::Invite;
use rootfold_node::space::Space;
use rootfold_prover::Parameters;
use serde_json::json;

use super::{
    args::SpaceNewArgs,
    failure::{Failure, OrFail},
    keyring::OWNER,
    progress::Bars,
    text, Context,
};

/// Makes a space.
pub fn run(context: &Context, args: SpaceNewArgs) -> Result<(), Failure> {
    let writers: Vec<PublicKey> = args
        .writers
        .iter()
        .map(|who| super::grant::public_key(context, who))
        .collect::<Result<_, _>>()?;
    // Refused before the parameters are made, which takes time.
    if context.folder().exists() {
        return Err(Failure::usage(format!(
            "{} holds a space already",
            context.folder().path().display()
        )));
    }
    let parameters = context.parameters()?.provide(args.profile, &Bars::new())?;
    let (space, invite) = create(context, &parameters.parameters, &writers)?;
    let json = json!({
        "space": text::field_text(&space.id()),
        "parameters": invite.parameters.to_string(),
        "profile": parameters.parameters.verifying_key().key().profile,
        "invite": invite.to_string(),
    });
    context
        .output
        .answer(&json, || format!("space   {}\ninvite  {invite}", text::field_text(&space.id())))
}

/// Makes the owner's key, unless there is one from an attempt that was cut off, and the space.
pub fn create(
    context: &Context,
    parameters: &Parameters,
    writers: &[PublicKey],
) -> Result<(Space, Invite), Failure> {
    let keyring = context.keyring();
    let owner = match keyring.list()?.into_iter().find(|(name, _)| name == OWNER) {
        Some((_, public_key)) => public_key,
        None => keyring.create(OWNER)?.public_key(),
    };
    let writers = [&[owner], writers].concat();
    let genesis = Genesis::new(F::rand(&mut OsRng), writers).or_refused("making the space")?;
    let space = context.folder().create(&genesis)?;
    let key = parameters.verifying_key();
    space.keep_verifying_key(key.key())?;
    Ok((space.clone(), Invite { space: space.id(), parameters: key.id() }))
}
