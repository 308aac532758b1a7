//! Cuts pending ops into epochs.

use std::collections::BTreeMap;

use rootfold_core::{
    fold::Epoch,
    head::Head,
    key::KeyKind,
    log::{LogError, SignedOp, Tip, OWNER},
    replacement::Replacement,
    run::{OpenReplacement, Run},
    F,
};
use rootfold_proto::limits::MAX_GROUP_OPS;

use super::{replaced::ReplacedHeads, seq_of};

/// The size of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochLimits {
    /// The largest number of ops. Ops that one signature covers stay together: if the first such group
    /// is longer, it is an epoch by itself.
    pub max_ops: usize,
}

impl Default for EpochLimits {
    fn default() -> EpochLimits {
        EpochLimits { max_ops: 64 }
    }
}

/// The pending ops of a writer: (writer, number of ops before them, largest number of ops).
pub(crate) type Pending<'a, E> = &'a dyn Fn(u32, u64, usize) -> Result<Vec<SignedOp>, E>;

/// Where logs change keys, for [`cut`].
pub(crate) struct Replacements<'a> {
    /// The replacements in the owner's log.
    pub(crate) heads: &'a ReplacedHeads,
    /// Opens a replacement.
    pub(crate) open: OpenReplacement<'a>,
}

/// The numbers of ops at which logs end for now, by writer: a replacement of a head is folded where the
/// log of its writer stands at exactly the head that it names, in an epoch without ops of that writer.
fn ends<E>(
    folded: &BTreeMap<u32, Tip>,
    replacements: &Replacements<'_>,
    pending: Pending<'_, E>,
) -> Result<BTreeMap<u32, u64>, E> {
    let owner = seq_of(folded.get(&OWNER));
    let later = replacements.heads.iter().flat_map(|(of, heads)| {
        heads.iter().filter(|head| head.by >= owner).map(|head| (head.by, *of, head.at))
    });
    let mut later: Vec<(u64, u32, u64)> = later.collect();
    later.sort_unstable();
    let mut ends = BTreeMap::new();
    for (by, of, at) in later {
        if of == OWNER {
            // The old key signs this op, the new one the next.
            ends.entry(OWNER).or_insert(by + 1);
            continue;
        }
        let op = pending(OWNER, by, 1)?.first().copied();
        let named = op.and_then(|op| (replacements.open)(op.op.value));
        let stands = match named {
            Some(Replacement::Head { before, .. }) => folded.get(&of) == Some(&before),
            _ => false,
        };
        if !stands || ends.contains_key(&of) {
            ends.entry(OWNER).or_insert(by);
        }
        ends.entry(of).or_insert(at);
    }
    Ok(ends)
}

/// The next epoch after the tips `folded`; `None` if no op is pending. Each run is checked here, once.
///
/// The writer with the oldest pending op comes first. Each writer gets an equal share of the epoch, so
/// no backlog keeps others out; what is left of it goes to the oldest ops.
///
/// An epoch has ops of a writer only if the writer's head entry is in the tree (L2), so ops follow
/// their grant in a later epoch: [`advance`] adds a granted writer to `folded`.
pub(crate) fn cut<E: From<LogError>>(
    folded: &BTreeMap<u32, Tip>,
    limits: EpochLimits,
    replacements: &Replacements<'_>,
    pending: Pending<'_, E>,
) -> Result<Option<Epoch>, E> {
    let ends = ends(folded, replacements, pending)?;
    let pending = &|writer: u32, seq: u64, most: usize| {
        let room = ends.get(&writer).map_or(u64::MAX, |end| end.saturating_sub(seq));
        pending(writer, seq, most.min(usize::try_from(room).unwrap_or(usize::MAX)))
    };
    let waiting = waiting(folded, pending)?;
    let mut room = limits.max_ops.max(1);
    let share = room.checked_div(waiting.len()).unwrap_or(room).max(1);
    let mut taken: BTreeMap<u32, Vec<SignedOp>> = BTreeMap::new();
    for most in [share, room] {
        for (_, writer, seq) in &waiting {
            let held = taken.entry(*writer).or_default();
            let next = seq.saturating_add(held.len() as u64);
            let first = taken.values().all(Vec::is_empty);
            let within = most.min(room);
            if within == 0 {
                break;
            }
            let mut ops = pending(*writer, next, within)?;
            if ops.iter().all(|op| op.signature.is_none()) {
                // A group that one signature covers may be longer than a share.
                ops = pending(*writer, next, MAX_GROUP_OPS)?;
            }
            let Some(length) = signed_prefix(&ops, within, room, first) else { continue };
            room = room.saturating_sub(length);
            taken.entry(*writer).or_default().extend(&ops[..length]);
        }
    }
    let mut epoch = Epoch::default();
    for (writer, ops) in taken {
        let (Some(before), Some(signature)) =
            (folded.get(&writer), ops.last().and_then(|last| last.signature))
        else {
            continue;
        };
        let ops = ops.iter().map(|signed| signed.op).collect();
        let run = Run { writer, before: *before, ops, signature };
        epoch.runs.push(run.check_with(replacements.open)?);
    }
    Ok((!epoch.runs.is_empty()).then_some(epoch))
}

/// The writers with pending ops, those with the oldest op first: clock of that op, writer, number of
/// ops before it.
fn waiting<E>(
    folded: &BTreeMap<u32, Tip>,
    pending: Pending<'_, E>,
) -> Result<Vec<(u64, u32, u64)>, E> {
    let mut waiting = Vec::new();
    for (writer, before) in folded {
        // A log with a seq of 2^64 or more can have no pending ops.
        let Ok(seq) = before.seq(*writer) else { continue };
        if let Some(first) = pending(*writer, seq, 1)?.first() {
            waiting.push((first.op.ts, *writer, seq));
        }
    }
    waiting.sort_unstable();
    Ok(waiting)
}

