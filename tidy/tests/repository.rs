//! The checks of this crate on the repository itself.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use rootfold_tidy::{circles, events, floors, links, rules, words, Finding, Repository};

fn repository() -> Repository {
    Repository::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
}

fn assert_clean(findings: &[Finding]) {
    let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{} findings:\n{}", lines.len(), lines.join("\n"));
}

#[test]
fn links_lead_somewhere() {
    assert_clean(&links::check(&repository()));
}

#[test]
fn crates_depend_downwards() {
    assert_clean(&floors::check(&repository()));
}

#[test]
fn words_are_the_usual_ones() {
    assert_clean(&words::check(&repository()));
}

#[test]
fn rules_have_rows() {
    assert_clean(&rules::check(&repository()));
}

#[test]
fn events_of_the_log_have_rows() {
    assert_clean(&events::check(&repository()));
}

#[test]
fn modules_import_in_one_direction() {
    assert_clean(&circles::check(&repository()));
}
