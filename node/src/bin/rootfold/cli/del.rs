//! `del`

use super::{args::DelArgs, failure::Failure, put, text, Context};

/// Deletes a value: writes a tombstone.
pub fn run(context: &Context, args: &DelArgs) -> Result<(), Failure> {
    put::write(context, text::key_of(&args.key)?, None, &args.writer.name)
}
