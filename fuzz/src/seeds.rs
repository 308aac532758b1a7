//! The seeds in `corpus/`. Honest seeds are inputs from honest peers and must be accepted. Hostile
//! seeds are crafted and must be refused. The prefix of a seed's name says which of the two it is.

mod messages;
mod requests;
mod responses;
mod values;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::Verdict;

/// Seeds by the name of their target and their own name.
pub type Seeds = BTreeMap<(&'static str, String), Vec<u8>>;

/// The prefix of the names of accepted seeds.
const HONEST: &str = "honest";
/// The prefix of the names of refused seeds.
const HOSTILE: &str = "hostile";

/// The folder of the committed seeds.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Generates all seeds from the honest space and the committed proof, verifying key and header.
pub fn all() -> Seeds {
    let mut seeds = Seeds::new();
    values::add(&mut seeds);
    messages::add(&mut seeds);
    requests::add(&mut seeds);
    responses::add(&mut seeds);
    seeds
}

/// The verdict that a seed of this name must get.
///
/// # Panics
/// If the name has neither prefix.
pub fn expected(name: &str) -> Verdict {
    match name {
        name if name.starts_with(HONEST) => Verdict::Accepted,
        name if name.starts_with(HOSTILE) => Verdict::Refused,
        name => panic!("the name of a seed begins with {HONEST} or {HOSTILE}, not {name}"),
    }
}

/// The committed seeds of a target by name.
///
/// # Errors
/// If the folder or a file cannot be read.
pub fn committed(target: &str) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut seeds = BTreeMap::new();
    for entry in fs::read_dir(folder().join(target))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        seeds.insert(name, fs::read(entry.path())?);
    }
    Ok(seeds)
}

fn honest_seed(seeds: &mut Seeds, target: &'static str, what: &str, bytes: impl Into<Vec<u8>>) {
    let name = if what.is_empty() { HONEST.into() } else { format!("{HONEST}-{what}") };
    seeds.insert((target, name), bytes.into());
}

fn hostile_seed(seeds: &mut Seeds, target: &'static str, what: &str, bytes: impl Into<Vec<u8>>) {
    seeds.insert((target, format!("{HOSTILE}-{what}")), bytes.into());
}
