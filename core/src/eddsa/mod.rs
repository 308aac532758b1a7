//! EdDSA-Poseidon on Baby Jubjub, exactly as circomlib defines it (design 2; Bernstein et al.,
//! "High-speed high-security signatures", 2011, with Poseidon for the challenge).
//!
//! A browser signs with `circomlibjs` or `@zk-kit/eddsa-poseidon`. One equation counts, here and in
//! the circuit: `S * B8 = R8 + 8 * h * A`, `0 <= S <` order of the subgroup, with the challenge
//! `h = H_5(R8.x, R8.y, A.x, A.y, message)` of tag 0, taken as an integer. A public key of small
//! order is refused: it would sign every message.

mod curve;
mod public;
mod secret;
mod signature;

pub use curve::{
    from_ark, to_ark, Point, Scalar, A, BASE8, D, POINT_BYTES, X_SCALE, X_SCALE_INVERSE,
};
pub use public::{KeyRefused, PublicKey};
pub use secret::{SecretKey, SECRET_KEY_BYTES};
pub use signature::{
    challenge, verify, Signature, SignatureBytesRefused, SignatureRefused, SIGNATURE_BYTES,
};
