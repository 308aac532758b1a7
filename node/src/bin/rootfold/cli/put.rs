//! `put`

use std::{ffi::OsString, fs::File, io::Read, path::PathBuf};

use clap::Args;
use rootfold_core::{key::Key, mark::Mark, value::MAX_VALUE};
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
    /// The key, at most 91 bytes; `@7/key`, with at most 87, is a key of writer 7.
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
    /// Tags under which `find` finds the entry. Tags of the entry before are withdrawn.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<OsString>,
    /// The place of the entry among those with the same tag, for instance a time: at most 31 bytes, which
    /// are compared as they are.
    #[arg(long, value_name = "ORDER", default_value = "", requires = "tags")]
    order: OsString,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    writer: WriterArg,
}

impl PutArgs {
    /// The number of bytes that are read from stdin, at most; `None` if the value is not read from it.
    pub fn stdin(&self) -> Option<u64> {
        let stdin = self.file.is_none() && self.value.as_ref().is_some_and(|value| value == "-");
        stdin.then_some(MAX_VALUE as u64 + 1)
    }
}

/// Whether a key is the signer's own.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// The key is one of the signer, which nobody else may write.
    #[arg(long)]
    own: bool,
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
    let marks = args.tags.iter().map(|tag| {
        Mark::new(tag.as_encoded_bytes(), args.order.as_encoded_bytes()).or_usage("--tag")
    });
    let marks = marks.collect::<Result<Vec<_>, _>>()?;
    let target = Target { key: args.key, place: args.place, writer: args.writer };
    target.check()?;
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
    write(context, &target, Some(value), marks)
}

/// What is written, and by whom.
pub struct Target {
    pub key: OsString,
    pub place: PlaceArgs,
    pub writer: WriterArg,
}

impl Target {
    /// Refuses a key that no writer can have.
    pub fn check(&self) -> Result<(), Failure> {
        self.key(0).map(drop)
    }

    fn key(&self, writer: u32) -> Result<Key, Failure> {
        match self.place.own {
            true => Key::owned(writer, self.key.as_encoded_bytes()).or_usage("key"),
            false => text::key_of(&self.key),
        }
    }
}

/// Writes a value or a tombstone.
pub fn write(
    context: &Context,
    target: &Target,
    value: Option<Vec<u8>>,
    marks: Vec<Mark>,
) -> Result<(), Failure> {
    let space = context.space()?;
    let (writer, _, secret) = context.writer(&space, &target.writer.name)?;
    let key = target.key(writer)?;
    context.warn_if_restored();
    let written = space.write(writer, &secret, vec![Write { key, value, marks }])?;
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
