//! Encodings: round trips, one encoding per value, and errors without panics for hostile bytes.

use ark_ff::PrimeField;
use proptest::{collection::vec, prelude::*};
use rootfold_core::{
    eddsa::{Point, PublicKey, Scalar, Signature, POINT_BYTES, SIGNATURE_BYTES},
    field,
    head::{Head, HEAD_BYTES},
    key::{Key, KEY_BYTES},
    log::{Op, OP_BYTES},
    space::{Genesis, Sharing},
    F,
};

prop_compose! {
    pub fn elements()(bytes in any::<[u8; 32]>(), small in any::<bool>()) -> F {
        if small { F::from(u64::from(bytes[0])) } else { F::from_be_bytes_mod_order(&bytes) }
    }
}

prop_compose! {
    fn points()(x in elements(), y in elements()) -> Point {
        Point { x, y }
    }
}

prop_compose! {
    fn signatures()(r8 in points(), s in any::<[u8; 64]>()) -> Signature {
        Signature { r8, s: Scalar::from_be_bytes_mod_order(&s) }
    }
}

prop_compose! {
    fn heads()(
        key in points(),
        seq in elements(),
        head in elements(),
        shared in elements(),
    ) -> Head {
        Head { public_key: key.into(), seq, head, shared }
    }
}

/// A valid encoding with some bytes changed.
fn hostile(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let edits = vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (edits, 0..3usize, 0..3usize).prop_map(move |(edits, cut, more)| {
        let mut bytes = good.clone();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() - cut);
        bytes.resize(bytes.len() + more, 0);
        bytes
    })
}

proptest! {
    #[test]
    fn field_elements(x in elements()) {
        prop_assert_eq!(field::from_bytes(&field::to_bytes(&x)), Ok(x));
        prop_assert_eq!(field::from_hex(&field::to_hex(&x)), Ok(x));
    }

    #[test]
    fn field_bytes_have_one_reading(bytes in any::<[u8; 32]>()) {
        if let Ok(x) = field::from_bytes(&bytes) {
            prop_assert_eq!(field::to_bytes(&x), bytes);
        }
    }

    #[test]
    fn hostile_hex(text in "[0-9a-fA-F+ é_]{60,66}|[0-9a-f]{64}|0[0-9a-f]{62}[0-9a-fA-F]") {
        if let Ok(x) = field::from_hex(&text) {
            prop_assert_eq!(field::to_hex(&x), text);
        }
    }

    #[test]
    fn public_keys(point in points()) {
        let key = PublicKey::from(point);
        prop_assert_eq!(PublicKey::from_bytes(&key.to_bytes()), Ok(key));
    }

    #[test]
    fn hostile_public_keys(front in any::<[u8; 32]>(), back in any::<[u8; 32]>()) {
        let bytes: [u8; POINT_BYTES] = [front, back].concat().try_into().unwrap();
        if let Ok(key) = PublicKey::from_bytes(&bytes) {
            prop_assert_eq!(key.to_bytes(), bytes);
            prop_assert!(key.check().is_err());
        }
    }

    #[test]
    fn signature_bytes(signature in signatures()) {
        prop_assert_eq!(Signature::from_bytes(&signature.to_bytes()), Ok(signature));
    }

    #[test]
    fn hostile_signatures(bytes in vec(any::<u8>(), SIGNATURE_BYTES), zero in 0..SIGNATURE_BYTES) {
        let mut bytes: [u8; SIGNATURE_BYTES] = bytes.try_into().unwrap();
        bytes[zero] = 0;
        if let Ok(signature) = Signature::from_bytes(&bytes) {
            prop_assert_eq!(signature.to_bytes(), bytes);
        }
    }

    #[test]
    fn head_bytes(head in heads()) {
        prop_assert_eq!(Head::from_bytes(&head.to_bytes()), Ok(head));
    }

    #[test]
    fn hostile_heads(bytes in vec(0..80u8, HEAD_BYTES)) {
        let bytes: [u8; HEAD_BYTES] = bytes.try_into().unwrap();
        if let Ok(head) = Head::from_bytes(&bytes) {
            prop_assert_eq!(head.to_bytes(), bytes);
        }
    }

    #[test]
    fn op_bytes(ts in any::<u64>(), key in vec(any::<u8>(), KEY_BYTES), value in elements()) {
        let op = Op { more: false, ts, key: Key::from_slice(&key).unwrap(), value };
        prop_assert_eq!(Op::from_bytes(&op.to_bytes()), Ok(op));
    }

    #[test]
    fn hostile_ops(bytes in vec(any::<u8>(), OP_BYTES)) {
        let bytes: [u8; OP_BYTES] = bytes.try_into().unwrap();
        if let Ok(op) = Op::from_bytes(&bytes) {
            prop_assert_eq!(op.to_bytes(), bytes);
        }
    }

    #[test]
    fn genesis_configs(salt in elements(), writers in vec(points(), 1..5)) {
        let genesis = Genesis { salt, sharing: Sharing::Everyone, writers: writers.into_iter().map(PublicKey::from).collect() };
        prop_assert_eq!(Genesis::from_bytes(&genesis.to_bytes()), Ok(genesis));
    }

    #[test]
    fn hostile_genesis_configs(
        bytes in hostile(Genesis { salt: F::from(1u64), sharing: Sharing::Owner, writers: vec![
            PublicKey { x: F::from(2u64), y: F::from(3u64) }; 2
        ] }.to_bytes())
    ) {
        if let Ok(genesis) = Genesis::from_bytes(&bytes) {
            prop_assert_eq!(genesis.to_bytes(), bytes);
        }
    }

    #[test]
    fn hostile_genesis_noise(bytes in vec(any::<u8>(), 0..200)) {
        let _ = Genesis::from_bytes(&bytes);
    }
}
