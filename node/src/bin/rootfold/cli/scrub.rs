//! `scrub`

use clap::Args;
use rootfold_node::space::scrub::{self, Report};
use serde_json::{json, Value};

use super::{failure::Failure, text, Context};

/// `scrub`
#[derive(Debug, Args)]
pub struct ScrubArgs {
    /// Prints what the last pass found and how far the present one is, and reads nothing.
    #[arg(long)]
    status: bool,
    /// Lets the passes of a serving node rest.
    #[arg(long, conflicts_with = "status")]
    pause: bool,
    /// Lets them go on.
    #[arg(long, conflicts_with_all = ["status", "pause"])]
    resume: bool,
}

/// Reads every record again and checks it, or controls the passes of a serving node.
pub fn run(context: &Context, args: &ScrubArgs) -> Result<(), Failure> {
    let space = context.space()?;
    if args.pause || args.resume {
        space.change_scrub_state(|state| state.paused = args.pause)?;
    }
    let before = space.scrub_state()?;
    let report = match args.status || args.pause || args.resume {
        true => before.last.clone(),
        false => Some(scrub::scrub(&space)?),
    };
    let json = json!({
        "paused": before.paused,
        "current_records": before.current.as_ref().map(scrub::Pass::records),
        "last": report.as_ref().map(report_json),
    });
    context.output.answer(&json, || {
        let mut lines: Vec<String> = report.iter().map(report_text).collect();
        if report.is_none() {
            lines.push("no pass has ended yet".to_owned());
        }
        if let Some(pass) = &before.current {
            lines.push(format!("a pass of the serving node has read {} records", pass.records()));
        }
        if before.paused {
            lines.push("paused; `rootfold scrub --resume` goes on".to_owned());
        }
        lines.join("\n")
    })?;
    match report {
        Some(Report { damaged, .. }) if damaged > 0 && !args.status => Err(Failure::unreachable(
            format!(
                "{damaged} records are damaged. Values and pages are fetched from peers; for anything else \
                 restore a backup, or bootstrap a new replica"
            ),
        )),
        _ => Ok(()),
    }
}

fn report_json(report: &Report) -> Value {
    json!({
        "began_ms": report.began_ms,
        "ended_ms": report.ended_ms,
        "records": report.records,
        "bytes": report.bytes,
        "damaged": report.damaged,
        "findings": report.findings.iter().map(|finding| json!({
            "column": finding.column,
            "key": finding.key,
            "what": finding.what,
            "requested": finding.requested,
        })).collect::<Vec<_>>(),
    })
}

fn report_text(report: &Report) -> String {
    let seconds = report.ended_ms.saturating_sub(report.began_ms) / 1000;
    let mut text = format!(
        "{} records, {}, read in {seconds} s: {} damaged",
        report.records,
        text::bytes_text(report.bytes),
        report.damaged
    );
    for finding in &report.findings {
        let next = if finding.requested { "; peers are asked for it" } else { "" };
        text += &format!("\n{} {}: {}{next}", finding.column, finding.key, finding.what);
    }
    text
}
