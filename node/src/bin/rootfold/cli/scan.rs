//! `scan`

use rootfold_core::key::Key;
use rootfold_light::answer::At;
use rootfold_node::space::{self, Found, Space};
use serde_json::{json, Value};

use super::{args::ScanArgs, failure::Failure, text, Context};

/// How many entries are read at once.
const BLOCK: usize = 512;

/// Prints keys in order.
pub fn run(context: &Context, args: &ScanArgs) -> Result<(), Failure> {
    let space = context.space()?;
    // One more than asked for tells whether there are more.
    let wanted = args.limit.saturating_add(1);
    let mut entries = read(&space, args.prefix.as_encoded_bytes(), wanted)?;
    let more = entries.len() > args.limit;
    entries.truncate(args.limit);
    let json: Vec<Value> = entries.iter().map(text::found_json).collect();
    context.output.answer(&json!({ "entries": json, "more": more }), || {
        let line = |found: &Found| {
            let value = text::value_line(found.value.as_deref().unwrap_or_default());
            format!("{}\t{value}\n", text::key_text(&found.entry.key))
        };
        let lines: String = entries.iter().map(line).collect();
        let rest = if more { "(more: raise --limit)\n" } else { "" };
        format!("{lines}{rest}")
    })
}

/// The first `wanted` values whose keys begin with `prefix`. Deleted ones are passed over.
fn read(space: &Space, prefix: &[u8], wanted: usize) -> Result<Vec<Found>, Failure> {
    let (mut from, to) = space::prefix_range(prefix);
    let mut entries = Vec::new();
    while entries.len() < wanted {
        let block = space.scan(At::Latest, &from, &to, BLOCK, true)?;
        let last = block.last().filter(|_| block.len() == BLOCK).map(|found| found.entry.key);
        entries.extend(block.into_iter().filter(|found| {
            let key = found.entry.key.application_key();
            found.value.is_some() && key.is_some_and(|key| key.starts_with(prefix))
        }));
        match last {
            Some(last) => from = after(last),
            None => break,
        }
    }
    entries.truncate(wanted);
    Ok(entries)
}

/// The key that follows directly.
fn after(key: Key) -> Key {
    let mut bytes = *key.as_bytes();
    for byte in bytes.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
    Key::from_bytes(bytes)
}
