//! Generates logs as a node sends them, and replays them.

use std::collections::BTreeMap;

use prost::Message;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rayon::prelude::*;
use rootfold_core::{
    eddsa::SecretKey,
    head::{signed_message, Head},
    item::Entry,
    key::Key,
    log::{LogBatch, Op, SignedOp, Tip},
    run::extend,
    space::{Genesis, Sharing},
    value::value_digest,
    F,
};
use rootfold_light::{
    messages,
    submission::Submission,
    values::{Value, ValueName},
};
use rootfold_proto::v1;

use super::with_sentinels;

/// Number of writers.
const WRITERS: usize = 32;
/// Number of ops per signature.
pub const OPS_PER_SIGNATURE: usize = 8;
/// Length of every value in bytes.
pub const VALUE_BYTES: usize = 32;
/// The largest number of ops in a message. With their values, they are below the size limit of a
/// message.
const MESSAGE_OPS: usize = 4096;

/// The growing logs of a space. The first ops write each key once, later ops write random keys.
pub struct Log {
    genesis: Genesis,
    writers: Vec<Writer>,
    rng: ChaCha20Rng,
    keys: usize,
    ops: usize,
    state: BTreeMap<Key, (Entry, [u8; VALUE_BYTES])>,
}

struct Writer {
    secret: SecretKey,
    tip: Tip,
}

impl Log {
    /// Empty logs, whose ops will write `keys` different keys.
    pub fn new(keys: usize) -> Log {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let secrets: Vec<SecretKey> = (0..WRITERS).map(|_| SecretKey::random(&mut rng)).collect();
        let writers = secrets.iter().map(SecretKey::public_key).collect();
        let genesis = Genesis::new(F::from(rng.gen::<u128>()), Sharing::Everyone, writers);
        let genesis = genesis.expect("the number of writers and their keys are valid");
        let tips = genesis.heads().into_iter().map(|(_, tip)| tip);
        let writers = secrets.into_iter().zip(tips).map(|(secret, tip)| Writer { secret, tip });
        let writers = writers.collect();
        Log { genesis, writers, rng, keys, ops: 0, state: BTreeMap::new() }
    }

    /// The genesis config of the space.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The number of ops in the next message, at most `limit`, and the message. It has at most one
    /// batch per writer.
    pub fn next_message(&mut self, limit: usize) -> (usize, v1::LogEntriesResponse) {
        let ops = limit.min(MESSAGE_OPS);
        let puts: Vec<(Op, [u8; VALUE_BYTES])> = (0..ops).map(|_| self.next_put()).collect();
        // A multiple of the run length, so that only the last run can be short.
        let part = ops.div_ceil(WRITERS).next_multiple_of(OPS_PER_SIGNATURE);
        let parts: Vec<_> = puts.chunks(part).collect();
        let batches: Vec<LogBatch> = (0u32..)
            .zip(&mut self.writers)
            .zip(parts)
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|((id, writer), part)| writer.batch(id, part.iter().map(|(op, _)| *op)))
            .collect();
        let entries = batches
            .iter()
            .flat_map(|batch| batch.ops.iter().map(|signed| signed.op.entry(batch.writer)));
        for (entry, (_, content)) in entries.zip(&puts) {
            self.state.insert(entry.key, (entry, *content));
        }
        let values = puts.iter().map(|(_, content)| Value::user(content.to_vec())).collect();
        let submission = messages::submission_out(&Submission { batches, values });
        (
            ops,
            v1::LogEntriesResponse {
                submission: Some(submission),
                not_held: Vec::new(),
                holders: Vec::new(),
            },
        )
    }

    fn next_put(&mut self) -> (Op, [u8; VALUE_BYTES]) {
        let index = match self.ops < self.keys {
            true => self.ops,
            false => self.rng.gen_range(0..self.keys),
        };
        self.ops += 1;
        let content: [u8; VALUE_BYTES] = self.rng.gen();
        let digest = blake3::hash(&index.to_be_bytes());
        let key = Key::shared(&digest.as_bytes()[..16]).expect("a key of 16 bytes is valid");
        let op = Op { more: false, ts: self.ops as u64, key, value: value_digest(&content) };
        (op, content)
    }

    /// All entries of the tree, ordered by key, with the sentinels.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries: BTreeMap<Key, Entry> = self.heads().collect();
        entries.extend(self.state.iter().map(|(key, (entry, _))| (*key, *entry)));
        with_sentinels(entries.iter())
    }

    /// The bytes whose digest is the entry's value: a user value, or the head of a writer.
    pub fn value(&self, entry: &Entry) -> Option<Vec<u8>> {
        let head = |writer: &Writer| writer.tip.head;
        match self.state.get(&entry.key) {
            Some((_, content)) => Some(content.to_vec()),
            None => {
                let writer = self.writers.get(usize::try_from(entry.stamp.writer).ok()?)?;
                Some(Head::to_bytes(&head(writer)).to_vec())
            }
        }
    }

    fn heads(&self) -> impl Iterator<Item = (Key, Entry)> + '_ {
        let tips = (0u32..).zip(&self.writers);
        tips.map(|(id, writer)| (Key::head(id), writer.tip.entry(id)))
    }
}

