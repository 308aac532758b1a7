//! Compares the committed page with the page rendered from the committed figures.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{collections::BTreeSet, fs, path::Path};

use rootfold_benches::{
    page::{render, DATA, DOCS, PAGE, PLOTS},
    report::Report,
};

#[test]
fn the_committed_page_matches_the_committed_figures() {
    let docs = Path::new(DOCS);
    let data = fs::read_to_string(docs.join(DATA)).unwrap();
    let report: Report = serde_json::from_str(&data).unwrap();
    assert_eq!(serde_json::to_string_pretty(&report).unwrap() + "\n", data, "{DATA}");

    let page = render(&report).unwrap();
    let hint = "run `cargo run --release -p rootfold-benches -- page`";
    assert_eq!(fs::read_to_string(docs.join(PAGE)).unwrap(), page.text, "{hint}");
    for (name, content) in &page.plots {
        assert_eq!(&fs::read_to_string(docs.join(PLOTS).join(name)).unwrap(), content, "{hint}");
    }
    let committed = fs::read_dir(docs.join(PLOTS)).unwrap();
    let committed: BTreeSet<String> =
        committed.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let made: BTreeSet<String> = page.plots.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(committed, made, "docs/{PLOTS} differs from the plots of the page");
}
