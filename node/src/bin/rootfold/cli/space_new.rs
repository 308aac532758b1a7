//! `space new`

use ark_ff::UniformRand;
use clap::{Args, ValueEnum};
use rand::rngs::OsRng;
use rootfold_core::{
    eddsa::PublicKey,
    space::{Genesis, Sharing},
    F,
};
use rootfold_light::invite::Invite;
use rootfold_node::space::Space;
use rootfold_prover::Parameters;
use serde_json::json;

use super::{
    failure::{Failure, OrFail},
    keyring::OWNER,
    parameters::ProfileName,
    text, Context,
};

/// `space new`
#[derive(Debug, Args)]
pub struct SpaceNewArgs {
    /// The profile of the space's proofs.
    #[arg(long, value_enum, default_value = "small")]
    profile: ProfileName,
    /// Who may write shared keys. Everybody may write keys of their own (`put --own`).
    #[arg(long, value_enum, default_value = "everyone")]
    shared: SharedBy,
    /// Public keys of further writers, who get the ids 1, 2, ...
    #[arg(long = "writer", value_name = "PUBLIC_KEY")]
    writers: Vec<String>,
}

/// Who may write shared keys.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum SharedBy {
    /// Every writer.
    Everyone,
    /// The owner, and writers whom they grant it.
    Owner,
}

/// Creates a space and prints its id and invite.
pub fn run(context: &Context, args: SpaceNewArgs) -> Result<(), Failure> {
    let writers: Vec<PublicKey> = args
        .writers
        .iter()
        .map(|who| super::grant::public_key(context, who))
        .collect::<Result<_, _>>()?;
    // Checked before the parameters are generated, which takes minutes.
    refuse_used(context)?;
    let parameters = context.parameters()?.provide(args.profile, &context.bars())?;
    let sharing = match args.shared {
        SharedBy::Everyone => Sharing::Everyone,
        SharedBy::Owner => Sharing::Owner,
    };
    let (space, invite) = create(context, &parameters.parameters, sharing, &writers)?;
    let json = json!({
        "space": text::field_text(&space.id()),
        "parameters": invite.parameters.to_string(),
        "profile": parameters.parameters.verifying_key().key().profile,
        "invite": invite.to_string(),
    });
    context.output.answer_done("the space is created", &json, || {
        format!("space   {}\ninvite  {invite}", text::field_text(&space.id()))
    })
}

/// Refuses a data directory that has a space, or a bootstrap that was cut off. An interrupted `space new`
/// leaves an empty database, which is used.
fn refuse_used(context: &Context) -> Result<(), Failure> {
    let data_dir = context.data_dir();
    match data_dir.open() {
        Ok(_) => Err(Failure::usage(format!(
            "{} holds a space already; choose another directory with --data",
            data_dir.path().display()
        ))),
        Err(e) if e.is_unused() => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// Creates the space, and the owner's key unless an interrupted attempt has left one.
pub fn create(
    context: &Context,
    parameters: &Parameters,
    sharing: Sharing,
    writers: &[PublicKey],
) -> Result<(Space, Invite), Failure> {
    let keyring = context.keyring();
    let owner = match keyring.list()?.into_iter().find(|(name, _)| name == OWNER) {
        Some((_, public_key)) => public_key,
        None => keyring.create(OWNER)?.public_key(),
    };
    let writers = [&[owner], writers].concat();
    let genesis =
        Genesis::new(F::rand(&mut OsRng), sharing, writers).or_refused("creating the space")?;
    let space = context.data_dir().create(&genesis)?;
    let key = parameters.verifying_key();
    space.keep_verifying_key(key.key())?;
    Ok((space.clone(), Invite { space: space.id(), parameters: key.id() }))
}
