//! The targets of keys, ops, heads and batches of ops.

use rootfold_core::{
    fold::{fold, Epoch},
    head::Head,
    key::{Key, KeyKind, KEY_BYTES, MAX_APPLICATION_KEY, USER_BYTE},
    log::{LogBatch, Op},
    run::{extend, Run},
    tree,
};
use rootfold_light::messages;
use rootfold_proto::v1;

use crate::{honest::honest, message, Verdict};

/// [`Key::from_slice`] and [`Key::user`].
///
/// Every key has one encoding. The kind of a key follows from its bytes. The encoding preserves the
/// order of application keys.
pub fn key(bytes: &[u8]) -> Verdict {
    let user = Key::user(bytes);
    assert_eq!(user.is_ok(), bytes.len() <= MAX_APPLICATION_KEY);
    if let Ok(key) = user {
        assert_eq!(key.application_key(), Some(bytes));
        let (shorter, _) = bytes.split_at(bytes.len() / 2);
        let shorter_key = Key::user(shorter).expect("a shorter key is valid");
        assert_eq!(shorter_key.cmp(&key), shorter.cmp(bytes));
    }
    let Ok(key) = Key::from_slice(bytes) else {
        assert_ne!(bytes.len(), KEY_BYTES);
        return Verdict::Refused;
    };
    assert_eq!(key.as_bytes(), bytes);
    match key.kind() {
        KeyKind::User => assert_eq!(bytes[0], USER_BYTE),
        KeyKind::Head(writer) => assert_eq!(key, Key::head(writer)),
        KeyKind::StartSentinel => assert_eq!(key, Key::START),
        KeyKind::EndSentinel => assert_eq!(key, Key::END),
        KeyKind::Unused => assert_ne!(bytes[0], USER_BYTE),
    }
    if let Some(application_key) = key.application_key() {
        assert_eq!(Key::user(application_key), Ok(key), "an application key has one encoding");
    }
    let text = format!("{key:?}");
    assert!(!text.chars().any(char::is_control), "a control character in {text}");
    Verdict::Accepted
}

/// [`Op::from_bytes`]: 133 bytes.
///
/// Every decoded op has one encoding. Only the owner can grant, and no writer can write to other
/// system keys. Different ops have different items.
pub fn op(bytes: &[u8]) -> Verdict {
    let Ok(array) = bytes.try_into() else { return Verdict::Refused };
    let Ok(op) = Op::from_bytes(array) else { return Verdict::Refused };
    assert_eq!(op.to_bytes(), *array, "an op has one encoding");
    let may = |writer| op.granted(writer, 1).is_ok();
    assert_eq!(may(1), op.key.kind() == KeyKind::User);
    assert_eq!(may(0), matches!(op.key.kind(), KeyKind::User | KeyKind::Head(_)));
    let (batch, _) = honest().next_of(0);
    let signed = batch.ops[0].op;
    assert_eq!(op.item(0) == signed.item(0), op == signed, "two ops have the same item");
    Verdict::Accepted
}

/// [`Head::from_bytes`]: 128 bytes, the opening of a head entry.
///
/// Every decoded head has one encoding. Only the honest opening opens an honest head entry.
pub fn head(bytes: &[u8]) -> Verdict {
    let Ok(array) = bytes.try_into() else { return Verdict::Refused };
    let Ok(head) = Head::from_bytes(array) else { return Verdict::Refused };
    assert_eq!(head.to_bytes(), *array, "a head has one encoding");
    let held = honest().tips[&0].head;
    assert_eq!(head.digest() == held.digest(), head == held, "two heads have the same digest");
    Verdict::Accepted
}

/// A message `LogBatch`, added to the log of its writer and to the fold: `messages`, [`extend`],
/// [`Run::check`], [`fold`].
///
/// An op enters a log only if its writer signed it: an accepted batch is a prefix of the honest
/// next batch. A batch that the log accepts is accepted as a run and by the fold too.
pub fn batch(bytes: &[u8]) -> Verdict {
    let Some(message) = message::decode::<v1::LogBatch>(bytes) else { return Verdict::Refused };
    let submission = v1::Submission { batches: vec![message], values: Vec::new() };
    let Ok(submission) = messages::submission_in(Some(submission)) else { return Verdict::Refused };
    let again = messages::submission_in(Some(messages::submission_out(&submission)));
    let [batch] = &submission.batches[..] else { panic!("one batch was decoded to several") };
    assert_eq!(again.expect("the encoded submission decodes").batches, submission.batches);
    let Some(tip) = honest().tips.get(&batch.writer) else { return Verdict::Refused };
    let known = |writer| honest().tips.contains_key(&writer);
    let accepted = extend(tip, &known, batch).is_ok();
    assert!(!accepted || is_honest(batch), "the log accepts an op that its writer did not sign");
    if let Some(signature) = batch.ops.last().and_then(|last| last.signature) {
        let ops = batch.ops.iter().map(|signed| signed.op).collect();
        let run = Run { writer: batch.writer, before: *tip, ops, signature }.check();
        // `Run::check` verifies only the last signature, and does not know whether the batch begins
        // at the end of the log.
        assert!(run.is_ok() || !accepted, "the log accepts an invalid run");
        let Ok(run) = run else { return Verdict::of(accepted) };
        let ops = |batch: &LogBatch| batch.ops.iter().map(|op| op.op).collect::<Vec<_>>();
        let prefix = honest().next_of(batch.writer).0;
        assert!(ops(prefix).starts_with(&ops(batch)), "a forged run is accepted");
        let pages = honest().space.page_store();
        let root = honest().space.status().root;
        let folded = fold(&|key| tree::lookup(pages, root, key), &Epoch { runs: vec![run] });
        assert!(folded.is_ok() || !accepted, "the log accepts a run that the fold refuses");
    }
    Verdict::of(accepted)
}

/// Whether a batch is a prefix of the honest next batch of its writer, where signatures between the
/// ops may be missing.
fn is_honest(batch: &LogBatch) -> bool {
    let (next, _) = honest().next_of(batch.writer);
    let same = next.ops.iter().zip(&batch.ops).all(|(honest, theirs)| {
        honest.op == theirs.op
            && (theirs.signature.is_none() || theirs.signature == honest.signature)
    });
    same && batch.ops.len() <= next.ops.len() && batch.first_seq == next.first_seq
}
