//! `status`

use rootfold_node::clock::{Clock, SystemClock};
use serde_json::json;

use super::{
    context::invite,
    failure::{Failure, OrFail},
    peers::{peer_json, peer_text},
    text, Context,
};

/// Prints the state of the node.
pub fn run(context: &Context) -> Result<(), Failure> {
    let space = context.space()?;
    let status = space.status();
    // A replica that `replay` created has no verifying key, so no invite.
    let invite = invite(&space).ok().map(|invite| invite.to_string());
    let (proved, snapshot) = (status.proved.as_ref(), status.snapshot.as_ref());
    let (newest, newest_proved) = (status.newest_op_ms, space.newest_op_of_snapshot()?);
    let holes = space.holes()?.len();
    let (forks, closed) = (space.forks(), space.closed());
    let full_history = space.has_full_history()?;
    let lag = |covered: u64| status.ops.saturating_sub(covered);
    let peers = context.served_peers().map(|peers| peers.all()).unwrap_or_default();
    let disk = context.data_dir().bytes().or_unreachable("the data directory")?;
    let json = json!({
        "space": text::field_text(&status.space),
        "root": text::field_text(&status.root),
        "ops": status.ops,
        "entries": status.entries,
        "writers": status.writers,
        "proved": proved.map(|proved| json!({
            "root": text::field_text(&proved.root),
            "ops": proved.ops,
            "steps": proved.steps,
            "lag_ops": lag(proved.ops),
        })),
        "snapshot": snapshot.map(|header| json!({
            "root": text::field_text(&header.root),
            "ops": header.ops,
            "steps": header.steps,
            "lag_ops": lag(header.ops),
            "age_seconds": newest_proved.map(age_seconds),
        })),
        "newest_op_age_seconds": newest.map(age_seconds),
        "full_history": full_history,
        "missing_values": holes,
        "forks": forks.iter().map(|(writer, fork)| json!({
            "writer": writer, "shared": fork.shared, "accepted": fork.accepted,
        })).collect::<Vec<_>>(),
        "closed": closed,
        "peers": peers.iter().map(|(address, state)| peer_json(address, state)).collect::<Vec<_>>(),
        "disk_bytes": disk,
        "invite": invite,
    });
    context.output.answer(&json, || {
        let mut lines = vec![
            format!("space     {}", text::field_text(&status.space)),
            format!("root      {}", text::field_text(&status.root)),
            format!("ops       {}", status.ops),
            format!("entries   {}", status.entries),
            format!("writers   {}", status.writers),
        ];
        lines.push(match proved {
            None => "proved    by another node: this replica has no running proof".to_owned(),
            Some(proved) => format!(
                "proved    {} ops in {} steps, {} ops behind, root {}",
                proved.ops,
                proved.steps,
                lag(proved.ops),
                text::field_text(&proved.root)
            ),
        });
        lines.push(match snapshot {
            None => "snapshot  none; `rootfold publish` creates one".to_owned(),
            Some(header) => format!(
                "snapshot  {} ops in {} steps, {} ops behind, up to an op of {}",
                header.ops,
                header.steps,
                lag(header.ops),
                newest_proved.map_or_else(|| "no time".to_owned(), age_text)
            ),
        });
        lines.extend(newest.map(|ms| format!("newest op {}", age_text(ms))));
        lines.push(match full_history {
            true => "history   all ops since genesis".to_owned(),
            false => "history   ops since a snapshot".to_owned(),
        });
        if holes > 0 {
            lines.push(format!("missing   {holes} values that no peer has sent yet"));
        }
        for (writer, fork) in &forks {
            let state = if fork.accepted { "accepted" } else { "rests; see `rootfold forks`" };
            lines.push(format!("fork      writer {writer} after op {}: {state}", fork.shared));
        }
        for writer in &closed {
            lines.push(format!("closed    writer {writer}, by the owner"));
        }
        lines.extend(
            peers.iter().map(|(address, state)| format!("peer      {}", peer_text(address, state))),
        );
        lines.push(format!("disk      {}", text::bytes_text(disk)));
        lines.extend(invite.iter().map(|invite| format!("invite    {invite}")));
        lines.join("\n")
    })
}

/// Seconds since a time in milliseconds since 1970; negative for a time to come.
fn age_seconds(ms: u64) -> i64 {
    let signed = |ms: u64| i64::try_from(ms / 1000).unwrap_or(i64::MAX);
    signed(SystemClock.now_ms()).saturating_sub(signed(ms))
}

fn age_text(ms: u64) -> String {
    match age_seconds(ms) {
        ahead @ ..0 => format!("{} s ahead of this clock", -ahead),
        seconds @ 0..120 => format!("{seconds} s ago"),
        seconds @ 120..7_200 => format!("{} min ago", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h ago", seconds / 3_600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}
