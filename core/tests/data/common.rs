//! Writers that sign, and random numbers with a printed seed.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rootfold_core::{
    eddsa::SecretKey,
    key::Key,
    log::{LogBatch, Op, SignedOp, Tip},
    value::value_digest,
    F,
};

/// Random numbers. Prints the seed; `ROOTFOLD_SEED` replaces it.
pub fn rng(default_seed: u64) -> ChaCha20Rng {
    let given = std::env::var("ROOTFOLD_SEED").ok().and_then(|s| s.parse().ok());
    let seed = given.unwrap_or(default_seed);
    println!("ROOTFOLD_SEED={seed}");
    ChaCha20Rng::seed_from_u64(seed)
}

/// A random field element.
pub fn element(rng: &mut impl RngCore) -> F {
    use ark_ff::UniformRand;
    F::rand(rng)
}

/// The salt of the tests' space.
pub fn salt() -> F {
    F::from(20_240_607u64)
}

/// A user key.
pub fn key(name: &str) -> Key {
    Key::shared(name.as_bytes()).unwrap()
}

/// An op that writes `value` under the user key `name`.
pub fn put(ts: u64, name: &str, value: &str) -> Op {
    Op { more: false, ts, key: key(name), value: value_digest(value.as_bytes()) }
}

/// The secret key of a writer.
pub fn secret_of(writer: u32) -> SecretKey {
    let mut bytes = [7u8; 32];
    bytes[..4].copy_from_slice(&writer.to_be_bytes());
    SecretKey::from_bytes(bytes)
}

/// A writer with their key and the tip of their log.
pub struct Writer {
    pub id: u32,
    pub secret: SecretKey,
    pub tip: Tip,
}

impl Writer {
    /// A writer of the genesis config.
    pub fn genesis(id: u32) -> Writer {
        let secret = secret_of(id);
        let tip = Tip::genesis(salt(), id, secret.public_key(), true);
        Writer { id, secret, tip }
    }

    /// Appends and signs.
    pub fn append(&mut self, op: Op) -> SignedOp {
        let (signed, tip) = SignedOp::sign(&self.tip, self.id, op, &self.secret).unwrap();
        self.tip = tip;
        signed
    }

    /// Appends and signs several ops as one batch.
    pub fn batch(&mut self, ops: &[Op]) -> LogBatch {
        let first_seq = self.tip.seq(self.id).unwrap();
        let ops = ops.iter().map(|op| self.append(*op)).collect();
        LogBatch { writer: self.id, first_seq, ops }
    }
}
