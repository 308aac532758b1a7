//! `put`

use std::{
    fs::File,
    io::{self, Read},
};

use rootfold_core::{key::Key, value::MAX_VALUE};
use rootfold_light::{
    answer::At,
    signing::{self, Change, COUNTER_BITS},
};
use serde_json::json;

use super::{
    args::PutArgs,
    failure::{Failure, OrFail},
    text, Context,
};

/// Writes a value.
pub fn run(context: &Context, args: PutArgs) -> Result<(), Failure> {
    let key = text::key_of(&args.key)?;
    let value = match (args.file, args.value) {
        (Some(path), _) => {
            let doing = format!("reading {}", path.display());
            read(File::open(path).or_unreachable(&doing)?, &doing)?
        }
        (None, Some(value)) if value == "-" => read(io::stdin().lock(), "reading stdin")?,
        (None, value) => value.unwrap_or_default().into_encoded_bytes(),
    };
    if value.len() > MAX_VALUE {
        return Err(Failure::refused(format!("a value has at most {MAX_VALUE} bytes")));
    }
    write(context, key, Some(value), &args.writer.name)
}

/// Writes a value or a tombstone as the newest op on its key.
pub fn write(
    context: &Context,
    key: Key,
    value: Option<Vec<u8>>,
    name: &str,
) -> Result<(), Failure> {
    let space = context.space()?;
    let (writer, tip, secret) = context.writer(&space, name)?;
    // The clock goes on from what this node has seen under the key, or a later stamp, from a clock
    // that runs ahead, would win against this op.
    let seen = space.get(At::Latest, &key)?.map_or(0, |found| found.entry.stamp.ts);
    let change = Change { key, value, at: now_ms().max((seen >> COUNTER_BITS) + 1) };
    let (submission, tip) =
        signing::compose(&tip, writer, &secret, vec![change]).or_refused("writing")?;
    space.ingest(&submission)?;
    let seq = tip.seq(writer).or_refused("writing")?;
    let json = json!({
        "key": text::key_json(&key), "writer": writer, "seq": seq, "ts": tip.stamp.ts,
    });
    context.output.answer(&json, || format!("op {seq} of writer {writer}"))
}

/// Milliseconds since 1970; 0 if the system clock is set to an earlier time.
pub fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_millis() as u64)
}

/// Reads one byte more than a value may have, so that the limit shows.
fn read(from: impl Read, doing: &str) -> Result<Vec<u8>, Failure> {
    let mut value = Vec::new();
    from.take(MAX_VALUE as u64 + 1).read_to_end(&mut value).or_unreachable(doing)?;
    Ok(value)
}
