//! The ops after a snapshot, for a client that has no store.
//!
//! A node can be asked for the state of its newest snapshot, which a proof covers, and for the ops after it.
//! [`Tail`] checks that these ops continue logs from the heads under the proved root, and keeps the entry
//! of each key that they win. So a client reads the latest state without trust: what the tail has is signed,
//! the rest is proven. A node can withhold ops. It cannot make any.
//!
//! Where the owner replaces the head of a log, the tail of the owner's log and of that log ends: what follows
//! is seen under the next snapshot.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use rootfold_core::{
    item::Entry,
    key::{Key, KeyKind},
    log::{LogBatch, LogError, Op, SignedOp, Tip},
    mark::{is_of, order_of, Mark},
    run::extend,
    value::tombstone,
};
use thiserror::Error;

use crate::{
    answer::{FindAnswer, Hit, ManyAnswer, RangeAnswer},
    query::{FindQuery, RangeQuery, Voucher},
    submission::Submission,
    values::{open_head, ValueError, ValueName},
};

/// The largest number of ops of a tail. A node that proves publishes long before.
pub const MAX_TAIL_OPS: usize = 65_536;
/// The largest number of bytes of the values of a tail.
pub const MAX_TAIL_BYTES: usize = 64 << 20;

/// Why ops are refused.
#[derive(Debug, Error)]
pub enum TailError {
    /// The ops do not continue the log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A value, or the head of a writer, does not match its digest.
    #[error("bad value: {0}")]
    Value(#[from] ValueError),
    /// The opening of a writer's head is missing.
    #[error("writer {writer}: the head is missing")]
    NoHead {
        /// The writer.
        writer: u32,
    },
    /// More than [`MAX_TAIL_OPS`] ops, or values of more than [`MAX_TAIL_BYTES`].
    #[error("too many ops after the snapshot; wait for the next one")]
    TooLong,
}

/// An entry of the latest state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The order of the mark by which it was found, without zero bytes at its end; empty otherwise.
    pub order: Vec<u8>,
    /// The entry.
    pub entry: Entry,
    /// The value, checked against its digest; `None` for a tombstone, or if nobody has sent it.
    pub value: Option<Vec<u8>>,
    /// What vouches for it: proven, or signed if it comes from the tail.
    pub vouched_by: Voucher,
}

/// A part of a range or an index in the latest state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The entries in the requested order, including tombstones of a range.
    pub entries: Vec<Found>,
    /// Where the rest begins, in the form of [`PageToken::key`](crate::query::PageToken::key); `None` if there is
    /// no rest.
    pub next: Option<Key>,
}

/// The ops after a snapshot.
#[derive(Debug, Clone, Default)]
pub struct Tail {
    tips: BTreeMap<u32, Tip>,
    /// For each application key, the entry with the greatest stamp, and its marks.
    entries: BTreeMap<Key, (Entry, BTreeSet<Key>)>,
    /// The primary keys of the marks of `entries`.
    marks: BTreeMap<Key, Key>,
    values: BTreeMap<ValueName, Vec<u8>>,
    /// The writers whose tail ends at the replacement of a head.
    ended: BTreeSet<u32>,
    bytes: usize,
    ops: usize,
}

impl Tail {
    /// Adds the heads of writers under the proved root: the answer to a request for their head keys.
    ///
    /// # Errors
    /// [`TailError`] if the opening of a head is missing or not one.
    pub fn add_heads(&mut self, answer: &ManyAnswer) -> Result<(), TailError> {
        for entry in answer.entries.values().flatten() {
            let KeyKind::Head(writer) = entry.key.kind() else { continue };
            let value = ValueName::of_entry(entry).and_then(|name| answer.values.get(&name));
            let head = open_head(value.ok_or(TailError::NoHead { writer })?)?;
            self.tips.insert(writer, Tip { head, stamp: entry.stamp });
        }
        Ok(())
    }

    /// The end of a writer's log; `None` if their head was not added and they were not admitted since.
    pub fn tip(&self, writer: u32) -> Option<&Tip> {
        self.tips.get(&writer)
    }

    /// The ends of all logs whose heads are known, by writer.
    pub fn tips(&self) -> impl Iterator<Item = (u32, &Tip)> {
        self.tips.iter().map(|(writer, tip)| (*writer, tip))
    }

    /// The number of ops.
    pub fn ops(&self) -> usize {
        self.ops
    }

