//! Secret keys: 32 bytes, from which the scalar and the nonces are derived as in circomlibjs.

use ark_ec::CurveConfig;
use ark_ed_on_bn254::EdwardsConfig;
use ark_ff::{BigInteger, PrimeField};
use rand::{CryptoRng, RngCore};
use zeroize::{Zeroize, Zeroizing};

use super::{
    blake512::blake512,
    curve::{from_ark, mul_base8, reduce, Scalar},
    public::PublicKey,
    signature::{challenge, Signature},
};
use crate::F;

/// Length of a secret key in bytes.
pub const SECRET_KEY_BYTES: usize = 32;

/// A secret key. It is wiped when dropped, and `{:?}` shows only its public key.
///
/// Signing does not take constant time. Do not sign where an attacker can measure the time.
pub struct SecretKey {
    bytes: Zeroizing<[u8; SECRET_KEY_BYTES]>,
    /// `s >> 3` of circomlibjs, modulo the order of the subgroup.
    scalar: Scalar,
    /// The second half of the key's hash, from which nonces are derived.
    prefix: Zeroizing<[u8; 32]>,
    public: PublicKey,
}

impl SecretKey {
    /// The key with these bytes. Any 32 bytes are a key.
    pub fn from_bytes(bytes: [u8; SECRET_KEY_BYTES]) -> SecretKey {
        let bytes = Zeroizing::new(bytes);
        let hash = blake512(&bytes[..]);
        let mut low = Zeroizing::new([0u8; 32]);
        low.copy_from_slice(&hash[..32]);
        low[0] &= 0xf8;
        low[31] = low[31] & 0x7f | 0x40;
        // The number is a multiple of 8, so dividing by 8 modulo the order is a shift by three bits.
        let scalar = Scalar::from_le_bytes_mod_order(&low[..]) * EdwardsConfig::COFACTOR_INV;
        let mut prefix = Zeroizing::new([0u8; 32]);
        prefix.copy_from_slice(&hash[32..]);
        let public = from_ark(&mul_base8(&scalar)).into();
        SecretKey { bytes, scalar, prefix, public }
    }

    /// A random key.
    pub fn random(rng: &mut (impl RngCore + CryptoRng)) -> SecretKey {
        let mut bytes = Zeroizing::new([0u8; SECRET_KEY_BYTES]);
        rng.fill_bytes(&mut bytes[..]);
        SecretKey::from_bytes(*bytes)
    }

    /// The 32 bytes, for storage. They are wiped when dropped.
    pub fn to_bytes(&self) -> Zeroizing<[u8; SECRET_KEY_BYTES]> {
        self.bytes.clone()
    }

    /// The public key.
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// Signs `message` as circomlibjs' `signPoseidon`. The nonce is derived from key and message, so
    /// the signature is deterministic.
    pub fn sign(&self, message: F) -> Signature {
        let mut nonce_input = Zeroizing::new(self.prefix.to_vec());
        nonce_input.extend_from_slice(&message.into_bigint().to_bytes_le());
        let mut nonce_hash = blake512(&nonce_input);
        let mut nonce = Scalar::from_le_bytes_mod_order(&nonce_hash[..]);
        nonce_hash.zeroize();
        let r8 = from_ark(&mul_base8(&nonce));
        let h = reduce(&challenge(&r8, &self.public, message));
        let s = nonce + h * self.scalar * Scalar::from(8u64);
        nonce.zeroize();
        Signature { r8, s }
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.scalar.zeroize();
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretKey").field("public", &self.public).finish_non_exhaustive()
    }
}
