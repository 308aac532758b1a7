//! The targets of keys, ops, heads and batches of ops.

use rootfold_core::{
    fold::{fold, Epoch},
    head::Head,
    key::{
        ApplicationKey, Key, KeyKind, INDEX_BYTE, KEY_BYTES, MAX_SHARED_KEY, OWNED_BYTE,
        SHARED_BYTE,
    },
    log::{LogBatch, Op},
    replacement::Replacement,
    run::{extend, Run},
    tree,
};
use rootfold_light::messages;
use rootfold_proto::v1;

use crate::{honest::honest, message, Verdict};

/// [`Key::from_slice`] and [`Key::shared`].
///
/// Every key has one encoding. The kind of a key follows from its bytes. The encoding preserves the
/// order of application keys.
pub fn key(bytes: &[u8]) -> Verdict {
    let user = Key::shared(bytes);
    assert_eq!(user.is_ok(), bytes.len() <= MAX_SHARED_KEY);
    if let Ok(key) = user {
        assert_eq!(key.application_key(), Some(ApplicationKey::shared(bytes)));
        let (shorter, _) = bytes.split_at(bytes.len() / 2);
        let shorter_key = Key::shared(shorter).expect("a shorter key is valid");
        assert_eq!(shorter_key.cmp(&key), shorter.cmp(bytes));
    }
    let Ok(key) = Key::from_slice(bytes) else {
        assert_ne!(bytes.len(), KEY_BYTES);
        return Verdict::Refused;
    };
    assert_eq!(key.as_bytes(), bytes);
    match key.kind() {
        KeyKind::Shared => assert_eq!(bytes[0], SHARED_BYTE),
        KeyKind::Owned(owner) => {
            assert_eq!(bytes[..5], [&[OWNED_BYTE], &owner.to_be_bytes()[..]].concat())
        }
        KeyKind::Index => assert_eq!(bytes[0], INDEX_BYTE),
        KeyKind::Head(writer) => assert_eq!(key, Key::head(writer)),
        KeyKind::Replacement(writer) => assert_eq!(key, Key::replacement(writer)),
        KeyKind::StartSentinel => assert_eq!(key, Key::START),
        KeyKind::EndSentinel => assert_eq!(key, Key::END),
        KeyKind::Unused => assert!(![SHARED_BYTE, OWNED_BYTE, INDEX_BYTE].contains(&bytes[0])),
    }
    if let Some(application_key) = key.application_key() {
        assert_eq!(application_key.key(), Ok(key), "an application key has one encoding");
    }
    let text = format!("{key:?}");
    assert!(!text.chars().any(char::is_control), "a control character in {text}");
    Verdict::Accepted
}

/// [`Op::from_bytes`]: 134 bytes.
///
/// Every decoded op has one encoding. Only the owner can grant, only the owner of a key can write it, and
/// no writer can write to other system keys. Different ops have different items.
pub fn op(bytes: &[u8]) -> Verdict {
    let Ok(array) = bytes.try_into() else { return Verdict::Refused };
    let Ok(op) = Op::from_bytes(array) else { return Verdict::Refused };
    assert_eq!(op.to_bytes(), *array, "an op has one encoding");
    let may = |writer| op.granted(writer, &honest().tips[&0], 1).is_ok();
    let allowed = |writer| match op.key.kind() {
        KeyKind::Shared | KeyKind::Index => true,
        KeyKind::Owned(owner) => owner == writer,
        KeyKind::Head(_) | KeyKind::Replacement(_) => writer == 0,
        KeyKind::StartSentinel | KeyKind::EndSentinel | KeyKind::Unused => false,
    };
    for writer in [0, 1] {
        assert_eq!(may(writer), allowed(writer), "writer {writer}");
    }
    let (batch, _) = honest().next_of(0);
    let signed = batch.ops[0].op;
    // Whether a group goes on is in the link, not in the item.
    let same = Op { more: signed.more, ..op } == signed;
    assert_eq!(op.item(0) == signed.item(0), same, "two ops have the same item");
    Verdict::Accepted
}

/// [`Head::from_bytes`]: 160 bytes, the opening of a head entry.
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

/// [`Replacement::from_bytes`]: 241 bytes, what replaces a head entry, or the owner's new key.
///
/// Every decoded replacement has one encoding, and its new head differs from the old one in key and right only.
pub fn replacement(bytes: &[u8]) -> Verdict {
    let Ok(replacement) = Replacement::from_bytes(bytes) else { return Verdict::Refused };
    assert_eq!(replacement.to_bytes(), bytes, "a replacement has one encoding");
    assert_eq!(replacement.key().kind(), KeyKind::Replacement(replacement.writer()));
    if let (Some(after), Replacement::Head { before, .. }) = (replacement.after(), replacement) {
        assert_eq!((after.seq, after.head), (before.head.seq, before.head.head));
    }
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
