//! `invite`

use clap::Args;
use rootfold_light::invite::{AddressedInvite, MAX_ADDRESSES};
use rootfold_node::address::Address;
use serde_json::json;

use super::{context, failure::Failure, Context};

/// `invite`
#[derive(Debug, Args)]
pub struct InviteArgs {
    /// An address at which a node of the space answers; may be given up to 8 times.
    #[arg(long, value_name = "ADDR", value_parser = Address::of_node)]
    at: Vec<Address>,
}

/// Prints the invite to the space.
pub fn run(context: &Context, args: &InviteArgs) -> Result<(), Failure> {
    if args.at.len() > MAX_ADDRESSES {
        return Err(Failure::usage(format!("an invite has at most {MAX_ADDRESSES} addresses")));
    }
    let invite = context::invite(&context.space()?)?;
    let addresses = args.at.iter().map(ToString::to_string).collect();
    let invite = AddressedInvite { invite, addresses }.to_string();
    context.output.answer(&json!({ "invite": invite }), || invite.clone())
}
