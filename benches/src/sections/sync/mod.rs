//! A new replica: from a proof and from the logs, on one core, with what comes over the wire.
//!
//! Both sides run the code that a node runs on what it receives, in process: messages are decoded,
//! every page, link, signature and value is checked, and the state is there at the end. What is
//! left out is the same on both sides: sockets and the disk.

mod history;
mod snapshot;

use prost::Message;
use rootfold_core::{item::Entry, key::Key, tree::build};

use super::sizes::Sizes;
use crate::{
    measure::{repeated, timed, Spread},
    report::{HistoryFigures, StateFigures, SyncFigures},
};
use history::{Log, Replay, OPS_PER_SIGNATURE, VALUE_BYTES};
use snapshot::Snapshot;

/// gRPC puts a flag and a length before every message.
const GRPC_PREFIX: usize = 5;
/// Entries that are checked at least, all samples together, to measure a small state.
const ENOUGH_ENTRIES: usize = 50_000;
/// Samples of a state at most and at least.
const SAMPLES: (usize, usize) = (9, 1);

/// Measures histories and states.
///
/// # Errors
/// If what was made is refused, which is a bug.
pub fn measure(sizes: &Sizes) -> anyhow::Result<SyncFigures> {
    let (histories, replay_op) = replay(sizes)?;
    let mut states = Vec::new();
    for keys in &sizes.states {
        tracing::info!(keys, "a state");
        states.push(state(*keys)?);
    }
    Ok(SyncFigures {
        ops_per_signature: OPS_PER_SIGNATURE,
        value_bytes: VALUE_BYTES,
        keys: sizes.history_keys,
        histories,
        replay_op,
        states,
    })
}

/// Replays one history and takes its time wherever a shorter one would have ended.
fn replay(sizes: &Sizes) -> anyhow::Result<(Vec<HistoryFigures>, Spread)> {
    let mut log = Log::new(sizes.history_keys);
    let mut replay = Replay::new(log.genesis());
    let (mut ops, mut seconds, mut bytes) = (0, 0.0, 0);
    let mut each = Vec::new();
    let mut figures = Vec::new();
    for end in &sizes.histories {
        tracing::info!(ops = end, "replaying");
        while ops < *end {
            let (count, message) = log.next_message(*end - ops);
            let message = message.encode_to_vec();
            let (done, took) = timed(|| replay.take(&message));
            done?;
            ops += count;
            bytes += (message.len() + GRPC_PREFIX) as u64;
            seconds += took.as_secs_f64();
            each.push(took.as_secs_f64() / count as f64);
        }
        let (root, took) = timed(|| build(&replay.entries()).root);
        anyhow::ensure!(root == build(&log.entries()).root, "a replay of another tree");
        figures.push(HistoryFigures { ops, replay: seconds + took.as_secs_f64(), bytes });
    }
    Ok((figures, Spread::of(each)))
}

fn state(keys: usize) -> anyhow::Result<StateFigures> {
    let mut log = Log::new(keys);
    // The first ops write every key once.
    let mut ops = 0;
    while ops < keys {
        ops += log.next_message(keys - ops).0;
    }
    let snapshot = Snapshot::of(&log);
    let samples = ENOUGH_ENTRIES.div_ceil(keys).clamp(SAMPLES.1, SAMPLES.0);
    let check = repeated(samples, || snapshot.receive())?;
    Ok(StateFigures { keys, pages: snapshot.pages(), check, bytes: snapshot.bytes() })
}

/// Entries in the order of keys between the sentinels.
fn with_sentinels<'a>(entries: impl Iterator<Item = (&'a Key, &'a Entry)>) -> Vec<Entry> {
    let mut all = vec![Entry::start_sentinel()];
    all.extend(entries.map(|(_, entry)| *entry));
    all.push(Entry::end_sentinel());
    all
}
