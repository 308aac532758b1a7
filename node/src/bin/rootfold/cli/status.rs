//! `status`

use serde_json::json;

use super::{context::invite, failure::Failure, text, Context};

/// Prints the state of the node.
pub fn run(context: &Context) -> Result<(), Failure> {
    let space = context.space()?;
    let status = space.status();
    // A replica that `replay` created has no verifying key, so no invite.
    let invite = invite(&space).ok().map(|invite| invite.to_string());
    let (proved, snapshot) = (status.proved.as_ref(), status.snapshot.as_ref());
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
        })),
        "snapshot": snapshot.map(|header| json!({
            "root": text::field_text(&header.root),
            "ops": header.ops,
            "steps": header.steps,
        })),
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
                "proved    {} ops in {} steps, root {}",
                proved.ops,
                proved.steps,
                text::field_text(&proved.root)
            ),
        });
        lines.push(match snapshot {
            None => "snapshot  none; `rootfold publish` creates one".to_owned(),
            Some(header) => format!("snapshot  {} ops in {} steps", header.ops, header.steps),
        });
        lines.extend(invite.iter().map(|invite| format!("invite    {invite}")));
        lines.join("\n")
    })
}
