//! `get`

use rootfold_light::answer::At;

use super::{args::GetArgs, failure::Failure, text, Context};

/// Prints a value: its bytes as they are, or JSON.
pub fn run(context: &Context, args: &GetArgs) -> Result<(), Failure> {
    let key = text::key_of(&args.key)?;
    let found = context.space()?.get(At::Latest, &key)?;
    let Some(found) = found.filter(|found| found.value.is_some()) else {
        return Err(Failure::unreachable(format!(
            "there is nothing under {:?}",
            text::key_text(&key)
        )));
    };
    if context.output.json {
        return context.output.answer(&text::found_json(&found), String::new);
    }
    context.output.bytes(found.value.as_deref().unwrap_or_default())
}
