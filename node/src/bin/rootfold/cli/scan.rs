//! `scan`

use std::ffi::OsString;

use clap::Args;
use rootfold_core::key::ApplicationKey;
use rootfold_light::query::At;
use rootfold_node::{
    git::plan,
    space::{Found, Space},
};
use serde_json::{json, Value};

use super::{failure::Failure, text, Context};

/// `scan`
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Only keys with this prefix; `@7/` for those of writer 7.
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
    let prefix = text::prefix_of(&args.prefix);
    let mut entries = match &prefix {
        Ok(prefix) => with_values(&space, prefix.get())?.take(wanted).collect::<Result<_, _>>()?,
        Err(_) => Vec::new(),
    };
    let path = args.prefix.as_encoded_bytes();
    let mut shortened = shortened_below(&space, path, wanted - entries.len())?;
    if shortened.is_empty() {
        prefix?;
    }
    let more = entries.len() + shortened.len() > args.limit;
    entries.truncate(args.limit);
    shortened.truncate(args.limit - entries.len());
    let json = |found: &[Found]| -> Result<Vec<Value>, Failure> {
        found.iter().map(|found| text::found_json(&space, found)).collect()
    };
    let (listed, also) = (json(&entries)?, json(&shortened)?);
    let answer = json!({ "entries": listed, "shortened": also, "more": more });
    context.output.answer(&answer, || {
        let mut text: String = entries.iter().map(text::found_line).collect();
        if !shortened.is_empty() {
            text += "(shortened keys of paths from git that may lie below this prefix; only the first 58 \
                     bytes are known, and `get PATH` finds the key of a path:)\n";
            text.extend(shortened.iter().map(text::found_line));
        }
        text + if more { "(more: raise --limit)\n" } else { "" }
    })
}

/// The entries with this prefix. A deleted key has no value.
fn with_values<'a>(
    space: &'a Space,
    prefix: Option<ApplicationKey<'a>>,
) -> Result<impl Iterator<Item = Result<Found, Failure>> + use<'a>, Failure> {
    let found = space.scan_prefix(At::Latest, prefix)?.filter(|found| {
        found.as_ref().map_or(true, |found| found.value.is_some() || found.missing)
    });
    Ok(found.map(|found| Ok(found?)))
}

/// At most `limit` entries of paths that were too long for a key and that may begin with this prefix,
/// where the prefix is longer than what their keys keep of them. Those whose keys have the prefix are not
/// among them.
fn shortened_below(space: &Space, prefix: &[u8], limit: usize) -> Result<Vec<Found>, Failure> {
    let Some(kept) = plan::cut_prefix(prefix) else { return Ok(Vec::new()) };
    let is_other = |found: &Found| {
        let key = found.entry.key.application_key().map_or(&[][..], |key| key.bytes);
        plan::is_cut_key(key) && !key.starts_with(prefix)
    };
    let found = with_values(space, Some(ApplicationKey::shared(&kept)))?;
    found.filter(|found| found.as_ref().map_or(true, is_other)).take(limit).collect()
}
