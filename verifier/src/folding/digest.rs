//! The digest of a circuit.

use ark_ff::PrimeField;
use ark_relations::gr1cs::Matrix;
use rootfold_arith::encoding::Writer;
use sonobe_primitives::arithmetizations::{ccs::CCS, r1cs::R1CS, Arith};

use crate::domain;

/// A BLAKE3 digest.
pub type Digest = [u8; 32];

/// Digest of an R1CS: its sizes, and every coefficient of `A`, `B`, `C` with its row and column.
pub fn r1cs_digest<P: PrimeField>(r1cs: &R1CS<P>) -> Digest {
    let config = r1cs.config();
    let mut hasher = blake3::Hasher::new_derive_key(domain::R1CS);
    for size in [config.n_constraints, config.n_variables, config.n_public_inputs] {
        hasher.update(&(size as u64).to_le_bytes());
    }
    for matrix in r1cs.matrices() {
        absorb_matrix(&mut hasher, matrix);
    }
    *hasher.finalize().as_bytes()
}

fn absorb_matrix<P: PrimeField>(hasher: &mut blake3::Hasher, matrix: &Matrix<P>) {
    for row in matrix {
        let mut bytes = Writer::little_endian(8 + row.len() * 40);
        bytes.u64(row.len() as u64);
        for (coefficient, column) in row {
            bytes.field(coefficient).u64(*column as u64);
        }
        hasher.update(bytes.as_slice());
    }
}
