//! Runs the whole report at small sizes.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{fs, process::Command};

use rootfold_benches::{
    loads::Load,
    page::{DATA, PAGE, PLOTS},
    report::Report,
};

#[test]
fn a_quick_report_has_every_section_and_renders_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("report.json");
    let docs = folder.path().join("docs");
    let status = Command::new(env!("CARGO_BIN_EXE_rootfold-benches"))
        .args(["report", "--quick", "--json"])
        .arg(&json)
        .arg("--docs")
        .arg(&docs)
        .status()
        .unwrap();
    assert!(status.success());

    let report: Report = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    assert!(report.quick);
    assert_eq!(report.profiles.len(), report.groth16.len());
    let loads: Vec<Load> = report.rates.iter().map(|rate| rate.planned.load).collect();
    assert!(Load::ALL.iter().all(|load| loads.contains(load)));
    assert!(report.rates.iter().all(|rate| rate
        .planned
        .epochs
        .iter()
        .all(|epoch| epoch.steps > 0)));
    assert!(!report.proved.is_empty());
    assert_eq!(report.sync.histories.last().unwrap().ops, 600);
    assert!(report.native.contests.iter().all(|contest| contest.entrants.len() > 1));

    let page = fs::read_to_string(docs.join(PAGE)).unwrap();
    assert!(page.contains("the figures mean nothing"));
    assert!(docs.join(DATA).exists());
    let shown = page.matches(&format!("({PLOTS}/")).count();
    assert_eq!(fs::read_dir(docs.join(PLOTS)).unwrap().count(), shown);
}
