//! Entries, keys of known heights, and random trees.

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rootfold_core::{
    item::Entry,
    key::Key,
    stamp::Stamp,
    tree::{self, MemoryStore, Page},
    F,
};

/// Application keys "h<number>" by height, up to four of each; `splits` checks them. They are from a
/// search of the numbers 0 to 14,000,000, none of which has height 12. With a key of height 12 the
/// tests in `splits` would also split pages of rank 3.
pub const TALL: &[(usize, u64)] = &[
    (3, 10),
    (3, 81),
    (3, 90),
    (3, 163),
    (4, 239),
    (4, 889),
    (4, 2408),
    (4, 2581),
    (5, 4340),
    (5, 5502),
    (5, 5684),
    (5, 8197),
    (6, 6058),
    (6, 8258),
    (6, 11559),
    (6, 18796),
    (7, 51888),
    (7, 74948),
    (7, 102348),
    (7, 120024),
    (8, 65083),
    (8, 80252),
    (8, 144943),
    (8, 165589),
    (9, 76382),
    (9, 226485),
    (9, 446929),
    (9, 559607),
    (10, 1397715),
    (10, 1593049),
    (10, 4464802),
    (10, 8711099),
    (11, 405470),
    (11, 2572589),
    (11, 5076840),
    (11, 5226897),
];

/// A key of [`TALL`].
pub fn tall_key(number: u64) -> Key {
    user(&format!("h{number}"))
}

/// The `nth` key of [`TALL`] of this height.
pub fn of_height(height: usize, nth: usize) -> Key {
    let mut found = TALL.iter().filter(|(h, _)| *h == height);
    tall_key(found.nth(nth).expect("the table has that key").1)
}

/// A user key.
pub fn user(application_key: &str) -> Key {
    Key::shared(application_key.as_bytes()).unwrap()
}

/// An entry with some stamp and value.
pub fn entry(key: Key, version: u64) -> Entry {
    let stamp = Stamp { ts: version + 1, writer: 7 };
    Entry { key, stamp, value: F::from(1000 + version) }
}

/// The sorted entries of a tree: the given ones and the sentinels.
pub fn whole(entries: impl IntoIterator<Item = Entry>) -> Vec<Entry> {
    let mut all = vec![Entry::start_sentinel(), Entry::end_sentinel()];
    all.extend(entries);
    all.sort_by_key(|e| e.key);
    all
}

/// A store with one tree, and its root.
pub fn tree_of(entries: impl IntoIterator<Item = Entry>) -> (MemoryStore, F) {
    let built = tree::build(&whole(entries));
    let mut store = MemoryStore::default();
    store.apply(&built);
    (store, built.root)
}

/// Entries on `count` keys "k0", "k1", ...
pub fn numbered(count: u64) -> impl Iterator<Item = Entry> {
    (0..count).map(|n| entry(user(&format!("k{n}")), n))
}

/// A seed from the environment (`ROOTFOLD_SEED`) or a random one. Prints it.
pub fn seed(test: &str) -> u64 {
    let given = std::env::var("ROOTFOLD_SEED").ok();
    let seed = given.map_or_else(rand::random, |s| s.parse().expect("ROOTFOLD_SEED is a number"));
    println!("{test}: ROOTFOLD_SEED={seed}");
    seed
}

/// A random generator with a printed seed.
pub fn rng(test: &str) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed(test))
}

/// The seeds of a test: the printed one, and those that once found a fault.
pub fn seeds(test: &str, regressions: &[u64]) -> Vec<u64> {
    let mut seeds = vec![seed(test)];
    seeds.extend_from_slice(regressions);
    seeds
}

/// A proptest runner with a printed seed.
pub fn runner(test: &str, cases: u32) -> TestRunner {
    let mut bytes = [0u8; 32];
    rng(test).fill_bytes(&mut bytes);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// A key of any kind. Collisions are likely.
pub fn some_key(rng: &mut impl Rng) -> Key {
    match rng.gen_range(0..10) {
        0 => Key::head(rng.gen_range(0..20)),
        1 => {
            let mut bytes = [0u8; 93];
            rng.fill_bytes(&mut bytes);
            bytes[0] = 1;
            Key::from_bytes(bytes)
        }
        2 | 3 => tall_key(TALL[rng.gen_range(0..TALL.len())].1),
        4 => Key::shared(&vec![0; rng.gen_range(0..=91)]).unwrap(),
        _ => user(&format!("k{}", rng.gen_range(0..400))),
    }
}

/// The page in the store with this name.
pub fn page(store: &MemoryStore, name: &F) -> Page {
    let found = store.iter().find(|(n, _)| *n == name).expect("the page is there");
    (**found.1).clone()
}
