//! Cuts pending ops into epochs.

use std::collections::BTreeMap;

use rootfold_core::{
    fold::Epoch,
    head::Head,
    key::KeyKind,
    log::{LogError, SignedOp, Tip},
    run::Run,
    F,
};
use rootfold_proto::limits::MAX_UNSIGNED_OPS;

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

/// The next epoch after the tips `folded`; `None` if no op is pending. The owner's ops, and the grants
/// among them, come first. Each run is checked here, once.
///
/// An epoch has ops of a writer only if the writer's head entry is in the tree (L2), so ops follow
/// their grant in a later epoch: [`advance`] adds a granted writer to `folded`.
pub(crate) fn cut<E: From<LogError>>(
    folded: &BTreeMap<u32, Tip>,
    limits: EpochLimits,
    pending: Pending<'_, E>,
) -> Result<Option<Epoch>, E> {
    let mut epoch = Epoch::default();
    let mut room = limits.max_ops.max(1);
    for (writer, before) in folded {
        // A log with a seq of 2^64 or more can have no pending ops.
        let Ok(seq) = before.seq(*writer) else { continue };
        let first = epoch.runs.is_empty();
        let wanted = if first { room.max(MAX_UNSIGNED_OPS) } else { room };
        let ops = pending(*writer, seq, wanted)?;
        let Some((length, signature)) = signed_prefix(&ops, room, first) else { continue };
        let ops = ops[..length].iter().map(|signed| signed.op).collect();
        epoch.runs.push(Run { writer: *writer, before: *before, ops, signature }.check()?);
        room = room.saturating_sub(length);
        if room == 0 {
            break;
        }
    }
    Ok((!epoch.runs.is_empty()).then_some(epoch))
}

/// The longest prefix of at most `room` ops whose last op is signed. If there is none and `anyway` is
/// set, the shortest prefix whose last op is signed.
fn signed_prefix(
    ops: &[SignedOp],
    room: usize,
    anyway: bool,
) -> Option<(usize, rootfold_core::eddsa::Signature)> {
    let signed = |(index, op): (usize, &SignedOp)| Some((index + 1, op.signature?));
    let within = ops.iter().enumerate().take(room).filter_map(signed).next_back();
    within.or_else(|| ops.iter().enumerate().find_map(signed).filter(|_| anyway))
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

    /// A log whose ops are signed where `signed` says so, and at its end.
    fn log(writer: u32, signed: &[bool]) -> (Tip, Vec<SignedOp>) {
        let secret = SecretKey::from_bytes([writer as u8 + 1; 32]);
        let first = Tip::genesis(F::from(1u64), writer, secret.public_key());
        let (mut tip, mut ops) = (first, Vec::new());
        for (index, keep) in signed.iter().enumerate() {
            let key = Key::user(&[index as u8]).unwrap();
            let op = Op { ts: tip.stamp.ts + 1, key, value: F::from(0u64) };
            let (mut op, next) = SignedOp::sign(&tip, writer, op, &secret).unwrap();
            if !keep && index + 1 < signed.len() {
                op.signature = None;
            }
            ops.push(op);
            tip = next;
        }
        (first, ops)
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
            while let Some(epoch) = cut(&folded, EpochLimits { max_ops }, &pending).unwrap() {
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
