//! Ops are checked in the order of their logs.

use rootfold_core::{head::Head, log::Tip, stamp::Stamp, F};

use super::super::{Space, SpaceError};
use crate::store::{records::decode_op, StoreError};

/// The log at which a pass is.
#[derive(Default)]
pub(super) struct LogCheck {
    /// The writer, the number of ops before the next one, and the tip after those.
    at: Option<(u32, u64, Tip)>,
}

impl LogCheck {
    /// Checks the record of the op of `writer` with `seq` ops before it. Returns what is wrong with it.
    pub(super) fn check(
        &mut self,
        space: &Space,
        writer: u32,
        seq: u64,
        record: &[u8],
    ) -> Result<Option<String>, SpaceError> {
        let at = self.at.take();
        let Some((signed, head)) = decode_op(record) else {
            return Ok(Some("not an op".to_owned()));
        };
        let before = match at {
            Some((of, next, tip)) if (of, next) == (writer, seq) => Some(tip),
            // The first op of a log, or of the part of it that this node holds, or of a pass that goes on.
            _ => match space.head_at(writer, seq) {
                Ok(head) => {
                    // A mark has the clock of the op before it.
                    let ts = if signed.op.is_mark() { signed.op.ts } else { 0 };
                    head.map(|head| Tip { head, stamp: Stamp { ts, writer } })
                }
                // The op before is damaged, which is named already.
                Err(SpaceError::Store(StoreError::Damaged { .. })) => None,
                Err(e) => return Err(e),
            },
        };
        let Some(next) = seq.checked_add(1) else { return Ok(None) };
        let Some(before) = before else {
            // Nothing says where this part of the log begins: its first op is taken as it is.
            self.at = begun(space, writer, next, head, signed.op.ts).map(|tip| (writer, next, tip));
            return Ok(None);
        };
        let after = match before.apply(writer, &signed.op) {
            Ok(after) if after.head.head == head => after,
            Ok(_) => return Ok(Some("it does not continue the log".to_owned())),
            Err(e) => return Ok(Some(e.to_string())),
        };
        let key = |signature| Ok::<_, SpaceError>((signature, space.public_key_at(writer, next)?));
        if let Some((signature, Some(public_key))) = signed.signature.map(key).transpose()? {
            let signed_by = Tip { head: Head { public_key, ..after.head }, ..after };
            if let Err(e) = signed_by.verify(writer, &signature) {
                return Ok(Some(e.to_string()));
            }
        }
        self.at = Some((writer, next, after));
        Ok(None)
    }
}

/// The tip after `seq` ops with this head.
fn begun(space: &Space, writer: u32, seq: u64, head: F, ts: u64) -> Option<Tip> {
    let mut tip = space.tip(writer)?;
    (tip.head.seq, tip.head.head) = (F::from(seq), head);
    tip.stamp = Stamp { ts, writer };
    Some(tip)
}