/// The longest prefix of at most `wanted` ops whose last op is signed. If there is none, the shortest
/// such prefix, if it has at most `room` ops or `anyway` is set.
fn signed_prefix(ops: &[SignedOp], wanted: usize, room: usize, anyway: bool) -> Option<usize> {
    let signed = |op: &SignedOp| op.signature.is_some();
    let within = ops[..wanted.min(ops.len())].iter().rposition(signed);
    let shortest = || ops.iter().position(signed).filter(|last| anyway || *last < room);
    within.or_else(shortest).map(|last| last + 1)
}

/// Advances the tips `folded` by an epoch. `open` returns the head with a digest.
pub(crate) fn advance<E>(
    folded: &mut BTreeMap<u32, Tip>,
    epoch: &Epoch,
    open: &dyn Fn(F) -> Result<Head, E>,
) -> Result<(), E> {
    for run in &epoch.runs {
        for op in run.ops() {
            if let KeyKind::Head(granted) = op.key.kind() {
                let tip = Tip { head: open(op.value)?, stamp: op.stamp(run.writer()) };
                folded.insert(granted, tip);
            }
        }
        folded.extend(run.replaced_tips());
        folded.insert(run.writer(), run.after());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;
    use rootfold_core::{
        eddsa::SecretKey,
        key::Key,
        log::{Op, SignedOp, Tip},
    };

    use super::*;

    /// No replacements.
    fn none() -> Replacements<'static> {
        static HEADS: ReplacedHeads = ReplacedHeads::new();
        Replacements { heads: &HEADS, open: &|_| None }
    }

    /// A log whose ops are signed where `signed` says so, and at its end.
    fn log(writer: u32, signed: &[bool]) -> (Tip, Vec<SignedOp>) {
        let secret = SecretKey::from_bytes([writer as u8 + 1; 32]);
        let first = Tip::genesis(F::from(1u64), writer, secret.public_key(), true);
        let (mut tip, mut ops) = (first, Vec::new());
        for (index, keep) in signed.iter().enumerate() {
            let key = Key::shared(&[index as u8]).unwrap();
            let op = Op { more: false, ts: tip.stamp.ts + 1, key, value: F::from(0u64) };
            let (mut op, next) = SignedOp::sign(&tip, writer, op, &secret).unwrap();
            if !keep && index + 1 < signed.len() {
                op.signature = None;
            }
            ops.push(op);
            tip = next;
        }
        (first, ops)
    }

    /// Case C7: a writer with a low id and a long backlog does not keep the others out.
    #[test]
    fn a_backlog_keeps_nobody_out() {
        let logs: Vec<_> = (0..9u32)
            .map(|writer| log(writer, &vec![true; if writer == 0 { 1_000 } else { 1 }]))
            .collect();
        let folded: BTreeMap<u32, Tip> = (0u32..).zip(&logs).map(|(w, l)| (w, l.0)).collect();
        let pending = |writer: u32, seq: u64, limit: usize| {
            let ops = logs[writer as usize].1.iter().skip(seq as usize).take(limit);
            Ok::<_, LogError>(ops.copied().collect())
        };
        let epoch = cut(&folded, EpochLimits { max_ops: 64 }, &none(), &pending).unwrap().unwrap();
        let ops: Vec<usize> = epoch.runs.iter().map(|run| run.ops().len()).collect();
        assert_eq!(ops, [56, 1, 1, 1, 1, 1, 1, 1, 1]);
        // With fewer places than writers, the oldest ops come first.
        let epoch = cut(&folded, EpochLimits { max_ops: 3 }, &none(), &pending).unwrap().unwrap();
        assert_eq!(epoch.ops(), 3);
        assert!(epoch.runs.iter().all(|run| run.ops().len() == 1));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// Every op is folded once, in order, and epochs keep their limit as far as signatures
        /// let them.
        #[test]
        fn epochs_cover_the_logs(
            logs in prop::collection::vec(prop::collection::vec(any::<bool>(), 0..12), 1..4),
            max_ops in 1usize..9,
        ) {
            let logs: Vec<_> = (0u32..).zip(&logs).map(|(w, signed)| log(w, signed)).collect();
            let mut folded: BTreeMap<u32, Tip> = (0u32..).zip(&logs).map(|(w, l)| (w, l.0)).collect();
            let pending = |writer: u32, seq: u64, limit: usize| {
                let ops = logs[writer as usize].1.iter().skip(seq as usize).take(limit);
                Ok::<_, LogError>(ops.copied().collect())
            };
            let mut covered = 0;
            while let Some(epoch) = cut(&folded, EpochLimits { max_ops }, &none(), &pending).unwrap() {
                let stretch = epoch.runs[0].ops().len();
                prop_assert!(epoch.ops() as usize <= max_ops || epoch.ops() as usize == stretch);
                prop_assert!(epoch.runs.windows(2).all(|pair| pair[0].writer() < pair[1].writer()));
                covered += epoch.ops() as usize;
                // There are no grants, so no head is opened.
                advance(&mut folded, &epoch, &|_| Ok::<_, Infallible>(logs[0].0.head)).unwrap();
            }
            prop_assert_eq!(covered, logs.iter().map(|(_, ops)| ops.len()).sum::<usize>());
        }
    }
}
