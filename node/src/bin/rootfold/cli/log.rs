//! `log`

use rootfold_core::{key::KeyKind, log::SignedOp, value::tombstone};
use serde_json::{json, Value};

use super::{
    args::LogArgs,
    failure::{Failure, OrFail},
    text, Context,
};

/// One op to be shown.
struct Line {
    writer: u32,
    /// From 1, as the writer signs it.
    seq: u64,
    signed: SignedOp,
}

/// Prints the newest ops of each log, oldest first.
pub fn run(context: &Context, args: &LogArgs) -> Result<(), Failure> {
    let space = context.space()?;
    let mut lines = Vec::new();
    let mut known = args.writer.is_none();
    for (writer, tip) in space.writers() {
        if args.writer.is_some_and(|wanted| wanted != writer) {
            continue;
        }
        known = true;
        let seq = tip.seq(writer).or_refused("reading the log")?;
        let from = seq.saturating_sub(args.limit as u64);
        for (before, signed) in space.log(writer, from, args.limit)? {
            lines.push(Line { writer, seq: before + 1, signed });
        }
    }
    if !known {
        return Err(Failure::unreachable("there is no such writer in this space"));
    }
    let json: Vec<Value> = lines.iter().map(Line::json).collect();
    context.output.answer(&json!({ "ops": json }), || lines.iter().map(Line::text).collect())
}

impl Line {
    fn kind(&self) -> &'static str {
        let op = &self.signed.op;
        match op.key.kind() {
            KeyKind::Head(_) => "grant",
            _ if op.value == tombstone() => "del",
            _ => "put",
        }
    }

    fn text(&self) -> String {
        let op = &self.signed.op;
        let signed = if self.signed.signature.is_some() { "signed" } else { "" };
        format!(
            "{:>4} {:>8}  {:>20}  {:<5} {}  {signed}\n",
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
            "ts": op.ts,
            "op": self.kind(),
            "key": text::key_json(&op.key),
            "digest": text::field_text(&op.value),
            "signature": self.signed.signature.map(|signature| hex::encode(signature.to_bytes())),
        })
    }
}
