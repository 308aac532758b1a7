//! The target of an admitted writer who signs any ops: the strongest attacker on ingestion.

use rootfold_core::{
    eddsa::SecretKey,
    head::{signed_message, Head},
    item::Entry,
    key::{Key, KeyKind},
    log::{LogBatch, Op, SignedOp, Tip},
    mark::Mark,
    replacement::Replacement,
    tree,
    value::tombstone,
    F,
};
use rootfold_light::{submission::Submission, values::Value};
use rootfold_node::space::{Space, Tips};

use crate::{
    honest::{honest, ADMITTED},
    Verdict,
};

/// The largest number of submissions of one input.
const MAX_SUBMISSIONS: usize = 6;
/// The writers who sign. The last two are not admitted at the beginning.
const WRITERS: [u32; 5] = [0, 1, ADMITTED, 8, 9];

/// The input is a program that makes submissions. Each has batches of ops with any keys, clocks and
/// values. An op has a valid signature or none.
///
/// A refused submission changes nothing. After every submission, the tree has the shape that
/// follows from its entries, and it contains the tips of all logs.
pub fn target(bytes: &[u8]) -> Verdict {
    let space = honest().copy();
    let mut program = Program { rest: bytes, last: None };
    let mut taken = 0;
    for _ in 0..MAX_SUBMISSIONS {
        if program.rest.is_empty() {
            break;
        }
        let before = space.status();
        match space.ingest(&program.submission(space.writers())) {
            Ok(ingested) => taken += ingested.ops,
            Err(e) => {
                assert!(e.is_refusal(), "{e}");
                assert_eq!(space.status(), before, "a refused submission changed the space");
            }
        }
        assert_sound(&space);
    }
    Verdict::of(taken > 0)
}

/// Asserts that the tree has the shape that follows from its entries and contains the tips of all
/// logs.
fn assert_sound(space: &Space) {
    let status = space.status();
    let entries: Result<Vec<Entry>, _> =
        tree::scan(space.page_store(), status.root, ..).expect("the tree is readable").collect();
    let entries = entries.expect("the tree is readable");
    assert_eq!(
        tree::build(&entries).root,
        status.root,
        "the shape does not follow from the entries"
    );
    assert_eq!(status.entries, entries.len() as u64 - 5);
    for (writer, tip) in space.writers() {
        let head = tree::lookup(space.page_store(), status.root, &Key::head(writer));
        assert_eq!(head.expect("the tree is readable"), Some(tip.entry(writer)), "writer {writer}");
    }
}

fn secret(writer: u32) -> SecretKey {
    SecretKey::from_bytes([writer as u8 + 1; 32])
}

/// The unread part of an input.
struct Program<'a> {
    rest: &'a [u8],
    /// The key of the last op that is not a mark.
    last: Option<Key>,
}

