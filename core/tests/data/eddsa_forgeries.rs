//! Signatures and keys that must be refused.

use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};
use rootfold_core::{
    eddsa::{
        verify, KeyRefused, Point, PublicKey, Scalar, SecretKey, Signature, SignatureBytesRefused,
        SignatureRefused, SIGNATURE_BYTES,
    },
    field::{self, FieldError},
    F,
};

use crate::{
    common::{element, rng, secret_of},
    vectors::{self, vectors},
};

fn signed() -> (PublicKey, F, Signature) {
    let (secret, message) = (secret_of(1), F::from(77u64));
    let signature = secret.sign(message);
    assert_eq!(verify(&secret.public_key(), message, &signature), Ok(()));
    (secret.public_key(), message, signature)
}

/// The modulus of the field: encodings must be below.
fn modulus_bytes() -> Vec<u8> {
    F::MODULUS.to_bytes_be()
}

#[test]
fn another_message_key_or_scalar() {
    let (key, message, signature) = signed();
    let wrong = Err(SignatureRefused::WrongSignature);
    assert_eq!(verify(&key, message + F::ONE, &signature), wrong);
    assert_eq!(verify(&secret_of(2).public_key(), message, &signature), wrong);
    let mutated = Signature { s: signature.s + Scalar::ONE, ..signature };
    assert_eq!(verify(&key, message, &mutated), wrong);
    let other = secret_of(1).sign(message + F::ONE);
    assert_eq!(verify(&key, message, &Signature { r8: other.r8, ..signature }), wrong);
    assert_eq!(verify(&key, message, &Signature::placeholder()), wrong);
}

#[test]
fn s_not_below_the_order() {
    let (_, _, signature) = signed();
    let mut bytes = signature.to_bytes();
    for (too_large, what) in [
        (Scalar::MODULUS.to_bytes_be(), "order"),
        (
            {
                let mut sum = signature.s.into_bigint();
                assert!(!sum.add_with_carry(&Scalar::MODULUS));
                sum.to_bytes_be()
            },
            "S + order",
        ),
        (vec![0xff; 32], "2^256 - 1"),
    ] {
        bytes[64..].copy_from_slice(&too_large);
        let refused = Signature::from_bytes(&bytes);
        assert_eq!(refused, Err(SignatureBytesRefused::ScalarTooLarge), "{what}");
    }
    let mut largest = Scalar::MODULUS;
    assert!(!largest.sub_with_borrow(&1u64.into()));
    bytes[64..].copy_from_slice(&largest.to_bytes_be());
    assert_eq!(Signature::from_bytes(&bytes).unwrap().s, -Scalar::ONE);
}

#[test]
fn coordinates_not_below_the_modulus() {
    let (key, _, signature) = signed();
    for at in [0, 32] {
        let mut bytes = signature.to_bytes();
        bytes[at..at + 32].copy_from_slice(&modulus_bytes());
        let refused = Signature::from_bytes(&bytes);
        assert!(matches!(refused, Err(SignatureBytesRefused::Coordinate(_))));

        let mut bytes = key.to_bytes();
        bytes[at..at + 32].copy_from_slice(&modulus_bytes());
        let refused = PublicKey::from_bytes(&bytes);
        assert!(matches!(refused, Err(FieldError::NotCanonical { .. })));
        // x + modulus: a second encoding of a valid coordinate, if it fits in 32 bytes.
        let mut sum = key.x.into_bigint();
        if !sum.add_with_carry(&F::MODULUS) {
            let mut bytes = key.to_bytes();
            bytes[..32].copy_from_slice(&sum.to_bytes_be());
            assert!(PublicKey::from_bytes(&bytes).is_err());
        }
    }
}

#[test]
fn r8_off_the_curve() {
    let (key, message, signature) = signed();
    for r8 in [
        Point { x: signature.r8.x + F::ONE, ..signature.r8 },
        Point { y: signature.r8.y + F::ONE, ..signature.r8 },
        Point { x: F::ZERO, y: F::ZERO },
    ] {
        let refused = verify(&key, message, &Signature { r8, ..signature });
        assert_eq!(refused, Err(SignatureRefused::R8NotOnCurve));
    }
}

#[test]
fn key_off_the_curve() {
    let (key, message, signature) = signed();
    for key in [
        PublicKey { x: key.x + F::ONE, ..key },
        PublicKey { y: key.y + F::ONE, ..key },
        PublicKey { x: F::ZERO, y: F::ZERO },
    ] {
        assert_eq!(key.check(), Err(KeyRefused::NotOnCurve));
        let refused = verify(&key, message, &signature);
        assert_eq!(refused, Err(SignatureRefused::Key(KeyRefused::NotOnCurve)));
    }
}

/// Under a key of small order `(r * B8, r)` satisfies the equation for every message.
#[test]
fn keys_of_small_order() {
    let small = vectors().small_order;
    assert_eq!(small.len(), 8);
    let (_, message, signature) = signed();
    for point in &small {
        let key = vectors::public_key(point);
        assert!(key.point().is_on_curve());
        assert_eq!(key.check(), Err(KeyRefused::SmallOrder));
        for forged in [signature, Signature::placeholder()] {
            let refused = verify(&key, message, &forged);
            assert_eq!(refused, Err(SignatureRefused::Key(KeyRefused::SmallOrder)));
        }
    }
}

#[test]
fn random_signatures_do_not_verify() {
    let mut rng = rng(5);
    let (key, message, good) = signed();
    for _ in 0..50 {
        let mut bytes = good.to_bytes();
        let at = (element(&mut rng).into_bigint().0[0] as usize) % SIGNATURE_BYTES;
        bytes[at] ^= 1 << (element(&mut rng).into_bigint().0[0] % 8);
        if let Ok(changed) = Signature::from_bytes(&bytes) {
            assert!(verify(&key, message, &changed).is_err(), "byte {at}");
        }
    }
}

#[test]
fn a_secret_key_is_not_printed() {
    let secret = SecretKey::random(&mut rng(6));
    let shown = format!("{secret:?}").to_lowercase();
    for hidden in [
        hex::encode(*secret.to_bytes()),
        format!("{:?}", *secret.to_bytes()),
        "scalar".into(),
        "prefix".into(),
    ] {
        assert!(!shown.contains(&hidden));
    }
    assert!(!shown.contains(&field::to_hex(&F::from_be_bytes_mod_order(&secret.to_bytes()[..]))));
}

#[test]
fn random_keys_differ() {
    let mut rng = rng(7);
    let (a, b) = (SecretKey::random(&mut rng), SecretKey::random(&mut rng));
    assert_ne!(a.public_key(), b.public_key());
    assert_eq!(a.public_key().check(), Ok(()));
}
