//! `put`

use std::{ffi::OsString, fs::File, io::Read, path::PathBuf};

use clap::Args;
use rootfold_core::{key::Key, value::MAX_VALUE};
use rootfold_node::space::Write;
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
    /// The value; `-` reads it from stdin. A value that begins with two dashes goes after `--`.
    #[arg(
        required_unless_present = "file",
        conflicts_with = "file",
        allow_negative_numbers = true
    )]
    value: Option<OsString>,
    /// Reads the value from a file.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    writer: WriterArg,
}

impl PutArgs {
    /// Whether the value is read from stdin.
    pub fn reads_stdin(&self) -> bool {
        self.file.is_none() && self.value.as_ref().is_some_and(|value| value == "-")
    }
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
            let path = context.path(&path);
            let doing = format!("reading {}", path.display());
            read(File::open(path).or_unreachable(&doing)?, &doing)?
        }
        (None, Some(value)) if value == "-" => {
            context.stdin(MAX_VALUE as u64 + 1).or_unreachable("reading stdin")?
        }
        (None, value) => value.unwrap_or_default().into_encoded_bytes(),
    };
    if value.len() > MAX_VALUE {
        return Err(Failure::refused(format!("the value is too long: at most {MAX_VALUE} bytes")));
    }
    write(context, key, Some(value), &args.writer.name)
}

/// Writes a value or a tombstone.
pub fn write(
    context: &Context,
    key: Key,
    value: Option<Vec<u8>>,
    name: &str,
) -> Result<(), Failure> {
    let space = context.space()?;
    let (writer, _, secret) = context.writer(&space, name)?;
    context.warn_if_restored();
    let written = space.write(writer, &secret, vec![Write { key, value }])?;
    let (seq, ts) = (written.seq, written.stamp.ts);
    // A clock is beyond 2^53, which readers of doubles cannot hold.
    let clock = ts.to_string();
    let json = json!({ "key": text::key_json(&key), "writer": writer, "seq": seq, "ts": clock });
    let done = format!("op {seq} of writer {writer} is written");
    context.output.answer_done(&done, &json, || format!("op {seq} of writer {writer}"))
}

/// Reads at most one byte more than the longest value has.
fn read(from: impl Read, doing: &str) -> Result<Vec<u8>, Failure> {
    let mut value = Vec::new();
    from.take(MAX_VALUE as u64 + 1).read_to_end(&mut value).or_unreachable(doing)?;
    Ok(value)
}