impl Program<'_> {
    /// The next byte; zero after the end of the input.
    fn next(&mut self) -> u8 {
        let (byte, rest) = self.rest.split_first().unwrap_or((&0, &[]));
        self.rest = rest;
        *byte
    }

    fn submission(&mut self, mut tips: Tips) -> Submission {
        let mut submission = Submission::default();
        for _ in 0..=self.next() % 3 {
            let writer = WRITERS[usize::from(self.next()) % WRITERS.len()];
            // A writer who is not admitted starts with the tip of a genesis writer.
            let nobody =
                Tip::genesis(honest().genesis.salt, writer, secret(writer).public_key(), true);
            let held = tips.clone();
            let tip = tips.entry(writer).or_insert(nobody);
            let first_seq = tip.seq(writer).unwrap_or(u64::MAX);
            let skipped = u64::from(self.next() / 250);
            let mut batch =
                LogBatch { writer, first_seq: first_seq.saturating_add(skipped), ops: Vec::new() };
            let mut granted = Vec::new();
            for _ in 0..=self.next() % 4 {
                let (op, head) = self.op(&held, tip, &mut submission.values);
                granted.extend(head.map(|head| (op, head)));
                *tip = after(tip, writer, &op);
                let message = signed_message(tip.head.head, tip.head.seq);
                let forgets = self.next().is_multiple_of(8);
                let signature = (!forgets).then(|| secret(writer).sign(message));
                batch.ops.push(SignedOp { op, signature });
            }
            for (op, head) in granted {
                if let KeyKind::Head(of) | KeyKind::Replacement(of) = op.key.kind() {
                    tips.insert(of, Tip { head, stamp: op.stamp(writer) });
                }
            }
            submission.batches.push(batch);
        }
        submission
    }

    /// The next op, and the head that it puts in place, if there is one.
    fn op(&mut self, tips: &Tips, tip: &Tip, values: &mut Vec<Value>) -> (Op, Option<Head>) {
        let (form, byte) = (self.next(), self.next());
        let shared = |byte| Key::shared(&[byte]).expect("the key is short");
        let key = match form % 8 {
            0 | 1 => shared(byte),
            // An owned key, of this writer or another.
            2 => Key::owned(WRITERS[usize::from(byte) % WRITERS.len()], &[byte]).expect("short"),
            // A mark of a key that may be the one before.
            3 => Mark::new(b"term", &[byte % 3])
                .expect("short")
                .key(&self.last.unwrap_or(shared(byte))),
            4 => Key::head(u32::from(byte % 12)),
            5 => Key::replacement(u32::from(byte % 12)),
            6 if byte < 128 => Key::START,
            6 => Key::END,
            _ => Key::from_bytes([byte; 93]),
        };
        let more = byte % 16 == 15;
        let mark = key.kind() == KeyKind::Index;
        if !mark {
            self.last = Some(key);
        }
        let ts = match form / 8 % 4 {
            _ if mark && byte < 250 => tip.stamp.ts,
            0 | 1 => tip.stamp.ts.saturating_add(1 + u64::from(byte)),
            2 => tip.stamp.ts.saturating_sub(u64::from(byte)),
            _ => u64::MAX - u64::from(byte),
        };
        let admitted = secret(u32::from(byte % 12)).public_key();
        let first = Head::first(honest().genesis.salt, admitted, byte % 2 == 0);
        let head = match form / 32 {
            0 | 1 => Some(first),
            2 => Some(Head { seq: F::from(u64::MAX - u64::from(byte)), ..first }),
            3 if byte % 16 == 0 => Some(Head { shared: F::from(byte), ..first }),
            3 => Some(Head { seq: F::from(u128::from(u64::MAX) + u128::from(byte)), ..first }),
            _ => None,
        };
        if let KeyKind::Replacement(of) = key.kind() {
            let replacement = replacement(tips, of, byte);
            let value = Value::replacement(&replacement);
            let op = Op { more, ts, key, value: value.name.digest };
            values.push(value);
            return (op, replacement.after());
        }
        let value = match (head, form / 32) {
            (Some(head), _) => Value::head(&head),
            (None, 4) => return (Op { more, ts, key, value: tombstone() }, None),
            // A digest of a value that does not exist.
            (None, 5) => return (Op { more, ts, key, value: F::from(byte) }, None),
            (None, _) => Value::user(vec![byte; usize::from(byte)]),
        };
        let op = Op { more, ts, key, value: value.name.digest };
        values.push(value);
        (op, head)
    }
}

/// A replacement of the head that writer `of` has, or of the owner's key. The keys stay the same, so that the
/// next ops are signed with them.
fn replacement(tips: &Tips, of: u32, byte: u8) -> Replacement {
    let public_key = secret(of).public_key();
    let other = Tip::genesis(honest().genesis.salt, of, public_key, true);
    match of {
        0 => Replacement::OwnerKey(public_key),
        writer => {
            let before = tips.get(&of).copied().unwrap_or(other);
            Replacement::Head { writer, before, public_key, shared: byte.is_multiple_of(2) }
        }
    }
}

/// The tip after an op, without any check of its clock.
fn after(tip: &Tip, writer: u32, op: &Op) -> Tip {
    Tip { head: tip.head.after(op.item(writer), op.more), stamp: op.stamp(writer) }
}
