//! Every rule of the step circuit that code or documents cite by number has its row in the table
//! of rules, and every row is cited in `core`, in `circuits` and in the tests of soundness.

use std::collections::BTreeSet;

use crate::{Finding, Repository};

/// The document whose tables define the rules: the first cell of a row is the id.
const BOOK: &str = "docs/circuits.md";

/// Where each rule must be cited at least once: its native twin, its constraints, its forgeries.
const HOMES: [&str; 3] = ["core/src/", "circuits/src/", "circuits/tests/"];

/// Cited ids without a row, and rows that are not cited in `core`, `circuits` or the tests of `circuits`.
#[must_use]
pub fn check(repository: &Repository) -> Vec<Finding> {
    let defined = defined(repository.text(BOOK).unwrap_or_default());
    let mut findings = Vec::new();
    let mut cited = vec![BTreeSet::new(); HOMES.len()];
    for (file, text) in repository.all() {
        // This crate's samples cite rules that do not exist.
        if !(file.ends_with(".rs") || file.ends_with(".md")) || file.starts_with("tidy/") {
            continue;
        }
        for (i, line) in text.lines().enumerate() {
            for id in ids(line) {
                for (home, cited) in HOMES.iter().zip(&mut cited) {
                    if file.starts_with(home) {
                        cited.insert(id);
                    }
                }
                if !defined.contains(id) {
                    let what = format!("{id} has no row in {BOOK}");
                    findings.push(Finding { file: file.to_owned(), line: i + 1, what });
                }
            }
        }
    }
    for (home, cited) in HOMES.iter().zip(&cited) {
        findings.extend(defined.difference(cited).map(|id| Finding {
            file: BOOK.to_owned(),
            line: 0,
            what: format!("{id} is cited nowhere in {home}"),
        }));
    }
    findings
}

/// The ids that rows start with: `| L1 | …`.
fn defined(book: &str) -> BTreeSet<&str> {
    book.lines()
        .filter_map(|line| line.strip_prefix('|')?.split('|').next())
        .flat_map(ids)
        .collect()
}

/// The words of the form L1, M12.
fn ids(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| {
        let number = word.strip_prefix(['L', 'M']);
        number.is_some_and(|n| (1..=2).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(book: &str, code: &str, forgeries: &str) -> Vec<String> {
        let files = [
            (BOOK, book),
            ("core/src/step.rs", code),
            ("circuits/src/step.rs", "// L1"),
            ("circuits/tests/soundness.rs", forgeries),
        ];
        check(&Repository::from(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_cited_rule_without_a_row_is_found() {
        assert_eq!(
            found("| L1 | starts |", "// L1\n// M7, M7a, xM7, M_7", "L1"),
            ["core/src/step.rs:2: M7 has no row in docs/circuits.md"]
        );
    }

    #[test]
    fn a_row_that_is_not_cited_is_found() {
        assert_eq!(
            found("| L1 | starts |", "// L1", "none"),
            ["docs/circuits.md: L1 is cited nowhere in circuits/tests/"]
        );
    }

    #[test]
    fn rules_with_rows_pass() {
        assert_eq!(found("| L1 | starts |", "// L1", "L1"), [""; 0]);
    }
}
