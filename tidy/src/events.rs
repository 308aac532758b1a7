//! Every line of the log has the name of an event, and `docs/operating.md` has a row for each name.

use std::collections::BTreeSet;

use crate::{Finding, Repository};

/// The document with the rows: the first cell is the name in backquotes.
const BOOK: &str = "docs/operating.md";
/// The table begins below this heading.
const HEADING: &str = "## The log";
/// What begins a line of the log that operators see by default or with `info`.
const MACROS: [&str; 3] = ["tracing::info!(", "tracing::warn!(", "tracing::error!("];
const FIELD: &str = "event = \"";

/// Lines of the log without a name, names without a row, and rows without a line.
#[must_use]
pub fn check(repository: &Repository) -> Vec<Finding> {
    let (mut findings, mut named) = (Vec::new(), BTreeSet::new());
    let book = repository.text(BOOK).unwrap_or_default();
    let rows = rows(book);
    for (file, text) in repository.ending(".rs").filter(|(file, _)| is_of_node(file)) {
        for (at, found) in MACROS.iter().flat_map(|begin| text.match_indices(begin)) {
            let line = text[..at].lines().count().max(1);
            let arguments = text[at + found.len()..].trim_start();
            let name = arguments.strip_prefix(FIELD).and_then(|rest| rest.split('"').next());
            let what = match name {
                None => Some("a line of the log does not begin with `event = \"name\"`".to_owned()),
                Some(name) if !rows.contains(name) => {
                    Some(format!("the event {name} has no row in {BOOK}, {HEADING:?}"))
                }
                Some(_) => None,
            };
            named.extend(name);
            findings.extend(what.map(|what| Finding { file: file.to_owned(), line, what }));
        }
    }
    let idle = rows.into_iter().filter(|row| !named.contains(row));
    findings.extend(idle.map(|row| Finding {
        file: BOOK.to_owned(),
        line: 0,
        what: format!("no line of the log has the event {row}"),
    }));
    findings
}

/// Benches and examples have no operators.
fn is_of_node(file: &str) -> bool {
    file.starts_with("node/src/") || file.starts_with("prover/src/")
}

fn rows(book: &str) -> BTreeSet<&str> {
    let below = book.split_once(HEADING).map_or("", |(_, below)| below);
    let table = below.split("\n## ").next().unwrap_or_default();
    let first = table.lines().filter_map(|line| line.strip_prefix("| `"));
    first.filter_map(|rest| rest.split('`').next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(code: &str, rows: &str) -> Vec<String> {
        let book = format!("## The log\n\n{rows}\n## Limits\n| `none` | |");
        let files = [("node/src/a.rs", code), (BOOK, book.as_str())];
        check(&Repository::from(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_and_rows_belong_together() {
        let one = "tracing::info!(event = \"one\", \"done\");";
        assert_eq!(found(one, "| `one` | info | |"), [""; 0]);
        assert_eq!(
            found(one, ""),
            ["node/src/a.rs:1: the event one has no row in docs/operating.md, \"## The log\""]
        );
        assert_eq!(
            found("", "| `one` | info | |"),
            ["docs/operating.md: no line of the log has the event one"]
        );
        assert!(found("tracing::warn!(\"done\");", "")[0].contains("does not begin with"));
    }
}
