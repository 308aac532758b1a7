//! `log`

use clap::Args;
use rootfold_core::{key::KeyKind, log::SignedOp, value::tombstone};
use serde_json::{json, Value};

use super::{
    failure::{Failure, OrFail},
    text, Context,
};

/// `log`
#[derive(Debug, Args)]
pub struct LogArgs {
    /// Only the log of this writer.
    #[arg(long, value_name = "ID")]
    writer: Option<u32>,
    /// The largest number of ops of each log: the newest.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: usize,
}

/// An op in the output.
struct Line {
    writer: u32,
    /// The number of the op in its log, from 1.
    seq: u64,
    signed: SignedOp,
}

/// Prints the newest ops of each log, the oldest of them first.
pub fn run(context: &Context, args: &LogArgs) -> Result<(), Failure> {
    let space = context.space()?;
    let mut lines = Vec::new();
    let mut known = args.writer.is_none();
    for (writer, tip) in space.writers() {
        if args.writer.is_some_and(|wanted| wanted != writer) {
            continue;
        }
        known = true;
        let seq = tip.seq(writer).or_refused(format!("the log of writer {writer}"))?;
        let from = seq.saturating_sub(args.limit as u64);
        for (before, signed) in space.log(writer, from, args.limit)? {
            lines.push(Line { writer, seq: before + 1, signed });
        }
    }
    if let Some(writer) = args.writer.filter(|_| !known) {
        return Err(Failure::not_found(format!("writer {writer} is not in this space")));
    }
    let json: Vec<Value> = lines.iter().map(Line::json).collect();
    context.output.answer(&json!({ "ops": json }), || lines.iter().map(Line::text).collect())
}

impl Line {
    fn kind(&self) -> &'static str {
        let op = &self.signed.op;
        match op.key.kind() {
            KeyKind::Head(_) => "grant",
            KeyKind::Replacement(_) => "replace",
            KeyKind::Index if op.value == tombstone() => "unmark",
            KeyKind::Index => "mark",
            _ if op.value == tombstone() => "del",
            _ => "put",
        }
    }

    fn text(&self) -> String {
        let op = &self.signed.op;
        let signed = if self.signed.signature.is_some() { "signed" } else { "" };
        format!(
            "{:>4} {:>8}  {:>20}  {:<6} {}  {signed}\n",
            self.writer,
            self.seq,
            op.ts,
            self.kind(),
            text::key_text(&op.key)
        )
    }

    fn json(&self) -> Value {
        let op = &self.signed.op;
        json!({
            "writer": self.writer,
            "seq": self.seq,
            "ts": op.ts.to_string(),
            "op": self.kind(),
            "key": text::key_json(&op.key),
            "digest": text::field_text(&op.value),
            "more": op.more,
            "signature": self.signed.signature.map(|signature| hex::encode(signature.to_bytes())),
        })
    }
}
