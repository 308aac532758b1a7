//! The CycleFold circuit, and the check of a CycleFold instance against its witness. The witness is
//! part of the proof.

use std::sync::OnceLock;

use ark_crypto_primitives::sponge::poseidon::PoseidonConfig;
use ark_ec::short_weierstrass::SWCurveConfig;
use ark_ff::{AdditiveGroup, Field};
use ark_grumpkin::GrumpkinConfig;
use ark_relations::gr1cs::SynthesisError;
use ark_std::{cfg_into_iter, rand::Rng, UniformRand};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
#[cfg(feature = "parallel")]
use rayon::prelude::*;
use rootfold_arith::{encoding::Writer, jacobi::is_nonzero_square, msm::PreparedBases};
use sonobe_ivc::compilers::cyclefold::{
    adapters::nova::NovaCycleFoldCircuit, circuits::CycleFoldCircuit,
};
use sonobe_primitives::{
    arithmetizations::{ccs::CCS, r1cs::R1CS, Arith},
    circuits::ArithExtractor,
};

use super::{
    digest::{r1cs_digest, Digest},
    shared_rows::SharedRows,
    sonobe::{CycleFoldInstance, Fq, F},
};
use crate::domain;

/// Bits of a folding challenge.
const CHALLENGE_BITS: usize = 128;

/// The constraints of the CycleFold circuit, which computes `U.cm + rho * cm` on BN254.
///
/// # Errors
/// Only if sonobe cannot synthesize its own circuit.
pub fn cyclefold_r1cs() -> Result<R1CS<Fq>, SynthesisError> {
    let cs = ArithExtractor::new();
    let circuit = NovaCycleFoldCircuit::<ark_bn254::G1Projective, CHALLENGE_BITS>::default();
    cs.execute_fn(|cs| circuit.verify_point_rlc(cs))?;
    cs.arith()
}

/// The random number generator from which the Grumpkin bases are drawn.
///
/// Its seed is public, and each base is drawn by its x coordinate, so nobody knows a discrete
/// logarithm between two bases. sonobe's Pedersen key generation draws the same bases from it as
/// [`CycleFoldShape::bases`].
pub fn bases_rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed(blake3::derive_key(domain::GRUMPKIN_BASES, b""))
}

/// The bases of the CycleFold circuit. Drawing and preparing them takes some hundredths of a
/// second, and a prover needs them in two places.
static BASES: OnceLock<PreparedBases<GrumpkinConfig>> = OnceLock::new();

/// The bases, drawn at the first call. Two threads may both draw them: a thread that waited for the
/// other inside a parallel loop could be given that other's work, and wait for itself.
fn bases(len: usize) -> &'static PreparedBases<GrumpkinConfig> {
    BASES.get().unwrap_or_else(|| {
        let drawn = draw_bases(len);
        BASES.get_or_init(|| drawn)
    })
}

fn draw_bases(len: usize) -> PreparedBases<GrumpkinConfig> {
    let mut rng = bases_rng();
    let drawn: Vec<_> = (0..len).map(|_| draw_x(&mut rng)).collect();
    let bases: Vec<_> = cfg_into_iter!(drawn)
        .map(|(x, greatest)| {
            let point = ark_grumpkin::Affine::get_point_from_x_unchecked(x, greatest);
            point.expect("the curve's equation gives a square at x")
        })
        .collect();
    PreparedBases::new(&bases)
}

/// The x coordinate of a random point, and whether its y is the greater of the two. Consumes the
/// generator as arkworks' sampling of points does, but tests for a square with a Jacobi symbol
/// instead of a square root.
fn draw_x(rng: &mut ChaCha20Rng) -> (F, bool) {
    loop {
        let (x, greatest) = (F::rand(rng), rng.gen());
        if is_nonzero_square(&(x.square() * x + GrumpkinConfig::COEFF_B)) {
            return (x, greatest);
        }
    }
}

/// The constraints and commitment bases of CycleFold instances. The code determines them; no setup
/// is involved.
#[derive(Clone, Debug)]
pub struct CycleFoldShape {
    r1cs: R1CS<Fq>,
    rows: SharedRows,
    bases: &'static PreparedBases<GrumpkinConfig>,
}

