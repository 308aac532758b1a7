//! `status`

use serde_json::json;

use super::{context::invite, failure::Failure, text, Context};

/// Prints what the node holds.
pub fn run(context: &Context) -> Result<(), Failure> {
    let space = context.space()?;
    let status = space.status();
    // A replica that came here without a proof has none to hand out.
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
            None => "proved    nothing here: this replica was made from another's data".to_owned(),
            Some(proved) => format!(
                "proved    {} ops in {} steps, root {}",
                proved.ops,
                proved.steps,
                text::field_text(&proved.root)
            ),
        });
        lines.push(match snapshot {
            None => "snapshot  none: `rootfold publish` makes one".to_owned(),
            Some(header) => format!("snapshot  {} ops in {} steps", header.ops, header.steps),
        });
        lines.extend(invite.iter().map(|invite| format!("invite    {invite}")));
        lines.join("\n")
    })
}
