//! Checks that `TARGETS`, `docs/soundness.md`, the libFuzzer binaries and the corpus list the same
//! targets.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeSet, fs, path::Path};

use rootfold_fuzz::{seeds, TARGETS};

const BOOK: &str = include_str!("../../docs/soundness.md");
const MANIFEST: &str = include_str!("../Cargo.toml");

fn targets() -> BTreeSet<String> {
    TARGETS.iter().map(|target| target.name.to_owned()).collect()
}

/// The names of the entries of a folder in this crate, without extensions.
fn names_in(folder: &str) -> BTreeSet<String> {
    let stem = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    fs::read_dir(folder).unwrap().map(|entry| stem(&entry.unwrap().path())).collect()
}

#[test]
fn target_names_are_unique() {
    assert_eq!(targets().len(), TARGETS.len());
}

#[test]
fn every_target_has_a_libfuzzer_binary() {
    assert_eq!(names_in("fuzz_targets"), targets());
    let name =
        |line: &str| Some(line.trim().strip_prefix("{ name = \"")?.split('"').next()?.to_owned());
    assert_eq!(MANIFEST.lines().filter_map(name).collect::<BTreeSet<_>>(), targets());
    for target in targets() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz_targets/{target}.rs"));
        let main = fs::read_to_string(path).unwrap();
        assert!(main.contains(&format!("rootfold_fuzz::fuzz(\"{target}\", bytes)")), "{target}");
    }
}

/// The second column of the table in `docs/soundness.md` lists the targets.
#[test]
fn soundness_md_lists_every_target_once() {
    let (_, section) = BOOK.split_once("\n## Randomised attackers\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let column = |row: &str| row.split('|').nth(2).map(str::to_owned);
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells: Vec<String> = rows.filter_map(column).collect();
    let named: Vec<&str> =
        cells.iter().flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    let once: BTreeSet<String> = named.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(once, targets());
    assert_eq!(named.len(), TARGETS.len(), "a target is listed twice");
}

/// The command is `cargo run --release -p rootfold-fuzz --example seeds`.
#[test]
fn the_committed_seeds_match_the_generated_seeds() {
    assert_eq!(names_in("corpus"), targets());
    let mut made = seeds::all();
    for target in &TARGETS {
        for (name, bytes) in seeds::committed(target.name).unwrap() {
            let made = made.remove(&(target.name, name.clone()));
            assert_eq!(made, Some(bytes), "{}/{name}: generate the seeds again", target.name);
        }
    }
    assert_eq!(
        made.keys().collect::<Vec<_>>(),
        Vec::<&(&str, String)>::new(),
        "these seeds are not committed"
    );
}

#[test]
fn every_target_has_an_honest_seed() {
    for target in targets() {
        let seeds = seeds::committed(&target).unwrap();
        assert!(seeds.keys().any(|name| name.starts_with("honest")), "{target}");
    }
}
