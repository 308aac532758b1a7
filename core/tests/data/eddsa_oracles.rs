//! EdDSA with Poseidon against circomlibjs and `babyjubjub-rs`.

use std::str::FromStr;

use ark_ec::CurveGroup;
use ark_ed_on_bn254::EdwardsAffine;
use ark_ff::{AdditiveGroup, Field, PrimeField, UniformRand};
use babyjubjub_rs as oracle;
use ff_ce::PrimeField as _;
use num_bigint::BigInt;
use rand::RngCore;
use rootfold_core::{
    eddsa::{
        from_ark, to_ark, verify, KeyRefused, Point, Scalar, SecretKey, Signature,
        SignatureRefused, A, BASE8, D, X_SCALE, X_SCALE_INVERSE,
    },
    F,
};

use crate::{
    common::{element, rng},
    vectors::{self, vectors},
};

/// circomlib's addition, in circomlib's coordinates.
fn circomlib_add(p: Point, q: Point) -> Point {
    let t = D * p.x * q.x * p.y * q.y;
    Point {
        x: (p.x * q.y + p.y * q.x) * (F::ONE + t).inverse().unwrap(),
        y: (p.y * q.y - A * p.x * q.x) * (F::ONE - t).inverse().unwrap(),
    }
}

#[test]
fn the_scale_takes_one_curve_to_the_other() {
    assert_eq!(X_SCALE.square(), A);
    assert_eq!(X_SCALE * X_SCALE_INVERSE, F::ONE);
    assert_eq!(vectors::point(&vectors().base8), BASE8);
    assert!(BASE8.is_on_curve());
    let base8 = to_ark(BASE8.x, BASE8.y);
    assert!(base8.is_on_curve() && base8.is_in_correct_subgroup_assuming_on_curve());
    assert_eq!(from_ark(&base8), BASE8);

    let mut rng = rng(3);
    for _ in 0..50 {
        let (p, q) = (EdwardsAffine::rand(&mut rng), EdwardsAffine::rand(&mut rng));
        let sum = (p + q).into_affine();
        assert!(from_ark(&p).is_on_curve());
        assert_eq!(from_ark(&sum), circomlib_add(from_ark(&p), from_ark(&q)));
        let x_off = Point { x: from_ark(&p).x + F::ONE, y: p.y };
        assert_eq!(x_off.is_on_curve(), to_ark(x_off.x, x_off.y).is_on_curve());
    }
}

#[test]
fn signs_as_circomlibjs() {
    for v in vectors().signatures {
        let bytes = hex::decode(&v.secret_key).unwrap().try_into().unwrap();
        let secret = SecretKey::from_bytes(bytes);
        assert_eq!(*secret.to_bytes(), bytes);
        assert_eq!(secret.public_key(), vectors::public_key(&v.public_key));
        let signature = secret.sign(vectors::element(&v.message));
        assert_eq!(signature.r8, vectors::point(&v.r8));
        assert_eq!(signature.s.to_string(), v.s);
    }
}

#[test]
fn judges_as_circomlibjs() {
    let mut differ = 0;
    for v in vectors().verdicts {
        let s = BigInt::from_str(&v.s).unwrap();
        let order = BigInt::from_str(&Scalar::MODULUS.to_string()).unwrap();
        let key = vectors::public_key(&v.public_key);
        if s >= order {
            // S is not below the order, so the bytes are refused.
            let mut bytes = [0u8; 96];
            bytes[..64].copy_from_slice(&vectors::point(&v.r8).to_bytes());
            bytes[64..].copy_from_slice(&s.to_bytes_be().1);
            assert!(Signature::from_bytes(&bytes).is_err());
            assert!(!v.circomlibjs);
            continue;
        }
        let signature = Signature { r8: vectors::point(&v.r8), s: Scalar::from_str(&v.s).unwrap() };
        let ours = verify(&key, vectors::element(&v.message), &signature);
        if v.why == "key of small order" {
            assert!(v.circomlibjs, "circomlibjs forgot to check the order");
            assert_eq!(ours, Err(SignatureRefused::Key(KeyRefused::SmallOrder)));
            differ += 1;
        } else {
            assert_eq!(ours.is_ok(), v.circomlibjs, "{}", v.why);
        }
    }
    assert_eq!(differ, 8);
}

fn to_oracle(x: F) -> oracle::Fr {
    oracle::Fr::from_str(&x.to_string()).unwrap()
}

fn from_oracle(x: &oracle::Fr) -> F {
    let hex = ff_ce::to_hex(x);
    let bytes = hex::decode(hex).unwrap();
    F::from_be_bytes_mod_order(&bytes)
}

fn point_to_oracle(p: Point) -> oracle::Point {
    oracle::Point { x: to_oracle(p.x), y: to_oracle(p.y) }
}

fn point_from_oracle(p: &oracle::Point) -> Point {
    Point { x: from_oracle(&p.x), y: from_oracle(&p.y) }
}

#[test]
fn babyjubjub_rs_and_we_verify_each_other() {
    let mut rng = rng(4);
    for _ in 0..12 {
        let mut bytes = [0u8; 32];
        rng.fill_bytes(&mut bytes);
        let message = element(&mut rng);
        let big_message = BigInt::from_str(&message.to_string()).unwrap();

        let ours = SecretKey::from_bytes(bytes);
        let theirs = oracle::PrivateKey::import(bytes.to_vec()).unwrap();
        assert_eq!(ours.public_key().point(), point_from_oracle(&theirs.public()));

        let signature = ours.sign(message);
        let their_signature = theirs.sign(big_message.clone()).unwrap();
        assert_eq!(signature.r8, point_from_oracle(&their_signature.r_b8));
        assert_eq!(signature.s.to_string(), their_signature.s.to_string());

        let received = Signature {
            r8: point_from_oracle(&their_signature.r_b8),
            s: Scalar::from_str(&their_signature.s.to_string()).unwrap(),
        };
        assert_eq!(verify(&ours.public_key(), message, &received), Ok(()));
        let sent = || oracle::Signature {
            r_b8: point_to_oracle(signature.r8),
            s: BigInt::from_str(&signature.s.to_string()).unwrap(),
        };
        let key = || point_to_oracle(ours.public_key().point());
        assert!(oracle::verify(key(), sent(), big_message.clone()));
        assert!(!oracle::verify(key(), sent(), big_message + 1));
    }
}

#[test]
fn the_identity_is_zero_one() {
    let identity = from_ark(&EdwardsAffine::zero());
    assert_eq!(identity, Point { x: F::ZERO, y: F::ONE });
}
