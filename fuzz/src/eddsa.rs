//! The targets of public keys and signatures.

use ark_ec::AffineRepr;
use rootfold_core::{
    eddsa::{to_ark, verify, PublicKey, Signature},
    head::signed_message,
};

use crate::{
    honest::{honest, Honest},
    Verdict,
};

/// The honest signature of the owner's next op, with its public key and message.
fn signed(honest: &Honest) -> (PublicKey, rootfold_core::F, Signature) {
    let (batch, _) = honest.next_of(0);
    let op = batch.ops[0];
    let tip = honest.tips[&0].apply(0, &op.op).expect("the honest ops extend the log");
    let message = signed_message(tip.head.head, tip.head.seq);
    (tip.head.public_key, message, op.signature.expect("the owner signs every op"))
}

/// [`PublicKey::from_bytes`] and [`PublicKey::check`]: 64 bytes.
///
/// Every decoded key has one encoding. A valid key is on the curve and does not have small order.
/// Only the signer's key verifies an honest signature.
pub fn public_key(bytes: &[u8]) -> Verdict {
    let Ok(array) = bytes.try_into() else { return Verdict::Refused };
    let Ok(key) = PublicKey::from_bytes(array) else { return Verdict::Refused };
    assert_eq!(key.to_bytes(), *array, "a key has one encoding");
    let point = to_ark(key.x, key.y);
    let good = point.is_on_curve() && !point.clear_cofactor().is_zero();
    assert_eq!(key.check().is_ok(), good);
    let (signer, message, signature) = signed(honest());
    let verifies = verify(&key, message, &signature).is_ok();
    assert_eq!(verifies, key == signer, "exactly the signer's key verifies the signature");
    Verdict::of(good)
}

/// [`Signature::from_bytes`] and [`verify`]: 96 bytes.
///
/// Every decoded signature has one encoding. Only the honest signature verifies for its message.
pub fn signature(bytes: &[u8]) -> Verdict {
    let Ok(array) = bytes.try_into() else { return Verdict::Refused };
    let Ok(decoded) = Signature::from_bytes(array) else { return Verdict::Refused };
    assert_eq!(decoded.to_bytes(), *array, "a signature has one encoding");
    let (signer, message, signature) = signed(honest());
    let verifies = verify(&signer, message, &decoded).is_ok();
    assert_eq!(verifies, decoded == signature, "exactly the honest signature verifies");
    Verdict::of(verifies)
}
