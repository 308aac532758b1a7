//! The lists of points that a setup publishes for provers, and their bytes.

use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use rayon::prelude::*;
use rootfold_arith::encoding::{DecodeError, Reader, Writer, FIELD_BYTES};
use rootfold_verifier::{
    domain,
    folding::{commitment::TwoListKey, digest::Digest},
    VerifyingKey,
};
use sonobe_primitives::arithmetizations::ArithConfig;

const G1_BYTES: usize = 2 * FIELD_BYTES;
const G2_BYTES: usize = 4 * FIELD_BYTES;

/// Groth16 proving key over BN254.
pub type Groth16Key = ark_groth16::ProvingKey<Bn254>;

/// Everything that a setup publishes, in the form that provers use.
#[derive(Clone, Debug)]
pub struct Bases {
    /// Groth16 key: `a`, `b` in G2, `h`, and the public input bases of 1 and of the step's input.
    pub groth16: Groth16Key,
    /// Nova's commitment key.
    pub commitment: TwoListKey,
    /// `sigma_W * key_W`.
    pub knowledge_w: Vec<G1Affine>,
    /// `sigma_E * key_E`.
    pub knowledge_e: Vec<G1Affine>,
    /// `[sigma_W]_2`.
    pub sigma_w_g2: G2Affine,
    /// `[sigma_E]_2`.
    pub sigma_e_g2: G2Affine,
}

/// Digest of the lists of bases: `proving_digest` of a verifying key.
pub(crate) fn proving_digest(bases: &Bases) -> Digest {
    list_digest(&encode_lists(bases))
}

/// [`proving_digest`] of encoded lists.
pub(crate) fn list_digest(lists: &[u8]) -> Digest {
    blake3::derive_key(domain::PROVING_BASES, lists)
}

/// The lists' bytes: those in G1, then that in G2, without lengths.
pub(crate) fn encode_lists(bases: &Bases) -> Vec<u8> {
    let g1 = [
        bases.commitment.witness(),
        bases.commitment.error(),
        &bases.knowledge_w,
        &bases.knowledge_e,
        &bases.groth16.a_query,
        &bases.groth16.h_query,
    ];
    let mut bytes: Vec<u8> = g1.into_iter().flat_map(encode_points).collect();
    bytes.extend(encode_points(&bases.groth16.b_g2_query));
    bytes
}

fn encode_points<C: SWCurveConfig>(points: &[Affine<C>]) -> Vec<u8> {
    let chunks: Vec<Vec<u8>> = points
        .par_chunks(1024)
        .map(|chunk| {
            let mut bytes = Writer::little_endian(chunk.len() * G2_BYTES);
            for point in chunk {
                bytes.point(point);
            }
            bytes.finish()
        })
        .collect();
    chunks.concat()
}

/// The number of bytes of [`encode_lists`] for these sizes; `None` if it is beyond a `u64`.
pub(crate) fn lists_len(sizes: &ArithConfig) -> Option<u64> {
    let [witnesses, rows, columns] =
        [sizes.n_witnesses, sizes.n_constraints, sizes.n_variables].map(|count| count as u128);
    let domain = (rows + 1).next_power_of_two();
    let g1 = 2 * witnesses + 2 * rows + columns + domain - 1;
    u64::try_from(g1 * G1_BYTES as u128 + columns * G2_BYTES as u128).ok()
}

/// Reads lists of the lengths that `sizes` give. `None` if the two commitment lists have one
/// length, which no verifying key allows.
///
/// # Errors
/// [`DecodeError`] for another number of bytes or a coordinate at or above the modulus.
pub(crate) fn decode_lists(
    bytes: &[u8],
    key: &VerifyingKey,
    sizes: &ArithConfig,
) -> Result<Option<Bases>, DecodeError> {
    let (witnesses, rows, columns) = (sizes.n_witnesses, sizes.n_constraints, sizes.n_variables);
    let domain = (rows + 1).next_power_of_two();
    let mut reader = Reader::little_endian(bytes);
    let mut g1 = |len: usize| -> Result<Vec<G1Affine>, DecodeError> {
        decode_points(reader.bytes(len * G1_BYTES)?, G1_BYTES)
    };
    let (witness, error) = (g1(witnesses)?, g1(rows)?);
    let (knowledge_w, knowledge_e) = (g1(witnesses)?, g1(rows)?);
    let (a_query, h_query) = (g1(columns)?, g1(domain - 1)?);
    let b_g2_query: Vec<G2Affine> = decode_points(reader.bytes(columns * G2_BYTES)?, G2_BYTES)?;
    reader.finish()?;
    let Ok(commitment) = TwoListKey::new(witness, error) else {
        return Ok(None);
    };
    Ok(Some(Bases {
        groth16: Groth16Key {
            vk: ark_groth16::VerifyingKey {
                alpha_g1: key.alpha_g1,
                beta_g2: key.beta_g2,
                gamma_g2: key.gamma_g2,
                delta_g2: key.delta_g2,
                gamma_abc_g1: vec![key.base_one_g1, key.base_x_g1],
            },
            beta_g1: G1Affine::identity(),
            delta_g1: G1Affine::identity(),
            a_query,
            b_g1_query: Vec::new(),
            b_g2_query,
            h_query,
            l_query: Vec::new(),
        },
        commitment,
        knowledge_w,
        knowledge_e,
        sigma_w_g2: key.sigma_w_g2,
        sigma_e_g2: key.sigma_e_g2,
    }))
}

/// Reads points without checking that they are on the curve. The caller has compared the digest of
/// the bytes with that in the key.
fn decode_points<C: SWCurveConfig>(
    bytes: &[u8],
    width: usize,
) -> Result<Vec<Affine<C>>, DecodeError> {
    bytes
        .par_chunks_exact(width)
        .map(|chunk| Reader::little_endian(chunk).point_unchecked())
        .collect()
}
