//! Whole nodes in a simulated network: partitions, links that hold and slow, crashes that lose what was
//! not synced, clocks that are wrong, forked logs, and peers that lie. One thread, one source of
//! randomness: each seed runs twice, and the two traces must be equal.
//!
//! `ROOTFOLD_SIM_SEEDS` sets the number of seeds of a campaign (64), `ROOTFOLD_SEED` runs a single one
//! and prints its trace.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;

mod host;
mod network;
mod record;
mod scenario;
mod store;

use std::collections::BTreeSet;

use record::Event;
use scenario::run;

/// Seeds that have failed once.
const REGRESSIONS: [u64; 0] = [];

/// Runs a seed twice; returns the rare events of it.
fn twice(seed: u64) -> BTreeSet<Event> {
    println!("ROOTFOLD_SEED={seed}");
    let (first, second) = (run(seed), run(seed));
    let differs = first.trace.iter().zip(&second.trace).position(|(one, two)| one != two);
    if let Some(line) = differs {
        panic!(
            "seed {seed}, line {line}: {:?} and then {:?}",
            first.trace[line], second.trace[line]
        );
    }
    assert_eq!(first.trace.len(), second.trace.len(), "seed {seed}");
    first.events
}

fn seeds() -> u64 {
    let set = std::env::var("ROOTFOLD_SIM_SEEDS").ok();
    set.map_or(64, |seeds| seeds.parse().expect("ROOTFOLD_SIM_SEEDS is a number"))
}

#[test]
fn failed_seeds_stay_mended() {
    if let Ok(seed) = std::env::var("ROOTFOLD_SEED") {
        let seed = seed.parse().expect("ROOTFOLD_SEED is a number");
        for line in run(seed).trace {
            println!("{line}");
        }
    }
    for seed in REGRESSIONS {
        twice(seed);
    }
}

/// A campaign counts only if each rare event that it is meant to cover has happened.
#[test]
fn a_campaign_of_seeds() {
    let mut seen = BTreeSet::new();
    for seed in 0..seeds() {
        seen.extend(twice(seed));
    }
    let missing: Vec<Event> =
        Event::ALL.into_iter().filter(|event| !seen.contains(event)).collect();
    assert!(missing.is_empty(), "the campaign did not cover {missing:?}");
}
