//! A run of one seed: the hosts, what befalls them, and what must be true at the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};
use rootfold_core::{field, log::Tip};

use super::{
    host::{Liar, Node},
    record::{Outcome, Record},
    store::SimStore,
};
use crate::common::proved::proved;

const HONEST: [&str; 3] = ["ada", "ben", "cyd"];
/// The time in which things go wrong.
const TROUBLE: Duration = Duration::from_secs(25);
const END: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_millis(5);

/// Runs a seed.
///
/// # Panics
/// If the honest nodes do not agree at the end.
pub fn run(seed: u64) -> Outcome {
    align_task_ids();
    let mut rng = StdRng::seed_from_u64(seed);
    let record = Record::default();
    let mut sim = turmoil::Builder::new()
        .rng_seed(seed)
        .tick_duration(TICK)
        .simulation_duration(END + TROUBLE)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(rng.gen_range(5..80)))
        .tcp_capacity(4_096)
        .build();
    let forks = rng.gen_bool(0.3);
    let skewed = rng.gen_bool(0.25);
    let mut liars = Liar::ALL.to_vec();
    liars.shuffle(&mut rng);
    let names = ["mal", "eve"];
    for (name, liar) in names.into_iter().zip(liars) {
        sim.host(name, move || liar.run());
    }
    for (index, name) in HONEST.into_iter().enumerate() {
        let others = HONEST.into_iter().filter(|other| *other != name);
        let honest: Vec<String> = others.map(str::to_owned).collect();
        let records = if index == 0 { proved().world.dump() } else { Vec::new() };
        let own = u32::try_from(index).unwrap();
        let node = Node {
            name,
            store: Arc::new(SimStore::new(records)),
            peers: honest.iter().cloned().chain(names.map(str::to_owned)).collect(),
            honest,
            // Ben and Cyd share a key: a fork, unless each sees the other's ops in time.
            writers: if forks && index == 1 { vec![1, 2] } else { vec![own] },
            clock_ahead: if skewed && index == 2 { 1_200_000 } else { 0 },
            seed: seed.wrapping_mul(1_000_003).wrapping_add(own.into()),
            quiet_after: TROUBLE,
            record: record.clone(),
        };
        sim.host(name, move || node.clone().run());
    }
    trouble(&mut sim, &mut rng, &record);
    while sim.elapsed() < END {
        sim.step().unwrap();
    }
    check(&record, seed, skewed);
    drop(sim);
    record.take()
}

/// The ids of tokio's tasks are numbers of the process, and a runtime that is dropped, as in a crash,
/// drops its tasks in an order that depends on the last bits of their ids. Each run begins with the same
/// ones.
fn align_task_ids() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        loop {
            let task = tokio::spawn(async {});
            let id: u64 = task.id().to_string().parse().unwrap();
            task.await.unwrap();
            if id.is_multiple_of(1024) {
                break;
            }
        }
    });
}

/// Crashes hosts and disturbs links at random, then repairs everything.
fn trouble(sim: &mut turmoil::Sim<'_>, rng: &mut StdRng, record: &Record) {
    let mut next = Duration::from_millis(rng.gen_range(20..400));
    let mut down: Option<&str> = None;
    while sim.elapsed() < TROUBLE {
        sim.step().unwrap();
        if sim.elapsed() < next {
            continue;
        }
        next = sim.elapsed() + Duration::from_millis(rng.gen_range(100..2_500));
        let mut pair = HONEST;
        pair.shuffle(rng);
        let (one, two) = (pair[0], pair[1]);
        let what = match rng.gen_range(0..7) {
            0 => {
                sim.partition(one, two);
                format!("partition of {one} and {two}")
            }
            1 | 2 => {
                sim.repair(one, two);
                sim.release(one, two);
                format!("{one} and {two} are connected")
            }
            3 => {
                sim.hold(one, two);
                format!("messages between {one} and {two} are held")
            }
            4 => {
                sim.set_link_latency(one, two, Duration::from_millis(rng.gen_range(100..900)));
                format!("{one} and {two} are far from each other")
            }
            _ => match down.take() {
                None => {
                    sim.crash(one);
                    down = Some(one);
                    format!("{one} crashes")
                }
                Some(name) => {
                    sim.bounce(name);
                    format!("{name} starts again")
                }
            },
        };
        record.line("-", &what);
    }
    if let Some(name) = down {
        sim.bounce(name);
    }
    for one in HONEST {
        for two in HONEST.into_iter().filter(|two| *two != one) {
            sim.repair(one, two);
            sim.release(one, two);
            sim.set_link_latency(one, two, Duration::from_millis(10));
        }
    }
}

/// All honest nodes have the same logs of all honest writers, and evidence of every fork; without a fork
/// they have one root.
fn check(record: &Record, seed: u64, skewed: bool) {
    let recorded = record.recorded();
    let last: Vec<&String> = recorded.outcome.trace.iter().rev().take(30).collect();
    let why = || format!("seed {seed}: {last:#?}");
    assert_eq!(recorded.spaces.len(), HONEST.len(), "{}", why());
    let tips: Vec<BTreeMap<u32, Tip>> =
        recorded.spaces.values().map(|space| space.writers().into_iter().collect()).collect();
    let mut apart = false;
    for writer in tips[0].keys() {
        // The ops of a node whose clock is ahead are held back by the others.
        if skewed && *writer == 2 {
            apart = true;
            continue;
        }
        let heads: BTreeSet<_> =
            tips.iter().map(|tips| field::to_hex(&tips[writer].head.head)).collect();
        if heads.len() > 1 {
            apart = true;
            let evidence = recorded.spaces.values().all(|space| space.forks().contains_key(writer));
            assert!(evidence, "writer {writer} differs without evidence; {}", why());
        }
    }
    let roots: BTreeSet<_> =
        recorded.spaces.values().map(|space| field::to_hex(&space.status().root)).collect();
    assert!(apart || roots.len() == 1, "{}", why());
    for space in recorded.spaces.values() {
        let pages = rootfold_core::tree::pages_below(space.page_store(), space.status().root);
        assert!(pages.into_iter().all(|page| page.is_ok()), "{}", why());
    }
}
