//! `del`

use std::ffi::OsString;

use super::{
    failure::Failure,
    put::{self, WriterArg},
    text, Context,
};
use clap::Args;

/// `del`
#[derive(Debug, Args)]
pub struct DelArgs {
    /// The key.
    key: OsString,
    #[command(flatten)]
    writer: WriterArg,
}

/// Writes a tombstone.
pub fn run(context: &Context, args: &DelArgs) -> Result<(), Failure> {
    put::write(context, text::key_of(&args.key)?, None, &args.writer.name)
}