    /// Checks ops and takes them. Those that it has are skipped. Returns the number of new ones.
    ///
    /// # Errors
    /// [`TailError`] for the first batch that is refused; the batches before it are taken.
    pub fn take(&mut self, submission: &Submission) -> Result<usize, TailError> {
        let offered: BTreeMap<_, _> =
            submission.values.iter().map(|value| (value.name, value)).collect();
        let mut taken = 0;
        for batch in &submission.batches {
            let Some(fresh) = self.fresh(batch)?.and_then(|fresh| self.before_replacement(fresh))
            else {
                continue;
            };
            if self.ops + fresh.ops.len() > MAX_TAIL_OPS {
                return Err(TailError::TooLong);
            }
            let writer = batch.writer;
            let tip = *self.tips.get(&writer).ok_or(LogError::UnknownWriter { writer })?;
            let run = extend(&tip, &|writer| self.tips.contains_key(&writer), &fresh)?;
            let mut values = BTreeMap::new();
            for op in run.ops() {
                let name = ValueName::of(&op.key, op.value);
                let offer = name.and_then(|name| offered.get(&name));
                let Some(value) = offer.filter(|value| !self.values.contains_key(&value.name))
                else {
                    continue;
                };
                value.check()?;
                values.insert(value.name, value.content.clone());
            }
            let bytes: usize = values.values().map(Vec::len).sum();
            if self.bytes + bytes > MAX_TAIL_BYTES {
                return Err(TailError::TooLong);
            }
            self.bytes += bytes;
            self.values.extend(values);
            self.write(writer, run.ops())?;
            self.tips.insert(writer, run.after());
            self.ops += run.ops().len();
            taken += run.ops().len();
        }
        Ok(taken)
    }

    /// The ops of a batch that the tail does not have; `None` if it has all of them.
    fn fresh(&self, batch: &LogBatch) -> Result<Option<LogBatch>, TailError> {
        let writer = batch.writer;
        let tip = self.tips.get(&writer).ok_or(LogError::UnknownWriter { writer })?;
        let held = tip.seq(writer)?.saturating_sub(batch.first_seq);
        let held = usize::try_from(held).unwrap_or(usize::MAX);
        if held >= batch.ops.len() && held > 0 {
            return Ok(None);
        }
        let first_seq = batch.first_seq + held as u64;
        Ok(Some(LogBatch { writer, first_seq, ops: batch.ops[held..].to_vec() }))
    }

    /// The ops of a batch before the owner replaces a head; `None` without any.
    fn before_replacement(&mut self, mut batch: LogBatch) -> Option<LogBatch> {
        if self.ended.contains(&batch.writer) {
            return None;
        }
        let replaced = |signed: &SignedOp| match signed.op.key.kind() {
            KeyKind::Replacement(of) => Some(of),
            _ => None,
        };
        if let Some(first) = batch.ops.iter().position(|signed| replaced(signed).is_some()) {
            self.ended.extend(batch.ops[first..].iter().filter_map(replaced).chain([batch.writer]));
            let signed = batch.ops[..first].iter().rposition(|op| op.signature.is_some());
            batch.ops.truncate(signed.map_or(0, |last| last + 1));
        }
        (!batch.ops.is_empty()).then_some(batch)
    }

    /// Writes the entries of checked ops.
    fn write(&mut self, writer: u32, ops: &[Op]) -> Result<(), TailError> {
        // The key that the next mark is one of, if its op is the latest on it.
        let mut marked = None;
        for op in ops {
            let entry = op.entry(writer);
            match op.key.kind() {
                KeyKind::Index => {
                    let primary = marked.filter(|_| op.value != tombstone());
                    if let Some((_, marks)) = primary.and_then(|key| self.entries.get_mut(&key)) {
                        marks.insert(op.key);
                        self.marks.extend(primary.map(|key| (op.key, key)));
                    }
                }
                KeyKind::Head(granted) => {
                    let name = ValueName::of_entry(&entry);
                    let value = name.and_then(|name| self.values.get(&name));
                    let head = open_head(value.ok_or(TailError::NoHead { writer: granted })?)?;
                    self.tips.insert(granted, Tip { head, stamp: entry.stamp });
                }
                _ => marked = self.win(entry).then_some(op.key),
            }
        }
        Ok(())
    }

