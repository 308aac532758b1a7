//! `find`

use std::ffi::OsString;

use clap::Args;
use rootfold_light::query::{At, FindQuery, RangeQuery};
use serde_json::{json, Value};

use super::{
    failure::{Failure, OrFail},
    text, Context,
};

/// `find`
#[derive(Debug, Args)]
pub struct FindArgs {
    /// The term: a tag that `put --tag` gave.
    term: OsString,
    /// The largest number of entries.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// The greatest order first.
    #[arg(long)]
    newest_first: bool,
}

/// Prints the entries with a tag, in the order that they were tagged with.
pub fn run(context: &Context, args: &FindArgs) -> Result<(), Failure> {
    let query = FindQuery::new(args.term.as_encoded_bytes(), args.limit).or_usage("term")?;
    let query = query.with(|range| RangeQuery { reverse: args.newest_first, ..range });
    let space = context.space()?;
    let hits = space.find(At::Latest, &query)?;
    let entries = hits.entries.iter().map(|found| text::found_json(&space, found));
    let entries: Vec<Value> = entries.collect::<Result<_, _>>()?;
    let more = hits.next.is_some();
    context.output.answer(&json!({ "entries": entries, "more": more }), || {
        let text: String = hits.entries.iter().map(text::found_line).collect();
        text + if more { "(more: raise --limit)\n" } else { "" }
    })
}
