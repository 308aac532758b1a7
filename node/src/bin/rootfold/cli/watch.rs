//! `watch`

use std::{ffi::OsString, thread, time::Duration};

use clap::Args;
use rootfold_light::query::{At, KeyPrefix};
use rootfold_node::space::{Space, View};

use super::{failure::Failure, text, Context};

/// How often the root is compared. Several changes of a key in between are one line.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// `watch`
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Only keys with this prefix; `@7/` for those of writer 7.
    #[arg(long, value_name = "P", default_value = "")]
    prefix: OsString,
}

/// Prints a line for each key that changes, until it is interrupted.
pub fn run(context: &Context, args: &WatchArgs) -> Result<(), Failure> {
    let prefix = text::prefix_of(&args.prefix)?;
    let space = context.served_space().ok_or_else(|| {
        Failure::unreachable(
            "no node serves this data directory, so nothing changes in it: run `rootfold serve`, then \
             `watch` beside it",
        )
    })?;
    let mut before = space.view(At::Latest)?;
    while !context.output.is_abandoned() {
        thread::sleep(LOOK_EVERY);
        let after = space.view(At::Latest)?;
        if before.root != after.root {
            report(context, &space, &before, &after, &prefix)?;
            before = after;
        }
    }
    Ok(())
}

fn report(
    context: &Context,
    space: &Space,
    before: &View,
    after: &View,
    prefix: &KeyPrefix,
) -> Result<(), Failure> {
    for found in space.changes(before, after, prefix.get()) {
        let found = found?;
        let json = text::found_json(space, &found)?;
        context.output.answer(&json, || text::found_line(&found))?;
    }
    Ok(())
}