    /// Replaces the entry of a key, unless the one before is later.
    fn win(&mut self, entry: Entry) -> bool {
        let before = self.entries.get(&entry.key);
        if before.is_some_and(|(before, _)| before.stamp >= entry.stamp) {
            return false;
        }
        self.remove(&entry.key);
        self.entries.insert(entry.key, (entry, BTreeSet::new()));
        true
    }

    fn remove(&mut self, key: &Key) {
        for mark in self.entries.remove(key).into_iter().flat_map(|(_, marks)| marks) {
            self.marks.remove(&mark);
        }
    }

    /// The shared keys of which the tail has entries. Only of these the proved state may have a later entry:
    /// see [`Tail::compare`]. The clock of an owned key's log always grows.
    pub fn shared_keys(&self) -> impl Iterator<Item = &Key> {
        self.entries.keys().filter(|key| key.kind() == KeyKind::Shared)
    }

    /// Removes the entries that are older than those of the proved state.
    pub fn compare(&mut self, proved: &BTreeMap<Key, Option<Entry>>) {
        for entry in proved.values().flatten() {
            if self.entries.get(&entry.key).is_some_and(|(own, _)| own.stamp <= entry.stamp) {
                self.remove(&entry.key);
            }
        }
    }

    /// The entry of a key, if the tail has a later one than the proved state.
    pub fn get(&self, key: &Key) -> Option<Found> {
        self.entries.get(key).map(|(entry, _)| self.found(entry, &[]))
    }

    fn found(&self, entry: &Entry, order: &[u8]) -> Found {
        let value = ValueName::of_entry(entry).and_then(|name| self.values.get(&name)).cloned();
        Found { order: order.to_vec(), entry: *entry, value, vouched_by: Voucher::Signed }
    }

    /// The latest state of a range: its proved part with the entries of the tail. `query` is the one that was
    /// proved.
    pub fn range(&self, query: &RangeQuery, proved: &RangeAnswer) -> Part {
        let next = proved.next.map(|token| token.key);
        let Some(covered) = query.covered(next) else {
            return Part { entries: Vec::new(), next: None };
        };
        let proven =
            proved.entries.iter().map(|entry| (entry.key, proven(entry, &[], &proved.values)));
        let mut entries: BTreeMap<Key, Found> = proven.collect();
        let own =
            self.entries.range(covered).map(|(key, (entry, _))| (*key, self.found(entry, &[])));
        entries.extend(own);
        part(entries, query, next)
    }

    /// The latest state of the entries of a term.
    pub fn find(&self, query: &FindQuery, proved: &FindAnswer) -> Part {
        let next = proved.next.map(|token| token.key);
        let Some(covered) = query.range().covered(next) else {
            return Part { entries: Vec::new(), next: None };
        };
        let mut entries = BTreeMap::new();
        for Hit { order, entry } in &proved.hits {
            let Ok(mark) = Mark::new(query.term(), order) else { continue };
            if !self.entries.contains_key(&entry.key) {
                entries.insert(mark.key(&entry.key), proven(entry, order, &proved.values));
            }
        }
        for (mark, found) in self.marked(covered) {
            entries.insert(mark, found);
        }
        part(entries, query.range(), next)
    }

    /// The current entries with a mark in a range of index keys.
    fn marked(&self, marks: Range<Key>) -> impl Iterator<Item = (Key, Found)> + '_ {
        self.marks.range(marks).filter_map(|(mark, primary)| {
            let (entry, _) = self.entries.get(primary)?;
            let found = is_of(mark, &primary.digest()) && entry.value != tombstone();
            found.then(|| (*mark, self.found(entry, order_of(mark))))
        })
    }
}

/// An entry of a proved answer.
pub fn proven(entry: &Entry, order: &[u8], values: &BTreeMap<ValueName, Vec<u8>>) -> Found {
    let value = ValueName::of_entry(entry).and_then(|name| values.get(&name)).cloned();
    Found { order: order.to_vec(), entry: *entry, value, vouched_by: Voucher::Proven }
}

