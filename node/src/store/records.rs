//! The encodings of records in the store.

use rootfold_core::{
    eddsa::{Signature, SIGNATURE_BYTES},
    field::{self, FIELD_BYTES},
    head::{Head, HEAD_BYTES},
    log::{Op, SignedOp, Tip, OP_BYTES},
    stamp::Stamp,
    tree::MAX_INLINE_VALUE,
    F,
};
use rootfold_light::values::{ValueKind, ValueName};

use crate::store::{Column, StoreError};

/// The key of an op: its writer and the number of ops before it.
pub fn op_key(writer: u32, seq: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&writer.to_be_bytes());
    key[4..].copy_from_slice(&seq.to_be_bytes());
    key
}

/// The inverse of [`op_key`]; `None` for any other bytes.
pub fn parse_op_key(key: &[u8]) -> Option<(u32, u64)> {
    let (writer, seq) = key.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*writer), u64::from_be_bytes(seq.try_into().ok()?)))
}

/// Encodes an op, the head of the log after it, and the op's signature, if it has one.
pub fn encode_op(signed: &SignedOp, head: &F) -> Vec<u8> {
    let mut out = signed.op.to_bytes().to_vec();
    out.extend_from_slice(&field::to_bytes(head));
    if let Some(signature) = &signed.signature {
        out.extend_from_slice(&signature.to_bytes());
    }
    out
}

/// The inverse of [`encode_op`]; `None` for any other bytes.
pub fn decode_op(bytes: &[u8]) -> Option<(SignedOp, F)> {
    let (op, rest) = bytes.split_first_chunk::<OP_BYTES>()?;
    let (head, signature) = rest.split_first_chunk::<FIELD_BYTES>()?;
    let (op, head) = (Op::from_bytes(op).ok()?, field::from_bytes(head).ok()?);
    let signature = match signature.len() {
        0 => None,
        SIGNATURE_BYTES => Some(Signature::from_bytes(signature.try_into().ok()?).ok()?),
        _ => return None,
    };
    Some((SignedOp { op, signature }, head))
}

/// Encodes a tip: head and stamp.
pub fn encode_tip(tip: &Tip) -> Vec<u8> {
    let mut out = tip.head.to_bytes().to_vec();
    out.extend_from_slice(&tip.stamp.ts.to_be_bytes());
    out.extend_from_slice(&tip.stamp.writer.to_be_bytes());
    out
}

/// The inverse of [`encode_tip`]; `None` for any other bytes.
pub fn decode_tip(bytes: &[u8]) -> Option<Tip> {
    let (head, stamp) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    let (ts, writer) = stamp.split_first_chunk::<8>()?;
    let stamp =
        Stamp { ts: u64::from_be_bytes(*ts), writer: u32::from_be_bytes(writer.try_into().ok()?) };
    Some(Tip { head: Head::from_bytes(head).ok()?, stamp })
}

/// The key of a page: its name.
pub(crate) fn page_key(name: &F) -> [u8; FIELD_BYTES] {
    field::to_bytes(name)
}

/// The key of a value: its kind and digest.
pub(crate) fn value_key(name: &ValueName) -> [u8; 1 + FIELD_BYTES] {
    let mut key = [0; 1 + FIELD_BYTES];
    key[0] = match name.kind {
        ValueKind::User => b'u',
        ValueKind::Head => b'h',
        ValueKind::Replacement => b'r',
    };
    key[1..].copy_from_slice(&field::to_bytes(&name.digest));
    key
}

/// The inverse of [`value_key`].
pub(crate) fn parse_value_key(bytes: &[u8]) -> Option<ValueName> {
    let (kind, digest) = bytes.split_first()?;
    let digest: &[u8; FIELD_BYTES] = digest.try_into().ok()?;
    let kind = match kind {
        b'u' => ValueKind::User,
        b'h' => ValueKind::Head,
        b'r' => ValueKind::Replacement,
        _ => return None,
    };
    Some(ValueName { kind, digest: field::from_bytes(digest).ok()? })
}

/// The column of a value of this length. Short ones are apart, so that reading a page with its inline
/// values does not read long ones.
pub(crate) fn value_column(length: usize) -> Column {
    if length <= MAX_INLINE_VALUE {
        Column::Values
    } else {
        Column::LargeValues
    }
}

/// The error for a record that is missing or does not decode.
pub(crate) fn damaged(column: Column, key: &[u8], what: impl Into<String>) -> StoreError {
    StoreError::Damaged { column, key: hex::encode(key), what: what.into() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rootfold_core::{eddsa::SecretKey, key::Key};

    use super::*;

    #[test]
    fn records_round_trip() {
        let secret = SecretKey::from_bytes([7; 32]);
        let tip = Tip::genesis(F::from(3u64), 9, secret.public_key(), true);
        assert_eq!(decode_tip(&encode_tip(&tip)), Some(tip));
        let op = Op { more: false, ts: 5, key: Key::shared(b"k").unwrap(), value: F::from(8u64) };
        let (signed, after) = SignedOp::sign(&tip, 9, op, &secret).unwrap();
        let head = after.head.head;
        assert_eq!(decode_op(&encode_op(&signed, &head)), Some((signed, head)));
        let unsigned = SignedOp { op, signature: None };
        assert_eq!(decode_op(&encode_op(&unsigned, &head)), Some((unsigned, head)));
        assert_eq!(parse_op_key(&op_key(7, u64::MAX)), Some((7, u64::MAX)));
        let bytes = encode_tip(&tip);
        for cut in 0..bytes.len() {
            assert_eq!(decode_tip(&bytes[..cut]), None);
        }
        let bytes = encode_op(&signed, &head);
        for cut in (0..bytes.len()).filter(|cut| *cut != OP_BYTES + FIELD_BYTES) {
            assert_eq!(decode_op(&bytes[..cut]), None);
        }
    }

    proptest! {
        #[test]
        fn decoding_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            // Some random bytes are records.
            let _ = (decode_op(&bytes), decode_tip(&bytes), parse_op_key(&bytes));
        }
    }
}
