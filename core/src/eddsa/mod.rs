//! EdDSA on Baby Jubjub with Poseidon as the challenge hash, as circomlib defines it (Bernstein et
//! al., "High-speed high-security signatures", 2011).
//!
//! `circomlibjs` and `@zk-kit/eddsa-poseidon` produce the same signatures. A signature is valid if
//! `S * B8 = R8 + 8 * h * A` and S is below the order of the subgroup, with the challenge
//! `h = H_5(R8.x, R8.y, A.x, A.y, message)` of tag 0 as an integer. Public keys of small order are
//! refused: under such a key every message has a valid signature.

mod blake512;
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