/// Puts merged entries in the requested order and cuts them at the limit.
fn part(entries: BTreeMap<Key, Found>, query: &RangeQuery, next: Option<Key>) -> Part {
    let mut entries: Vec<(Key, Found)> = entries.into_iter().collect();
    if query.reverse {
        entries.reverse();
    }
    let limit = query.limit as usize;
    let next = match entries.get(limit) {
        // The first key of the rest; its end, which it does not have, if the order is reversed.
        Some((first, _)) if query.reverse => Some(first.successor()),
        Some((first, _)) => Some(*first),
        None => next,
    };
    entries.truncate(limit);
    Part { entries: entries.into_iter().map(|(_, found)| found).collect(), next }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rootfold_core::{eddsa::SecretKey, replacement::Replacement, stamp::Stamp, F};

    use super::*;
    use crate::{
        answer::AnswerState,
        signing::{compose, grant, replace, Admission, Change},
    };

    fn secret(number: u8) -> SecretKey {
        SecretKey::from_bytes([number; 32])
    }

    fn key(text: &str) -> Key {
        Key::shared(text.as_bytes()).unwrap()
    }

    fn tail() -> Tail {
        let mut tail = Tail::default();
        for writer in [0u32, 1] {
            let public_key = secret(writer as u8 + 1).public_key();
            tail.tips.insert(writer, Tip::genesis(F::from(7u64), writer, public_key, true));
        }
        tail
    }

    fn change(key: Key, value: &str, marks: &[(&str, &str)], at: u64) -> Change {
        let marks =
            marks.iter().map(|(term, order)| Mark::new(term.as_bytes(), order.as_bytes()).unwrap());
        Change { marks: marks.collect(), ..Change::new(key, Some(value.into()), at) }
    }

    fn write(tail: &mut Tail, writer: u32, changes: Vec<Change>) -> Submission {
        let secret = secret(writer as u8 + 1);
        let (submission, _) = compose(tail.tip(writer).unwrap(), writer, &secret, changes).unwrap();
        tail.take(&submission).unwrap();
        submission
    }

    fn state() -> AnswerState {
        AnswerState { root: F::from(1u64), snapshot: None, vouched_by: None }
    }

    fn nothing() -> FindAnswer {
        FindAnswer { state: state(), hits: Vec::new(), values: BTreeMap::new(), next: None }
    }

    fn texts(part: &Part) -> Vec<String> {
        let text = |found: &Found| String::from_utf8(found.value.clone().unwrap()).unwrap();
        part.entries.iter().map(text).collect()
    }

    #[test]
    fn the_latest_op_of_a_key_remains_with_its_marks() {
        let mut tail = tail();
        write(&mut tail, 0, vec![change(key("a"), "one", &[("cats", "1")], 5)]);
        write(&mut tail, 1, vec![change(key("b"), "two", &[("cats", "2"), ("dogs", "2")], 6)]);
        let find = |tail: &Tail, term: &str, reverse| {
            let query = FindQuery::new(term.as_bytes(), 9).unwrap();
            let query = query.with(|range| RangeQuery { reverse, ..range });
            texts(&tail.find(&query, &nothing()))
        };
        assert_eq!(find(&tail, "cats", false), ["one", "two"]);
        assert_eq!(find(&tail, "cats", true), ["two", "one"]);
        // An edit without the tag, and an older op of another writer.
        write(&mut tail, 0, vec![change(key("b"), "three", &[("dogs", "3")], 9)]);
        write(&mut tail, 1, vec![change(key("b"), "late", &[("cats", "4")], 7)]);
        assert_eq!(find(&tail, "cats", false), ["one"]);
        assert_eq!(find(&tail, "dogs", false), ["three"]);
        assert_eq!(tail.get(&key("b")).unwrap().value.unwrap(), b"three");
        // A deletion.
        write(&mut tail, 0, vec![Change::new(key("a"), None, 10)]);
        assert!(find(&tail, "cats", false).is_empty());
        assert_eq!(tail.get(&key("a")).unwrap().value, None);
    }

    #[test]
    fn the_tail_ends_where_a_head_is_replaced() {
        let mut tail = tail();
        write(&mut tail, 1, vec![change(key("a"), "old key", &[], 5)]);
        let before = *tail.tip(1).unwrap();
        let public_key = secret(9).public_key();
        let new = Replacement::Head { writer: 1, before, public_key, shared: true };
        let (owners, _) = replace(tail.tip(0).unwrap(), &secret(1), &new, 6).unwrap();
        assert_eq!(tail.take(&owners).unwrap(), 0);
        let after = Tip { head: new.after().unwrap(), stamp: before.stamp };
        let later = vec![change(key("a"), "new key", &[], 9)];
        let (later, _) = compose(&after, 1, &secret(9), later).unwrap();
        assert_eq!(tail.take(&later).unwrap(), 0, "not refused, and not taken");
        assert_eq!(tail.get(&key("a")).unwrap().value.unwrap(), b"old key");
    }

    #[test]
    fn the_tail_lies_over_the_proved_state() {
        let mut tail = tail();
        write(&mut tail, 0, vec![change(key("b"), "new b", &[("cats", "2")], 50)]);
        write(&mut tail, 0, vec![change(key("c"), "old c", &[("cats", "3")], 51)]);
        let entry = |name: &str, ts| {
            let stamp = Stamp { ts, writer: 1 };
            let value = crate::values::Value::user(name.into());
            (Entry { key: key(name), stamp, value: value.name.digest }, value)
        };
        let proved = [entry("a", 1), entry("b", 2), entry("c", 60 << 16), entry("d", 4)];
        let entries = proved.iter().map(|(entry, _)| (entry.key, Some(*entry))).collect();
        let values: BTreeMap<_, _> =
            proved.iter().map(|(_, value)| (value.name, value.content.clone())).collect();
        tail.compare(&entries);
        let range = |limit, reverse| {
            let query = RangeQuery { reverse, ..RangeQuery::new(key("a")..key("z"), limit) };
            let entries = proved.iter().map(|(entry, _)| *entry).collect();
            let proved =
                RangeAnswer { state: state(), entries, values: values.clone(), next: None };
            tail.range(&query, &proved)
        };
        let all = range(9, false);
        assert_eq!(texts(&all), ["a", "new b", "c", "d"]);
        let vouchers = all.entries.iter().map(|found| found.vouched_by.name());
        assert_eq!(vouchers.collect::<Vec<_>>(), ["proven", "signed", "proven", "proven"]);
        let first = range(2, false);
        assert_eq!((texts(&first), first.next), (vec!["a".into(), "new b".into()], Some(key("c"))));
        let last = range(1, true);
        assert_eq!((texts(&last), last.next), (vec!["d".into()], Some(key("c").successor())));
        let hits = proved.iter().map(|(entry, _)| Hit { order: b"1".to_vec(), entry: *entry });
        let found = FindAnswer { hits: hits.collect(), values: values.clone(), ..nothing() };
        let found = tail.find(&FindQuery::new(b"cats", 9).unwrap(), &found);
        let mut found = texts(&found);
        found.sort();
        assert_eq!(found, ["a", "c", "d", "new b"]);
    }

    #[test]
    fn ops_that_nobody_signed_are_refused() {
        let mut tail = tail();
        let base = tail.clone();
        let honest = write(&mut tail, 1, vec![change(key("a"), "one", &[], 5)]);
        assert_eq!(tail.take(&honest).unwrap(), 0);
        let refused = |change: &dyn Fn(&mut Submission)| {
            let mut submission = honest.clone();
            change(&mut submission);
            let mut tail = base.clone();
            assert!(tail.take(&submission).is_err());
            assert_eq!((tail.ops(), tail.get(&key("a"))), (0, None));
        };
        refused(&|s| s.batches[0].ops[0].op.ts += 1);
        refused(&|s| s.batches[0].ops[0].op.key = key("b"));
        refused(&|s| s.batches[0].writer = 0);
        refused(&|s| s.batches[0].writer = 9);
        refused(&|s| s.batches[0].first_seq = 3);
        refused(&|s| s.values[0].content = b"other".to_vec());
        let mut without = honest;
        without.values.clear();
        let mut tail = base.clone();
        assert_eq!(tail.take(&without).unwrap(), 1);
        assert_eq!(tail.get(&key("a")).unwrap().value, None);
    }

    #[test]
    fn writers_are_admitted_by_the_owner() {
        let mut tail = tail();
        let admission = Admission { writer: 5, public_key: secret(6).public_key(), shared: false };
        let (granted, _) =
            grant(tail.tip(0).unwrap(), &secret(1), F::from(7u64), &admission, 5).unwrap();
        assert_eq!(tail.take(&granted).unwrap(), 1);
        write(&mut tail, 5, vec![change(Key::owned(5, b"post").unwrap(), "mine", &[], 6)]);
        assert!(tail.get(&Key::owned(5, b"post").unwrap()).is_some());
        let shared = vec![change(key("a"), "not allowed", &[], 7)];
        let (shared, _) = compose(tail.tip(5).unwrap(), 5, &secret(6), shared).unwrap();
        assert!(matches!(tail.take(&shared), Err(TailError::Log(LogError::NotShared { .. }))));
    }
}
