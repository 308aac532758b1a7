//! The seeds in `corpus/`: what honest peers send, which is accepted, and what hostile ones craft,
//! which is refused. The name of a seed says which of the two it is.

mod messages;
mod replies;
mod requests;
mod values;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::Verdict;

/// Seeds by the names of their targets and their own.
pub type Seeds = BTreeMap<(&'static str, String), Vec<u8>>;

/// What the name of an accepted seed begins with.
const HONEST: &str = "honest";
/// What the name of a refused seed begins with.
const HOSTILE: &str = "hostile";

/// Where the committed seeds are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// All seeds. Proof, verifying key and header are those committed already; the rest follows from
/// them and from the honest space.
pub fn all() -> Seeds {
    let mut seeds = Seeds::new();
    values::add(&mut seeds);
    messages::add(&mut seeds);
    requests::add(&mut seeds);
    replies::add(&mut seeds);
    seeds
}

/// What must become of a seed of this name.
///
/// # Panics
/// If the name says neither.
pub fn expected(name: &str) -> Verdict {
    match name {
        name if name.starts_with(HONEST) => Verdict::Accepted,
        name if name.starts_with(HOSTILE) => Verdict::Refused,
        name => panic!("a seed is {HONEST} or {HOSTILE}, not {name}"),
    }
}

/// The committed seeds of a target by name.
///
/// # Errors
/// What the file system said.
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
