//! Every gadget agrees with its native twin on random inputs.

use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field, PrimeField};
use ark_grumpkin::Affine;
use ark_r1cs_std::{alloc::AllocVar, prelude::Boolean, GR1CSVar};
use rand::Rng;
use rootfold_arith::poseidon::MAX_INPUTS;
use rootfold_circuits::{
    accumulator::{accumulate, class, number, Addend, PointVar},
    bits::range_bits,
    eddsa::{verify, SignatureVar},
    hash::hash,
    head::{link, signed_message, HeadVar},
    height::height,
    item::item,
    key::{head_key_digest, key_digest},
    step::RegistersVar,
    Var,
};
use rootfold_core::{
    accumulator::{self, phi, Class, Lane},
    eddsa::{from_ark, to_ark, Point, PublicKey, Scalar, SecretKey, Signature, BASE8},
    hash::{hash_slice, Tag},
    head::Head,
    key::Key,
    step::Registers,
    F,
};

use crate::{field, fresh, seeded, witness};

#[test]
fn poseidon() {
    let mut rng = seeded();
    for n in 1..=MAX_INPUTS {
        for tag in [Tag::Circomlib, Tag::Item, Tag::Cursor] {
            let cs = fresh();
            let inputs: Vec<F> = (0..n).map(|_| field(&mut rng)).collect();
            let mut vars: Vec<Var> = inputs.iter().map(|x| witness(&cs, *x)).collect();
            let native = hash_slice(tag, &inputs);
            assert_eq!(hash(tag, &vars).unwrap().value().unwrap(), native);
            assert!(cs.is_satisfied().unwrap());

            // With some constant inputs, then with all inputs constant.
            vars[0] = Var::Constant(inputs[0]);
            assert_eq!(hash(tag, &vars).unwrap().value().unwrap(), native);
            assert!(cs.is_satisfied().unwrap());
            let constants: Vec<Var> = inputs.iter().map(|x| Var::Constant(*x)).collect();
            assert_eq!(hash(tag, &constants).unwrap().value().unwrap(), native);
        }
    }
}

#[test]
fn digests() {
    let mut rng = seeded();
    let cs = fresh();
    let x: Vec<F> = (0..4).map(|_| field(&mut rng)).collect();
    let v: Vec<Var> = x.iter().map(|x| witness(&cs, *x)).collect();
    let native_item = rootfold_core::item::item(x[0], x[1], x[2]);
    assert_eq!(item(&v[0], &v[1], &v[2]).unwrap().value().unwrap(), native_item);
    let limbs = [v[0].clone(), v[1].clone(), v[2].clone()];
    let native_key = rootfold_core::key::key_digest([x[0], x[1], x[2]]);
    assert_eq!(key_digest(&limbs).unwrap().value().unwrap(), native_key);
    for more in [false, true] {
        let native_link = rootfold_core::head::link(x[0], x[1], more);
        let more = Boolean::new_witness(cs.clone(), || Ok(more)).unwrap();
        assert_eq!(link(&v[0], &v[1], &more).unwrap().value().unwrap(), native_link);
    }
    let native_message = rootfold_core::head::signed_message(x[2], x[3]);
    assert_eq!(signed_message(&v[2], &v[3]).unwrap().value().unwrap(), native_message);

    let writer: u32 = rng.gen();
    let digest = head_key_digest(&witness(&cs, F::from(writer))).unwrap();
    assert_eq!(digest.value().unwrap(), Key::head(writer).digest());

    let head =
        Head { public_key: PublicKey { x: x[0], y: x[1] }, seq: x[2], head: x[3], shared: F::ONE };
    for head in [head, Head { shared: F::ZERO, ..head }] {
        let var = HeadVar::new_witness(&cs, &head).unwrap();
        assert_eq!(var.digest().unwrap().value().unwrap(), head.digest());
    }
    assert!(cs.is_satisfied().unwrap());
}

#[test]
fn heights() {
    let mut rng = seeded();
    let mut seen = [false; 3];
    while seen.contains(&false) {
        let kappa = field(&mut rng);
        let native = rootfold_core::height::height(kappa);
        if let Some(seen) = seen.get_mut(native) {
            *seen = true;
        }
        let cs = fresh();
        let kappa = witness(&cs, kappa);
        assert_eq!(height(&cs, &kappa).unwrap().value().unwrap(), F::from(native as u64));
        assert!(cs.is_satisfied().unwrap());
    }
}

#[test]
fn ranges() {
    for n in [1usize, 4, 64, 248] {
        let limit = F::from(2u64).pow([n as u64]);
        for (x, fits) in [(F::ZERO, true), (limit - F::ONE, true), (limit, false), (-F::ONE, false)]
        {
            let cs = fresh();
            range_bits(&cs, &witness(&cs, x), n).unwrap();
            assert_eq!(cs.is_satisfied().unwrap(), fits, "{x} in {n} bits");
        }
    }
}

fn addend(item: F, height: u8) -> accumulator::Addend {
    accumulator::Addend { class: Class::User, height, item }
}

