//! Cutting pending ops into epochs.

use std::collections::BTreeMap;

use rootfold_core::{
    fold::{Epoch, Run},
    head::Head,
    key::KeyKind,
    log::{SignedOp, Tip},
    F,
};
use rootfold_proto::limits::MAX_UNSIGNED_OPS;

/// How large an epoch may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochLimits {
    /// The most ops of one epoch. A stretch that only one signature covers is never cut, so an
    /// epoch may be longer by less than the longest such stretch.
    pub max_ops: usize,
}

impl Default for EpochLimits {
    fn default() -> EpochLimits {
        EpochLimits { max_ops: 64 }
    }
}

/// At most that many ops of a writer from a number on.
pub(crate) type Pending<'a, E> = &'a dyn Fn(u32, u64, usize) -> Result<Vec<SignedOp>, E>;

/// The next epoch after what is folded: the owner's ops first, hence grants, then the others'.
///
/// A writer takes part once his head entry is in the tree (L2), so in an epoch after the one that
/// folds his grant: the caller adds him to `folded` only then ([`advance`]). `None` if nothing is
/// pending.
pub(crate) fn cut<E>(
    folded: &BTreeMap<u32, Tip>,
    limits: EpochLimits,
    pending: Pending<'_, E>,
) -> Result<Option<Epoch>, E> {
    let mut epoch = Epoch::default();
    let mut room = limits.max_ops.max(1);
    for (writer, before) in folded {
        // A log that is full, or that the owner granted beyond its end, has nothing pending.
        let Ok(seq) = before.seq(*writer) else { continue };
        let first = epoch.runs.is_empty();
        let wanted = if first { room.max(MAX_UNSIGNED_OPS) } else { room };
        let ops = pending(*writer, seq, wanted)?;
        let Some((length, signature)) = signed_prefix(&ops, room, first) else { continue };
        let ops = ops[..length].iter().map(|signed| signed.op).collect();
        epoch.runs.push(Run { writer: *writer, before: *before, ops, signature });
        room = room.saturating_sub(length);
        if room == 0 {
            break;
        }
    }
    Ok((!epoch.runs.is_empty()).then_some(epoch))
}

/// The longest prefix of at most `room` ops that ends with a signature. If there is none and
/// `anyway` is set, the shortest one at all.
fn signed_prefix(
    ops: &[SignedOp],
    room: usize,
    anyway: bool,
) -> Option<(usize, rootfold_core::eddsa::Signature)> {
    let signed = |(index, op): (usize, &SignedOp)| Some((index + 1, op.signature?));
    let within = ops.iter().enumerate().take(room).filter_map(signed).last();
    within.or_else(|| ops.iter().enumerate().find_map(signed).filter(|_| anyway))
}

/// Moves `folded` on by an epoch. `open` gives the head that a digest stands for.
pub(crate) fn advance<E>(
    folded: &mut BTreeMap<u32, Tip>,
    epoch: &Epoch,
    open: &dyn Fn(F) -> Result<Head, E>,
) -> Result<(), E> {
    for run in &epoch.runs {
        for op in &run.ops {
            if let KeyKind::Head(granted) = op.key.kind() {
                let tip = Tip { head: open(op.value)?, stamp: op.stamp(run.writer) };
                folded.insert(granted, tip);
            }
        }
        folded.insert(run.writer, run.after());
    }
    Ok(())
}