impl CycleFoldShape {
    /// Synthesizes the circuit and draws the bases.
    ///
    /// # Errors
    /// Only if sonobe cannot synthesize its own circuit.
    pub fn new() -> Result<Self, SynthesisError> {
        let r1cs = cyclefold_r1cs()?;
        let config = r1cs.config();
        let len = config.n_constraints.max(config.n_witnesses);
        let [a, b, c] = r1cs.matrices() else { unreachable!("an R1CS has three matrices") };
        let rows = SharedRows::new(a, b, c);
        Ok(Self { r1cs, rows, bases: bases(len) })
    }

    /// The constraints of the circuit.
    pub fn r1cs(&self) -> &R1CS<Fq> {
        &self.r1cs
    }

    /// The commitment bases: as many as the longer of witness and error vector has elements.
    pub fn bases(&self) -> &[ark_grumpkin::Affine] {
        self.bases.bases()
    }

    /// Number of witness variables.
    pub fn witness_len(&self) -> usize {
        self.r1cs.config().n_witnesses
    }

    /// Number of public inputs.
    pub fn public_len(&self) -> usize {
        self.r1cs.config().n_public_inputs
    }

    /// Digest of circuit, bases and the transcript's sponge: the parts of folding that the code
    /// determines.
    pub fn digest(&self, sponge: &PoseidonConfig<F>) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key(domain::FOLDING);
        hasher.update(&r1cs_digest(&self.r1cs));
        let mut bytes = Writer::little_endian(0);
        for base in self.bases() {
            bytes.point(base);
        }
        for size in [sponge.full_rounds, sponge.partial_rounds, sponge.rate, sponge.capacity] {
            bytes.u64(size as u64);
        }
        bytes.u64(sponge.alpha);
        for row in sponge.ark.iter().chain(&sponge.mds) {
            bytes.fields(row);
        }
        hasher.update(bytes.as_slice());
        *hasher.finalize().as_bytes()
    }

    /// Whether `witness` satisfies `instance`: `cm_w` commits to it, and `cm_e` to the error vector
    /// that follows from it by the relaxed relation.
    ///
    /// The two openings are checked together, that of `cm_e` times `weight`. A false instance
    /// passes for at most one weight, so the weight must have 128 bits that are unpredictable until
    /// instance and witness are fixed.
    ///
    /// `false` for a public input or witness of the wrong length.
    pub fn is_satisfied(&self, instance: &CycleFoldInstance, witness: &[Fq], weight: Fq) -> bool {
        if instance.x.len() != self.public_len() || witness.len() != self.witness_len() {
            return false;
        }
        let error = self.rows.error(&[&[instance.u], &instance.x[..], witness].concat());
        let mut scalars: Vec<Fq> = error.iter().map(|e| weight * e).collect();
        scalars.resize(self.bases().len(), Fq::ZERO);
        for (scalar, w) in scalars.iter_mut().zip(witness) {
            *scalar += w;
        }
        self.bases.msm(&scalars) == instance.cm_w + instance.cm_e * weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folding::{sponge_config, CycleFoldCommitment};
    use ark_serialize::CanonicalSerialize;
    use sonobe_primitives::commitments::CommitmentOps;

    #[test]
    fn sonobe_draws_the_same_bases() {
        let shape = CycleFoldShape::new().expect("synthesizes");
        let key =
            CycleFoldCommitment::generate_key(shape.bases().len(), bases_rng()).expect("draws");
        let mut ours = Vec::new();
        shape.bases().to_vec().serialize_uncompressed(&mut ours).expect("serializes");
        let mut theirs = Vec::new();
        key.serialize_uncompressed(&mut theirs).expect("serializes");
        // Both start with the number of points, which sonobe rounds up to a power of two.
        assert_eq!(ours[8..], theirs[8..ours.len()]);
    }

    #[test]
    fn synthesis_is_deterministic() {
        let digest = || CycleFoldShape::new().expect("synthesizes").digest(&sponge_config());
        assert_eq!(digest(), digest());
    }
}