fn accumulated(
    acc: Affine,
    active: bool,
    addend: &accumulator::Addend,
    lane: Lane,
) -> Option<Affine> {
    let cs = fresh();
    let active = Boolean::new_witness(cs.clone(), || Ok(active)).unwrap();
    let acc = PointVar::new_witness(&cs, &acc).unwrap();
    let item = witness(&cs, addend.item);
    let height = witness(&cs, F::from(addend.height));
    let number = number(&class(addend.class), &height);
    let addend = Addend { active: &active, number: &number, item: &item, lane };
    let sum = accumulate(&cs, &acc, &addend).unwrap();
    let sum = Affine::new_unchecked(sum.x.value().unwrap(), sum.y.value().unwrap());
    cs.is_satisfied().unwrap().then_some(sum)
}

#[test]
fn accumulation() {
    let mut rng = seeded();
    let mut acc = accumulator::start();
    let items: Vec<_> = (0..6).map(|height| addend(field(&mut rng), 2 * height)).collect();
    for item in &items {
        let native = accumulator::accumulate(acc, item, phi(item, Lane::Log));
        assert_eq!(accumulated(acc, true, item, Lane::Log), native);
        assert_eq!(accumulated(acc, false, item, Lane::Log), Some(acc));
        acc = native.unwrap();
    }
    // The other lane, in another order, returns the sum to its start.
    for item in items.iter().rev() {
        acc = accumulated(acc, true, item, Lane::Merge).unwrap();
    }
    assert_eq!(acc, accumulator::start());
    // The addition of a point to itself has no slope.
    let item = &items[0];
    let point = phi(item, Lane::Log);
    let point = Affine::new(item.x(point.j), point.y);
    assert_eq!(accumulated(point, true, item, Lane::Log), None);
    assert_eq!(accumulated(point, true, item, Lane::Merge), None);
    assert_eq!(accumulated(point, false, item, Lane::Log), Some(point));
}

fn accepts(condition: bool, key: &PublicKey, message: F, signature: &Signature) -> bool {
    let cs = fresh();
    let condition = Boolean::new_witness(cs.clone(), || Ok(condition)).unwrap();
    let (x, y) = (witness(&cs, key.x), witness(&cs, key.y));
    let signature = SignatureVar::new_witness(&cs, signature).unwrap();
    // Off the curve the complete formulas can meet a zero denominator, and no witness exists.
    let verified = verify(&cs, &condition, (&x, &y), &witness(&cs, message), &signature);
    verified.is_ok() && cs.is_satisfied().unwrap()
}

#[test]
fn signatures() {
    let mut rng = seeded();
    let secret = SecretKey::random(&mut rng);
    let key = secret.public_key();
    let message = field(&mut rng);
    let signature = secret.sign(message);
    let agree = |key: &PublicKey, message: F, signature: &Signature| {
        let native = rootfold_core::eddsa::verify(key, message, signature).is_ok();
        assert_eq!(accepts(true, key, message, signature), native);
        native
    };
    assert!(agree(&key, message, &signature));
    assert!(!agree(&key, message + F::ONE, &signature));
    assert!(!agree(&SecretKey::random(&mut rng).public_key(), message, &signature));
    let mut other_s = signature;
    other_s.s += Scalar::ONE;
    assert!(!agree(&key, message, &other_s));
    let mut off_curve = signature;
    off_curve.r8.x += F::ONE;
    assert!(!agree(&key, message, &off_curve));
    // If no run ends, no signature is needed, for any public key in the registers.
    assert!(accepts(false, &key, message + F::ONE, &signature));
    assert!(accepts(false, &PublicKey { x: F::ZERO, y: F::ZERO }, message, &signature));

    // Keys of small order, for which 8 * h * A is the identity, so that R8 = S * B8 would be valid.
    let forged = Signature { r8: times_base8(signature.s), s: signature.s };
    for (x, y) in [(F::ZERO, F::ONE), (F::ZERO, -F::ONE)] {
        assert!(!agree(&PublicKey { x, y }, message, &forged));
    }
}

/// `s * B8` in circomlib's coordinates.
fn times_base8(s: Scalar) -> Point {
    from_ark(&to_ark(BASE8.x, BASE8.y).mul_bigint(s.into_bigint()).into_affine())
}

#[test]
fn cursors() {
    let mut rng = seeded();
    for _ in 0..4 {
        let mut registers = Registers::idle();
        registers.active = rng.gen();
        registers.known = rng.gen();
        registers.wait_right = rng.gen();
        registers.floor = rng.gen::<u32>().into();
        registers.ts = rng.gen();
        registers.more = rng.gen();
        registers.kappa = field(&mut rng);
        registers.value = field(&mut rng);
        registers.head.shared = F::from(rng.gen::<bool>());
        registers.head.head = field(&mut rng);
        registers.stamp = field(&mut rng);
        registers.old.above[3] = field(&mut rng);
        registers.new.open = field(&mut rng);
        registers.cur = rng.gen_range(0..13);
        let cs = fresh();
        let var = RegistersVar::new_witness(&cs, &registers).unwrap();
        assert_eq!(var.digest(&cs).unwrap().value().unwrap(), registers.digest());
        assert!(cs.is_satisfied().unwrap());
    }
}
