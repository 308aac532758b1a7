//! What a writer costs the others who has made one node of the tree large:
//! `cargo run --release --example ground_keys -- KEYS` (100000). Writer 8 has KEYS keys of height 0, one after the
//! other. Writers 0 to 7 write 8 ops each into 1,000 keys of their own, or among the shared keys. Prints
//! the constraints per op without these keys, with them, and once honest writers have divided the node.

use std::{env, error::Error};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rootfold_benches::loads::{LoadSpace, Put};
use rootfold_core::{
    height::key_height,
    key::Key,
    step::SCATTERED,
    value::{tombstone, value_digest},
};

/// The honest writers, and the ops of each.
const WRITERS: u32 = 8;
const OPS: usize = 8;
/// The keys that an honest writer has.
const OWN: u32 = 1_000;

type Failure = Box<dyn Error>;

/// Constraints of a segment without its slots, an op slot, a merge row and a tree row (`docs/circuits.md`).
const COSTS: [usize; 4] = [8_182, 1_790, 926, 561];

fn main() -> Result<(), Failure> {
    let keys: usize = env::args().nth(1).map_or(Ok(100_000), |arg| arg.parse())?;
    let owned: fn(u32, u32) -> Result<Key, Failure> =
        |writer, n| Ok(Key::owned(writer, &n.to_be_bytes())?);
    let shared: fn(u32, u32) -> Result<Key, Failure> = |_, n| Ok(Key::shared(&n.to_be_bytes())?);
    println!("| keys | without | {keys} ground keys | while they are divided | afterwards |");
    println!("|---|---|---|---|---|");
    row("each writer's own", owned, keys)?;
    row("shared", shared, keys)
}

fn row(name: &str, key: fn(u32, u32) -> Result<Key, Failure>, keys: usize) -> Result<(), Failure> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut any = || value_digest(&rng.gen::<[u8; 16]>());
    let mut honest: Vec<Put> = Vec::new();
    for writer in 0..WRITERS {
        for n in 0..OWN {
            honest.push((key(writer, writer + WRITERS * 97 * n)?, any()));
        }
    }
    let mut ground: Vec<Put> = Vec::new();
    for n in 0.. {
        if ground.len() == keys {
            break;
        }
        let key = key(WRITERS, n)?;
        if key_height(&key) == 0 {
            ground.push((key, any()));
        }
    }
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let mut puts: Vec<Put> = Vec::new();
    for writer in 0..WRITERS {
        // The last key of each writer is among them: behind it, another's keys follow.
        let mut numbers = vec![OWN - 1];
        numbers.extend((1..OPS).map(|_| rng.gen_range(0..OWN)));
        for n in numbers {
            puts.push((key(writer, writer + WRITERS * 97 * n)?, any()));
        }
    }
    let before = cost(&mut LoadSpace::new(1, 9, &honest), &puts)?;
    let mut space = LoadSpace::new(1, 9, &[honest, ground].concat());
    let attacked = cost(&mut space, &puts)?;
    // What the library adds to the same ops.
    let mut divided = Vec::new();
    for put in &puts {
        divided.push(*put);
        let fence = space.crowd(&put.0)?.and_then(|crowd| crowd.fence(&put.0));
        divided.push((fence.unwrap_or(put.0), fence.map_or(any(), |_| tombstone())));
    }
    let dividing = cost_of(&mut space, &divided, 2 * OPS)?;
    let afterwards = cost(&mut space, &puts)?;
    println!("| {name} | {before} | {attacked} | {dividing} | {afterwards} |");
    Ok(())
}

fn cost(space: &mut LoadSpace, puts: &[Put]) -> Result<usize, Failure> {
    cost_of(space, puts, OPS)
}

/// The constraints per op of an epoch of these puts, which is then folded.
fn cost_of(space: &mut LoadSpace, puts: &[Put], per_writer: usize) -> Result<usize, Failure> {
    let epoch = space.sign(puts, per_writer)?;
    let usage = space.plan(&epoch, &SCATTERED)?.plan.usage;
    space.fold(&epoch)?;
    let used = [usage.segments, usage.op_slots, usage.merge_rows, usage.tree_rows];
    let total: usize = used.iter().zip(COSTS).map(|(share, cost)| share.used * cost).sum();
    Ok(total / puts.len())
}
