//! `del`

use std::ffi::OsString;

use super::{
    failure::Failure,
    put::{self, PlaceArgs, Target, WriterArg},
    Context,
};
use clap::Args;

/// `del`
#[derive(Debug, Args)]
pub struct DelArgs {
    /// The key.
    key: OsString,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    writer: WriterArg,
}

/// Writes a tombstone, and withdraws the tags of the entry.
pub fn run(context: &Context, args: DelArgs) -> Result<(), Failure> {
    let target = Target { key: args.key, place: args.place, writer: args.writer };
    target.check()?;
    put::write(context, &target, None, Vec::new())
}
