//! Records of the store. No peer writes them, but what they hold came from peers, and a disk can
//! return anything.

use rootfold_node::store::records;

use crate::Verdict;

/// An op with its signature.
///
/// One encoding.
pub fn op(bytes: &[u8]) -> Verdict {
    let Some(op) = records::decode_op(bytes) else { return Verdict::Refused };
    assert_eq!(records::encode_op(&op), bytes, "an op has one record");
    Verdict::Accepted
}

/// The end of a log.
///
/// One encoding.
pub fn tip(bytes: &[u8]) -> Verdict {
    let Some(tip) = records::decode_tip(bytes) else { return Verdict::Refused };
    assert_eq!(records::encode_tip(&tip), bytes, "a tip has one record");
    Verdict::Accepted
}

/// The key of an op.
///
/// One encoding.
pub fn op_key(bytes: &[u8]) -> Verdict {
    let Some((writer, seq)) = records::parse_op_key(bytes) else { return Verdict::Refused };
    assert_eq!(records::op_key(writer, seq), bytes, "an op has one key");
    Verdict::Accepted
}
