//! Altered bytes are refused with an error and without a panic.

use crate::common::{parameters, proof, space};
use proptest::{prelude::*, test_runner::TestRunner};
use rootfold_verifier::{verify_bytes, DecodeError, VerifyError, VerifyingKey};

#[test]
fn no_altered_proof_is_accepted() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let honest = proof(2).encode();
    let refuse = |bytes: &[u8]| verify_bytes(key, space(), bytes).unwrap_err();
    let len = honest.len();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(300));

    let flips = proptest::collection::vec((0..len, 0..8u8), 1..4);
    let flipped = runner.run(&flips, |flips| {
        let mut bytes = honest.clone();
        for (at, bit) in flips {
            bytes[at] ^= 1 << bit;
        }
        prop_assume!(bytes != honest);
        refuse(&bytes);
        Ok(())
    });
    flipped.unwrap();

    // The first kilobyte has every kind of element except CycleFold witnesses.
    for at in 0..1100 {
        let mut bytes = honest.clone();
        bytes[at] ^= 0x10;
        refuse(&bytes);
    }

    let filled = (0..len, 1..200usize, prop_oneof![Just(0u8), Just(0xff), any::<u8>()]);
    let overwritten = runner.run(&filled, |(at, count, byte)| {
        let mut bytes = honest.clone();
        let end = (at + count).min(len);
        bytes[at..end].fill(byte);
        prop_assume!(bytes != honest);
        refuse(&bytes);
        Ok(())
    });
    overwritten.unwrap();

    let wrong_length = |got: usize| VerifyError::Decode(DecodeError::Length { expected: len, got });
    let lengths = runner.run(&(0..2 * len), |got| {
        prop_assume!(got != len);
        let mut bytes = honest.clone();
        bytes.resize(got, 0);
        prop_assert_eq!(refuse(&bytes), wrong_length(got));
        Ok(())
    });
    lengths.unwrap();

    let noise = runner.run(&proptest::collection::vec(any::<u8>(), len), |bytes| {
        refuse(&bytes);
        Ok(())
    });
    noise.unwrap();
}

#[test]
fn verifying_keys_are_read_strictly() {
    let parameters = parameters();
    let honest = parameters.verifying_key().key();
    let bytes = honest.encode();
    for cut in 0..bytes.len() {
        assert!(VerifyingKey::decode(&bytes[..cut]).is_err());
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(VerifyingKey::decode(&longer), Err(DecodeError::Trailing(1)));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(500));
    let flipped = runner.run(&(0..bytes.len(), 0..8u8), |(at, bit)| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1 << bit;
        if let Ok(other) = VerifyingKey::decode(&bytes) {
            prop_assert_ne!(other.id(), honest.id());
        }
        Ok(())
    });
    flipped.unwrap();
}
