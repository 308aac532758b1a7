//! Compares two ways to start a replica on one core: bootstrap from a proof, and replay of logs.
//!
//! Both run in this process and use the code that a node runs on received messages. They decode all
//! messages, check every page, link, signature and value, and end with the complete state. Neither
//! includes sockets or the disk. The lengths of the messages are reported too.

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

/// Bytes that gRPC adds before every message: a flag and a length.
const GRPC_PREFIX: usize = 5;
/// A state is checked repeatedly until this many entries were checked in total, within [`SAMPLES`].
const ENOUGH_ENTRIES: usize = 50_000;
/// The largest and the smallest number of samples of a state.
const SAMPLES: (usize, usize) = (9, 1);

/// Measures the replay of histories and the bootstrap into states.
///
/// # Errors
/// If a generated log or state is rejected, which is a bug.
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

/// Replays the longest history, and records the elapsed time at the length of each shorter one.
/// Returns these figures, and the time of one op.
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
        anyhow::ensure!(root == build(&log.entries()).root, "the replay gives another root");
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

/// The entries, which are ordered by key, between the two sentinels.
fn with_sentinels<'a>(entries: impl Iterator<Item = (&'a Key, &'a Entry)>) -> Vec<Entry> {
    let mut all = vec![Entry::start_sentinel()];
    all.extend(entries.map(|(_, entry)| *entry));
    all.push(Entry::end_sentinel());
    all
}
