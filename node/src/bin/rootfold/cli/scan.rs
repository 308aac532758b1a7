//! `scan`

use std::ffi::OsString;

use clap::Args;
use rootfold_core::key::Key;
use rootfold_light::query::At;
use rootfold_node::space::Found;
use serde_json::{json, Value};

use super::{
    failure::{Failure, OrFail},
    text, Context,
};

/// `scan`
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Only keys with this prefix.
    #[arg(long, value_name = "P", default_value = "")]
    prefix: OsString,
    /// The largest number of keys.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: usize,
}

/// Prints keys in order.
pub fn run(context: &Context, args: &ScanArgs) -> Result<(), Failure> {
    let space = context.space()?;
    // One more than the limit shows whether there are more.
    let wanted = args.limit.saturating_add(1);
    let prefix = args.prefix.as_encoded_bytes();
    Key::user(prefix).or_usage(
        "--prefix (a longer path from git has a shortened key, which begins with its first 58 bytes; `get \
         PATH` finds it)",
    )?;
    let found = space.scan_prefix(At::Latest, prefix)?;
    // A deleted key has no value.
    let values = found.filter(|found| {
        found.as_ref().map_or(true, |found| found.value.is_some() || found.missing)
    });
    let mut entries = values.take(wanted).collect::<Result<Vec<Found>, _>>()?;
    let more = entries.len() > args.limit;
    entries.truncate(args.limit);
    let json: Vec<Value> = entries.iter().map(text::found_json).collect();
    context.output.answer(&json!({ "entries": json, "more": more }), || {
        let line = |found: &Found| {
            let value = match &found.value {
                Some(value) => text::value_line(value),
                None => "(no peer has sent the value yet)".to_owned(),
            };
            format!("{}\t{value}\n", text::key_text(&found.entry.key))
        };
        let lines: String = entries.iter().map(line).collect();
        let rest = if more { "(more: raise --limit)\n" } else { "" };
        format!("{lines}{rest}")
    })
}
