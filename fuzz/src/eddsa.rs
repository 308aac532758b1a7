//! Public keys and signatures.

use ark_ec::AffineRepr;
use rootfold_core::{
    eddsa::{to_ark, verify, PublicKey, Signature},
    head::signed_message,
};

use crate::{
    honest::{honest, Honest},
    Verdict,
};

/// The honest signature over the owner's next op: key, message, signature.
fn signed(honest: &Honest) -> (PublicKey, rootfold_core::F, Signature) {
    let (batch, _) = honest.next_of(0);
    let op = batch.ops[0];
    let tip = honest.tips[&0].apply(0, &op.op).expect("honest ops continue");
    let message = signed_message(tip.head.head, tip.head.seq);
    (tip.head.public_key, message, op.signature.expect("the owner signs every op"))
}

/// [`PublicKey::from_bytes`] and [`PublicKey::check`]: 64 bytes.
///
/// One encoding; a good key is on the curve and not of small order, and no other key than the
/// signer's verifies an honest signature.
pub fn public_key(bytes: &[u8]) -> Verdict {
    let Ok(array) = bytes.try_into() else { return Verdict::Refused };
    let Ok(key) = PublicKey::from_bytes(array) else { return Verdict::Refused };
    assert_eq!(key.to_bytes(), *array, "a key has one encoding");
    let point = to_ark(key.x, key.y);
    let good = point.is_on_curve() && !point.clear_cofactor().is_zero();
    assert_eq!(key.check().is_ok(), good);
    let (signer, message, signature) = signed(honest());
    let verifies = verify(&key, message, &signature).is_ok();
    assert_eq!(verifies, key == signer, "another key's signature");
    Verdict::of(good)
}

/// [`Signature::from_bytes`] and [`verify`]: 96 bytes.
///
/// One encoding; nothing but the honest signature verifies in its place.
pub fn signature(bytes: &[u8]) -> Verdict {
    let Ok(array) = bytes.try_into() else { return Verdict::Refused };
    let Ok(decoded) = Signature::from_bytes(array) else { return Verdict::Refused };
    assert_eq!(decoded.to_bytes(), *array, "a signature has one encoding");
    let (signer, message, signature) = signed(honest());
    let verifies = verify(&signer, message, &decoded).is_ok();
    assert_eq!(verifies, decoded == signature, "a forged signature");
    Verdict::of(verifies)
}
