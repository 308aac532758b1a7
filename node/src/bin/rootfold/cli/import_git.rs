//! `import-git`

use std::path::PathBuf;

use clap::Args;
use rootfold_node::git;
use serde_json::json;

use super::{
    failure::Failure,
    import::{self, Import},
    keyring::OWNER,
    text, Context,
};

/// `import-git`
#[derive(Debug, Args)]
pub struct ImportGitArgs {
    /// A folder in the repository.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The largest number of path changes: the oldest.
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    limit: usize,
}

/// The largest number of keys that a list in the text has; JSON has all.
const LISTED: usize = 10;

/// Imports a git history into the space.
pub fn run(context: &Context, args: &ImportGitArgs) -> Result<(), Failure> {
    let space = context.space()?;
    let (_, _, owner) = context.writer(&space, OWNER)?;
    let bars = context.bars();
    let path = context.path(&args.path);
    let history = bars.counted("reading git", None, |bar| {
        git::read_history(&path, args.limit, |done| bar.set_position(done as u64))
    })?;
    let total = history.changes.len();
    let mut import = Import::begin(&space, &owner, &path, &history)?;
    bars.counted("signing and ingesting", Some(total as u64), |bar| {
        import.run_to(total, |done| bar.set_position(done as u64))
    })?;
    import.settle()?;
    let cut = import::cut_keys(&history);
    let cut_json: Vec<_> = cut
        .iter()
        .map(|(path, key)| json!({ "path": text::escaped(path), "key": text::key_json(key) }))
        .collect();
    let kept_json: Vec<_> = import
        .kept()
        .iter()
        .map(|kept| json!({ "key": text::key_json(&kept.key), "writer": kept.writer }))
        .collect();
    let json = json!({
        "changes": total,
        "commits": history.commits,
        "writers": history.authors.len(),
        "new_ops": import.written(),
        "skipped": {
            "large": history.skipped.large,
            "links": history.skipped.links,
            "submodules": history.skipped.submodules,
        },
        "cut_paths": import::cut_paths(&history),
        "cut_keys": cut_json,
        "kept": import.kept().len(),
        "kept_keys": kept_json,
        "odd_dates": import::odd_dates(&history),
        "shallow": history.shallow,
    });
    context.output.answer_done("the history is imported", &json, || {
        let mut text = format!(
            "{total} changes of {} commits by {} authors; {} ops are new here\n",
            history.commits,
            history.authors.len(),
            import.written()
        );
        text.extend(import::left_out(&history).into_iter().map(|line| line + "\n"));
        text += &list(
            "paths with shortened keys",
            cut.len(),
            cut.iter().map(|(path, key)| {
                format!("{} lies under {}", text::escaped(path), text::key_text(key))
            }),
        );
        let kept = import.kept();
        text += &list(
            "keys are not as in HEAD, since other writers have written them",
            kept.len(),
            kept.iter()
                .map(|kept| format!("{} by writer {}", text::key_text(&kept.key), kept.writer)),
        );
        text
    })
}

/// A heading with the number of items, then the first [`LISTED`] items. Empty without items.
fn list(what: &str, count: usize, items: impl Iterator<Item = String>) -> String {
    if count == 0 {
        return String::new();
    }
    let mut text = format!("{count} {what}:\n");
    text.extend(items.take(LISTED).map(|item| format!("  {item}\n")));
    if count > LISTED {
        text += &format!("  and {} more, which --json lists\n", count - LISTED);
    }
    text
}
