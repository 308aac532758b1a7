//! The floors of the house: a crate depends on crates of lower floors only.

use crate::{Finding, Repository};

/// The floors from the ground up. Crates of one floor do not know each other.
const FLOORS: [&[&str]; 7] = [
    &["arith"],
    &["core", "proto"],
    &["circuits", "verifier"],
    &["prover", "light"],
    &["wasm", "node"],
    &["benches", "fuzz"],
    &["tidy"],
];

/// Crates that may depend on less than their floor allows, with all that they may depend on.
const NARROW: [(&str, &[&str]); 4] = [
    ("verifier", &["arith", "core"]),
    ("light", &["arith", "core", "proto", "verifier"]),
    ("wasm", &["arith", "core", "proto", "verifier", "light"]),
    ("tidy", &[]),
];

/// Crates that only the program `rootfold` uses, not the library below it.
const OF_THE_PROGRAM: [&str; 3] = ["anyhow::", "clap::", "indicatif::"];

/// Dependencies, also those of tests and builds, that do not lead downwards.
#[must_use]
pub fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, text) in repository.ending("/Cargo.toml") {
        let folder = file.trim_end_matches("/Cargo.toml");
        let Some(floor) = floor(folder) else {
            let what = "this crate is on no floor: tidy/src/floors.rs has the list".to_owned();
            findings.push(Finding { file: file.to_owned(), line: 0, what });
            continue;
        };
        for (line, name) in dependencies(text) {
            let narrow = NARROW.iter().find(|(of, _)| *of == folder);
            let allowed = self::floor(name).is_some_and(|below| below < floor)
                && narrow.is_none_or(|(_, allowed)| allowed.contains(&name));
            if !allowed {
                let what = format!("{folder} must not depend on {name}");
                findings.push(Finding { file: file.to_owned(), line, what });
            }
        }
    }
    for (file, text) in repository.ending(".rs") {
        if !file.starts_with("node/src/") || file.starts_with("node/src/bin/") {
            continue;
        }
        for (i, line) in text.lines().enumerate() {
            if let Some(name) = OF_THE_PROGRAM.iter().find(|name| line.contains(*name)) {
                let what = format!("{name} is for node/src/bin only");
                findings.push(Finding { file: file.to_owned(), line: i + 1, what });
            }
        }
    }
    findings
}

fn floor(folder: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&folder))
}

/// The project's crates that a manifest names as dependencies, with their lines.
fn dependencies(manifest: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    manifest.lines().enumerate().filter_map(move |(i, line)| {
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[') {
            inside = section.trim_end_matches(']').ends_with("dependencies");
            // [dependencies.rootfold-core]
            let name = section.trim_end_matches(']').split_once("dependencies.rootfold-")?.1;
            return Some((i + 1, name));
        }
        let name = line.strip_prefix("rootfold-").filter(|_| inside)?;
        Some((i + 1, name.split(['.', ' ', '=']).next().unwrap_or(name)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, text: &str) -> Vec<String> {
        check(&Repository::from([(file, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_dependency_upwards_or_beside_is_found() {
        let manifest =
            "[dependencies]\nrootfold-core.workspace = true\nrootfold-circuits = \"1\"\n";
        assert_eq!(
            found("verifier/Cargo.toml", manifest),
            ["verifier/Cargo.toml:3: verifier must not depend on circuits"]
        );
        let manifest = "[dev-dependencies]\nrootfold-prover.workspace = true\n";
        assert_eq!(found("circuits/Cargo.toml", manifest).len(), 1);
        let manifest = "[target.'cfg(unix)'.dependencies.rootfold-node]\npath = \"../node\"\n";
        assert_eq!(found("prover/Cargo.toml", manifest).len(), 1);
    }

    #[test]
    fn a_narrow_crate_keeps_to_its_list() {
        let manifest = "[dependencies]\nrootfold-circuits.workspace = true\n";
        assert_eq!(found("wasm/Cargo.toml", manifest).len(), 1);
        assert_eq!(found("prover/Cargo.toml", manifest), [""; 0]);
    }

    #[test]
    fn a_crate_on_no_floor_is_found() {
        assert_eq!(found("attic/Cargo.toml", "[package]\n").len(), 1);
    }

    #[test]
    fn features_and_workspace_tables_are_no_dependencies() {
        let manifest = "[features]\nrootfold-node = []\n[package.metadata]\nrootfold-node = 1\n";
        assert_eq!(found("core/Cargo.toml", manifest), [""; 0]);
    }

    #[test]
    fn the_library_of_node_does_not_use_what_the_program_uses() {
        assert_eq!(found("node/src/space.rs", "use anyhow::Result;").len(), 1);
        assert_eq!(found("node/src/bin/rootfold/main.rs", "use anyhow::Result;"), [""; 0]);
    }
}
