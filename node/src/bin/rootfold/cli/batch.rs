//! `batch`

use std::{fs::File, io::Read, path::PathBuf};

use clap::Args;
use rootfold_core::{key::Key, mark::Mark};
use rootfold_node::space::Write;
use rootfold_proto::limits::MAX_GROUP_OPS;
use serde::Deserialize;
use serde_json::json;

use crate::global::MAX_STDIN;

use super::{
    failure::{Failure, OrFail},
    put::WriterArg,
    text, Context,
};

/// `batch`
#[derive(Debug, Args)]
pub struct BatchArgs {
    /// A file of JSON lines, `-` for stdin. Each line is a change:
    /// {"key": "@7/post", "own": false, "value": "text", "value_hex": "00ff", "tags": ["cats"], "order": "2026"}.
    /// Only `key` is required; without a value the key is deleted.
    file: PathBuf,
    #[command(flatten)]
    writer: WriterArg,
}

impl BatchArgs {
    /// The number of bytes that are read from stdin, at most; `None` if they come from a file.
    pub fn stdin(&self) -> Option<u64> {
        (self.file.as_os_str() == "-").then_some(MAX_STDIN + 1)
    }
}

/// A line of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    key: String,
    #[serde(default)]
    own: bool,
    value: Option<String>,
    value_hex: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    order: String,
}

/// Writes all changes of a file as one group: all of them are visible, or none.
pub fn run(context: &Context, args: &BatchArgs) -> Result<(), Failure> {
    let content = match args.stdin() {
        Some(limit) => context.stdin(limit).or_unreachable("reading stdin")?,
        None => {
            let path = context.path(&args.file);
            let doing = format!("reading {}", path.display());
            let mut content = Vec::new();
            let file = File::open(path).or_unreachable(&doing)?;
            file.take(MAX_STDIN + 1).read_to_end(&mut content).or_unreachable(&doing)?;
            content
        }
    };
    if content.len() as u64 > MAX_STDIN {
        return Err(Failure::refused(format!("the batch is longer than {MAX_STDIN} bytes")));
    }
    let content = String::from_utf8(content).or_usage("the batch")?;
    let space = context.space()?;
    let (writer, _, secret) = context.writer(&space, &args.writer.name)?;
    let mut writes = Vec::new();
    for (number, line) in (1..).zip(content.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let change = change(line, writer);
        writes.push(change.map_err(|e| e.within(format!("line {number} of the batch")))?);
    }
    let ops: usize = writes.iter().map(|write| 1 + write.marks.len()).sum();
    if writes.is_empty() || ops > MAX_GROUP_OPS {
        return Err(Failure::usage(format!(
            "a batch has 1 to {MAX_GROUP_OPS} changes and tags, this one has {ops}"
        )));
    }
    context.warn_if_restored();
    let changes = writes.len();
    let written = space.write(writer, &secret, writes)?;
    let json = json!({ "writer": writer, "seq": written.seq, "changes": changes });
    let done = format!("{changes} changes of writer {writer} are written");
    context.output.answer_done(&done, &json, || format!("{changes} changes of writer {writer}"))
}

fn change(line: &str, writer: u32) -> Result<Write, Failure> {
    let line: Line = serde_json::from_str(line).or_usage("a change")?;
    let key = if line.own {
        Key::owned(writer, line.key.as_bytes()).or_usage("key")?
    } else {
        text::key_of(line.key.as_ref())?
    };
    let value = match (line.value, line.value_hex) {
        (Some(_), Some(_)) => {
            return Err(Failure::usage("a change has `value` or `value_hex`, not both"));
        }
        (Some(text), None) => Some(text.into_bytes()),
        (None, Some(digits)) => Some(hex::decode(digits).or_usage("value_hex")?),
        (None, None) => None,
    };
    let marks = line.tags.iter().map(|tag| Mark::new(tag.as_bytes(), line.order.as_bytes()));
    let marks = marks.collect::<Result<_, _>>().or_usage("tags")?;
    Ok(Write { key, value, marks })
}