impl Writer {
    /// Appends ops to the log. Signs one op in [`OPS_PER_SIGNATURE`], and the last one.
    fn batch(&mut self, id: u32, ops: impl Iterator<Item = Op>) -> LogBatch {
        let first_seq = self.tip.seq(id).expect("the log has fewer than 2^64 ops");
        let mut signed: Vec<SignedOp> = Vec::new();
        for op in ops {
            self.tip = self.tip.apply(id, &op).expect("the clock grows");
            let head = self.tip.head;
            let run_ends = (signed.len() + 1).is_multiple_of(OPS_PER_SIGNATURE);
            let sign = || self.secret.sign(signed_message(head.head, head.seq));
            signed.push(SignedOp { op, signature: run_ends.then(sign) });
        }
        if let Some(last) = signed.last_mut() {
            let head = self.tip.head;
            let message = signed_message(head.head, head.seq);
            last.signature.get_or_insert_with(|| self.secret.sign(message));
        }
        LogBatch { writer: id, first_seq, ops: signed }
    }
}

/// A replica that checks and folds logs as it receives them.
pub struct Replay {
    tips: BTreeMap<u32, Tip>,
    state: BTreeMap<Key, Entry>,
}

impl Replay {
    /// A replica that has received the genesis config only.
    pub fn new(genesis: &Genesis) -> Replay {
        Replay { tips: genesis.heads().into_iter().collect(), state: BTreeMap::new() }
    }

    /// Decodes a message, checks every op, link, signature and value, and keeps the latest op of
    /// each key.
    pub fn take(&mut self, message: &[u8]) -> anyhow::Result<()> {
        let message = v1::LogEntriesResponse::decode(message)?;
        let submission = messages::submission_in(message.submission)?;
        let mut values = std::collections::BTreeSet::new();
        for value in &submission.values {
            value.check()?;
            values.insert(value.name);
        }
        for batch in &submission.batches {
            let tip = self.tips.get(&batch.writer);
            let tip = tip.ok_or_else(|| anyhow::anyhow!("unknown writer {}", batch.writer))?;
            let tip = extend(tip, &|writer| self.tips.contains_key(&writer), batch)?.after();
            self.tips.insert(batch.writer, tip);
            for signed in &batch.ops {
                let entry = signed.op.entry(batch.writer);
                let named = ValueName::of(&entry.key, entry.value);
                let held = named.is_none_or(|name| values.contains(&name));
                anyhow::ensure!(held, "the value of an op is missing");
                let youngest = self.state.entry(entry.key).or_insert(entry);
                if youngest.stamp < entry.stamp {
                    *youngest = entry;
                }
            }
        }
        Ok(())
    }

    /// All entries of the tree, ordered by key, with the sentinels.
    pub fn entries(&self) -> Vec<Entry> {
        let heads = self.tips.iter().map(|(writer, tip)| (Key::head(*writer), tip.entry(*writer)));
        let mut entries: BTreeMap<Key, Entry> = heads.collect();
        entries.extend(self.state.iter().map(|(key, entry)| (*key, *entry)));
        with_sentinels(entries.iter())
    }
}
