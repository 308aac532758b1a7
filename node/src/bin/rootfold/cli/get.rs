//! `get`

use std::ffi::OsString;

use clap::Args;
use rootfold_core::key::MAX_SHARED_KEY;
use rootfold_light::query::At;

use super::{failure::Failure, text, Context};

/// `get`
#[derive(Debug, Args)]
pub struct GetArgs {
    /// The key.
    key: OsString,
}

/// Prints the bytes of a value, or JSON.
pub fn run(context: &Context, args: &GetArgs) -> Result<(), Failure> {
    // Longer than a key: the path of a file that was imported from git, under a shortened key.
    let is_path = args.key.len() > MAX_SHARED_KEY;
    let key = if is_path { text::path_key_of(&args.key) } else { text::key_of(&args.key)? };
    // Where no such path was imported, it is only a key that is too long.
    let too_long = || if is_path { text::key_of(&args.key).map(drop) } else { Ok(()) };
    let space = context.space().or_else(|e| too_long().and(Err(e)))?;
    let found = space.get(At::Latest, &key)?;
    if found.as_ref().is_some_and(|found| found.missing) {
        return Err(Failure::unreachable(format!(
            "no peer has sent the value of key \"{}\" to this node yet: run `bootstrap` again",
            text::key_text(&key)
        )));
    }
    let Some(found) = found.filter(|found| found.value.is_some()) else {
        too_long()?;
        return Err(Failure::not_found(format!("no value under key \"{}\"", text::key_text(&key))));
    };
    if context.output.json {
        return context.output.answer(&text::found_json(&space, &found)?, String::new);
    }
    context.output.bytes(found.value.as_deref().unwrap_or_default())
}
