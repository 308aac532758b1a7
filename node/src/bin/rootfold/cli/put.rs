//! `put`

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read},
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Args;
use rootfold_core::{key::Key, value::MAX_VALUE};
use rootfold_light::{
    query::At,
    signing::{self, Change, COUNTER_BITS},
};
use serde_json::json;

use super::{
    failure::{Failure, OrFail},
    keyring::OWNER,
    text, Context,
};

/// `put`
#[derive(Debug, Args)]
pub struct PutArgs {
    /// The key, at most 91 bytes.
    key: OsString,
    /// The value; `-` reads it from stdin.
    #[arg(required_unless_present = "file", conflicts_with = "file", allow_hyphen_values = true)]
    value: Option<OsString>,
    /// Reads the value from a file.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    writer: WriterArg,
}

/// The signer of an op.
#[derive(Debug, Args)]
pub struct WriterArg {
    /// The name of the key that signs.
    #[arg(long = "as", value_name = "NAME", default_value = OWNER)]
    pub name: String,
}

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
        return Err(Failure::refused(format!("the value is too long: at most {MAX_VALUE} bytes")));
    }
    write(context, key, Some(value), &args.writer.name)
}

/// Writes a value or a tombstone, with a clock later than that of the key's entry.
pub fn write(
    context: &Context,
    key: Key,
    value: Option<Vec<u8>>,
    name: &str,
) -> Result<(), Failure> {
    let space = context.space()?;
    let (writer, tip, secret) = context.writer(&space, name)?;
    // The entry may have a stamp from a clock that runs ahead; without the maximum it would win
    // against this op.
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
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_millis() as u64)
}

/// Reads at most one byte more than the longest value has.
fn read(from: impl Read, doing: &str) -> Result<Vec<u8>, Failure> {
    let mut value = Vec::new();
    from.take(MAX_VALUE as u64 + 1).read_to_end(&mut value).or_unreachable(doing)?;
    Ok(value)
}
