//! Measures hashes, signature verification and page checks on one core. Other implementations of
//! the same functions are measured alternately with ours.

use std::hint::black_box;

use ark_ff::PrimeField as _;
use ark_std::UniformRand;
use ff_ce::PrimeField as _;
use light_poseidon::{Poseidon, PoseidonHasher};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rootfold_core::{
    eddsa::{verify, SecretKey},
    hash::{hash, hash_each, Tag},
    item::Entry,
    stamp::Stamp,
    tree::{build, Page},
    F,
};

use super::sizes::Sizes;
use crate::{
    loads::random,
    measure::{timed, Spread},
    report::{Contest, Entrant, NativeFigures},
};

/// A signature check takes at least this many times as long as a hash, so it is repeated less.
const EDDSA_HASHES: usize = 10;
/// The largest number of entries of the tree whose pages are checked.
const PAGE_ENTRIES: usize = 4000;

/// Number of hashes that are computed in one batch.
const AT_A_TIME: usize = 100;

/// One implementation of a measured function.
struct Computes<'a> {
    who: &'static str,
    /// Computes the function this many times.
    run: Box<dyn FnMut(usize) + 'a>,
}

/// An implementation that computes the function once per call.
fn one_by_one<'a, T>(who: &'static str, mut once: impl FnMut() -> T + 'a) -> Computes<'a> {
    let run = move |times| {
        for _ in 0..times {
            black_box(once());
        }
    };
    Computes { who, run: Box::new(run) }
}

/// Measures all native functions.
///
/// # Errors
/// If two implementations disagree, which is a bug in one of them.
pub fn measure(sizes: &Sizes) -> anyhow::Result<NativeFigures> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let contests = vec![
        poseidon::<2>("H_2", sizes, &mut rng)?,
        poseidon::<3>("H_3", sizes, &mut rng)?,
        eddsa(sizes, &mut rng)?,
    ];
    let (page_entries, page_size) = pages(sizes, &mut rng)?;
    Ok(NativeFigures { contests, page_entries, page_size })
}

/// Runs all implementations alternately. In each of `turns` turns, each of them computes the
/// function `repetitions` times. The first implementation is ours.
fn contest(what: &str, turns: usize, repetitions: usize, mut all: Vec<Computes<'_>>) -> Contest {
    let mut each: Vec<Vec<f64>> = vec![Vec::new(); all.len()];
    for _ in 0..turns {
        for (entrant, each) in all.iter_mut().zip(&mut each) {
            let ((), took) = timed(|| (entrant.run)(repetitions));
            each.push(took.as_secs_f64() / repetitions as f64);
        }
    }
    let ours = each[0].clone();
    let entrants = all.iter().zip(each).map(|(entrant, each)| Entrant {
        who: entrant.who.to_owned(),
        ratio: Spread::of(each.iter().zip(&ours).map(|(theirs, ours)| theirs / ours)),
        each: Spread::of(each),
    });
    Contest { what: what.to_owned(), entrants: entrants.collect() }
}

fn poseidon<const N: usize>(
    what: &str,
    sizes: &Sizes,
    rng: &mut ChaCha20Rng,
) -> anyhow::Result<Contest> {
    let inputs: [F; N] = std::array::from_fn(|_| F::rand(rng));
    let mut light = Poseidon::<F>::new_circom(N)?;
    let iden3 = poseidon_rs::Poseidon::new();
    let theirs = |x: &F| poseidon_rs::Fr::from_str(&x.to_string());
    let converted: Option<Vec<_>> = inputs.iter().map(theirs).collect();
    let converted =
        converted.ok_or_else(|| anyhow::anyhow!("poseidon-rs rejects a field element"))?;

    let ours = hash(Tag::Circomlib, inputs);
    anyhow::ensure!(hash_each(Tag::Circomlib, &[inputs]) == [ours], "hash_each and hash disagree");
    anyhow::ensure!(light.hash(&inputs)? == ours, "light-poseidon has another digest");
    let hashed = iden3.hash(converted.clone()).map_err(anyhow::Error::msg)?;
    anyhow::ensure!(Some(hashed) == theirs(&ours), "poseidon-rs has another digest");

    let many = [inputs; AT_A_TIME];
    let at_a_time = |times: usize| {
        let mut left = times;
        while left > 0 {
            let now = left.min(AT_A_TIME);
            black_box(hash_each(Tag::Circomlib, black_box(&many[..now])));
            left -= now;
        }
    };
    let all = vec![
        one_by_one("Rootfold", || hash(Tag::Circomlib, black_box(inputs))),
        Computes { who: "Rootfold, many at a time", run: Box::new(at_a_time) },
        one_by_one("light-poseidon", || light.hash(black_box(&inputs))),
        one_by_one("poseidon-rs", || iden3.hash(black_box(converted.clone()))),
    ];
    Ok(contest(what, sizes.turns, sizes.repetitions, all))
}

fn eddsa(sizes: &Sizes, rng: &mut ChaCha20Rng) -> anyhow::Result<Contest> {
    let secret = SecretKey::random(rng);
    let message = F::rand(rng);
    let (key, signature) = (secret.public_key(), secret.sign(message));
    verify(&key, message, &signature)?;

    let iden3 = babyjubjub_rs::PrivateKey::import(rng.gen::<[u8; 32]>().to_vec());
    let iden3 = iden3.map_err(anyhow::Error::msg)?;
    let their_message = message.into_bigint().to_string().parse::<num_bigint::BigInt>()?;
    let their_signature = iden3.sign(their_message.clone()).map_err(anyhow::Error::msg)?;
    let their_key = iden3.public();
    let check = || {
        let (key, signature) = (their_key.clone(), their_signature.clone());
        babyjubjub_rs::verify(key, signature, their_message.clone())
    };
    anyhow::ensure!(check(), "babyjubjub-rs rejects its own signature");

    let all = vec![
        one_by_one("Rootfold", || verify(&key, black_box(message), &signature)),
        one_by_one("babyjubjub-rs", check),
    ];
    let repetitions = sizes.repetitions.div_ceil(EDDSA_HASHES);
    Ok(contest("EdDSA verification", sizes.turns, repetitions, all))
}

/// Checks all pages of a tree. Returns the checked entries per second, and the average number of
/// entries per leaf.
fn pages(sizes: &Sizes, rng: &mut ChaCha20Rng) -> anyhow::Result<(Spread, f64)> {
    let count = PAGE_ENTRIES.min(sizes.keys);
    let mut entries: Vec<Entry> = random(1)
        .take(count)
        .map(|(key, value)| Entry { key, value, stamp: Stamp { ts: rng.gen(), writer: 1 } })
        .chain([Entry::start_sentinel(), Entry::end_sentinel()])
        .collect();
    entries.sort_by_key(|entry| entry.key);
    let built = build(&entries);
    let leaves = built.pages.iter().filter(|(_, page)| page.rank() == 0).count();
    let encoded: Vec<(F, Vec<u8>)> =
        built.pages.iter().map(|(name, page)| (*name, page.encode(&|_| None))).collect();
    let mut rates = Vec::with_capacity(sizes.turns);
    for _ in 0..sizes.turns {
        let (checked, took) = timed(|| {
            encoded.iter().try_for_each(|(name, bytes)| Page::check(name, bytes).map(drop))
        });
        checked?;
        rates.push(entries.len() as f64 / took.as_secs_f64());
    }
    Ok((Spread::of(rates), entries.len() as f64 / leaves as f64))
}
