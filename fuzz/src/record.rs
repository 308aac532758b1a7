//! The targets of records in the store. Peers do not write records, but their contents come from
//! peers, and a disk can return corrupt bytes.

use rootfold_node::store::records;

use crate::Verdict;

/// The record of an op with the head after it and its signature.
///
/// Every decoded record has one encoding.
pub fn op(bytes: &[u8]) -> Verdict {
    let Some((op, head)) = records::decode_op(bytes) else { return Verdict::Refused };
    assert_eq!(records::encode_op(&op, &head), bytes, "an op has one record");
    Verdict::Accepted
}

/// The record of the end of a log.
///
/// Every decoded record has one encoding.
pub fn tip(bytes: &[u8]) -> Verdict {
    let Some(tip) = records::decode_tip(bytes) else { return Verdict::Refused };
    assert_eq!(records::encode_tip(&tip), bytes, "a tip has one record");
    Verdict::Accepted
}

/// The key of an op's record.
///
/// Every parsed key has one encoding.
pub fn op_key(bytes: &[u8]) -> Verdict {
    let Some((writer, seq)) = records::parse_op_key(bytes) else { return Verdict::Refused };
    assert_eq!(records::op_key(writer, seq), bytes, "an op has one key");
    Verdict::Accepted
}
