//! Streams of puts, deterministic for a given seed or repository.

use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rootfold_core::{
    key::Key,
    value::{tombstone, value_digest},
};
use rootfold_node::git::{self, plan::path_key, Blobs, Content};

use super::Put;

/// Unix time in milliseconds of the first key: the beginning of 2026.
const BEGIN_MS: u64 = 1_767_225_600_000;

/// Puts with increasing keys of 16 bytes, similar to UUIDs of version 7: 48 bits of milliseconds,
/// then 80 random bits.
pub fn appended(seed: u64) -> impl Iterator<Item = Put> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut ms = BEGIN_MS;
    std::iter::repeat_with(move || {
        ms += rng.gen_range(1..50);
        let mut key: [u8; 16] = rng.gen();
        key[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
        put(&key, &mut rng)
    })
}

/// Puts with keys of 16 random bytes.
pub fn random(seed: u64) -> impl Iterator<Item = Put> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    std::iter::repeat_with(move || put(&rng.gen::<[u8; 16]>(), &mut rng))
}

fn put(key: &[u8; 16], rng: &mut ChaCha20Rng) -> Put {
    let key = Key::shared(key).expect("a key of 16 bytes is valid");
    (key, value_digest(&rng.gen::<[u8; 32]>()))
}

/// Every path change of the repository that `path` lies in, oldest first, with the keys and values
/// that `rootfold import-git` gives them.
///
/// # Errors
/// If git cannot read the repository.
pub fn git_history(path: &Path) -> anyhow::Result<Vec<Put>> {
    let history = git::read_history(path, usize::MAX, |_| {})?;
    let mut blobs = Blobs::open(path)?;
    let put = |change: &git::Change| {
        let value = match &change.content {
            Content::Delete => tombstone(),
            Content::Put { blob } => value_digest(&blobs.contents(blob)?),
        };
        Ok((path_key(&change.path), value))
    };
    history.changes.iter().map(put).collect()
}
