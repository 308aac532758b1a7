//! `invite`

use clap::Args;
use rootfold_core::step::STATEMENT_VERSION;
use rootfold_light::invite::{AddressedInvite, MAX_ADDRESSES};
use serde_json::json;

use super::{
    context,
    failure::{Failure, OrFail},
    source::Source,
    Context,
};

/// The version of pin files.
const PIN_VERSION: u32 = 1;

/// `invite`
#[derive(Debug, Args)]
pub struct InviteArgs {
    /// An address at which a node of the space answers, or of published files; may be given up to 8 times.
    #[arg(long, value_name = "ADDR", value_parser = Source::of)]
    at: Vec<Source>,
    /// Prints a pin file for web pages instead: the invite, the version of the statement, and the number of ops of
    /// the newest snapshot. A page with a pin takes no older state.
    #[arg(long)]
    pin: bool,
}

/// Prints the invite to the space.
pub fn run(context: &Context, args: &InviteArgs) -> Result<(), Failure> {
    if args.at.len() > MAX_ADDRESSES {
        return Err(Failure::usage(format!("an invite has at most {MAX_ADDRESSES} addresses")));
    }
    let space = context.space()?;
    let invite = context::invite(&space)?;
    let addresses = args.at.iter().map(Source::text).collect();
    let invite = AddressedInvite { invite, addresses }.to_string();
    if !args.pin {
        return context.output.answer(&json!({ "invite": invite }), || invite.clone());
    }
    let ops = space.status().snapshot.map_or(0, |header| header.ops);
    let pin = json!({
        "pin": PIN_VERSION,
        "invite": invite,
        "statement": STATEMENT_VERSION,
        "ops": ops,
    });
    let text = serde_json::to_string_pretty(&pin).or_usage("the pin")?;
    context.output.answer(&pin, || text)
}
