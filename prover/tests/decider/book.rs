//! The tables of attacks in `docs/soundness.md` name every attack of this suite and no other test.

use std::collections::BTreeSet;

/// The files in which every test is an attack.
const ATTACKS: [&str; 8] = [
    include_str!("bytes.rs"),
    include_str!("challenge.rs"),
    include_str!("committed_inputs.rs"),
    include_str!("elements.rs"),
    include_str!("keys.rs"),
    include_str!("sigma.rs"),
    include_str!("statement.rs"),
    include_str!("toy_decider.rs"),
];

const BOOK: &str = include_str!("../../../docs/soundness.md");

#[test]
fn the_tables_name_every_attack() {
    let name = |text: &'static str| text.trim_start().strip_prefix("fn ")?.split('(').next();
    let tests: BTreeSet<&str> = ATTACKS
        .iter()
        .flat_map(|source| source.split("#[test]").skip(1))
        .filter_map(name)
        .collect();
    let (_, section) = BOOK.split_once("\n## The decider\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|'));
    let column = |row: &'static str| row.split('|').nth(3).unwrap_or_default();
    let named: BTreeSet<&str> =
        rows.flat_map(|row| column(row).split('`').skip(1).step_by(2)).collect();
    assert!(!tests.is_empty());
    assert_eq!(named, tests, "left: docs/soundness.md, right: the tests");
}
