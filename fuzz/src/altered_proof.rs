//! The target of proofs that are altered element by element. Random bytes are almost never a point
//! of a curve. Therefore this target copies, negates and changes whole elements of the honest
//! proof, as its input specifies.

use ark_ff::{BigInteger, PrimeField};
use rootfold_arith::encoding::FIELD_BYTES;
use rootfold_verifier::{
    folding::{Fq, F},
    Proof,
};

use crate::{
    honest::{verifying_key, PROOF},
    proof::{assert_proof, assert_statement, verified},
    Verdict,
};

/// Length of the magic number and the version, in bytes.
const PREFIX: usize = 9;
/// Length of one change in the input, in bytes.
const CHANGE_BYTES: usize = 6;
/// The largest number of changes. Later ones are ignored.
const MAX_CHANGES: usize = 16;

/// The type of an element of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An integer of eight bytes.
    Number,
    /// An element of the scalar field of BN254.
    Scalar,
    /// An element of the base field of BN254.
    Base,
    /// A point of G1.
    G1,
    /// A point of G2.
    G2,
    /// A point of Grumpkin.
    Grumpkin,
}

impl Kind {
    fn bytes(self) -> usize {
        match self {
            Kind::Number => 8,
            Kind::Scalar | Kind::Base => FIELD_BYTES,
            Kind::G1 | Kind::Grumpkin => 2 * FIELD_BYTES,
            Kind::G2 => 4 * FIELD_BYTES,
        }
    }
}

/// The elements of an encoded proof before the public input of the CycleFold instance, in order.
/// All later elements are of the kind `Base`.
const ELEMENTS: [Kind; 19] = [
    Kind::Number,
    Kind::Scalar,
    Kind::Number,
    Kind::G1,
    Kind::Scalar,
    Kind::G1,
    Kind::Scalar,
    Kind::G1,
    Kind::Scalar,
    Kind::G1,
    Kind::G1,
    Kind::G2,
    Kind::G1,
    Kind::G1,
    Kind::G1,
    Kind::Grumpkin,
    Kind::Base,
    Kind::Grumpkin,
    Kind::Base,
];

/// The kind of element `index` and its position in bytes. `None` after the end of the proof.
fn element(index: usize) -> Option<(Kind, usize)> {
    let kind = |index: usize| *ELEMENTS.get(index).unwrap_or(&Kind::Base);
    let begin = PREFIX + (0..index).map(|index| kind(index).bytes()).sum::<usize>();
    (begin + kind(index).bytes() <= PROOF.len()).then(|| (kind(index), begin))
}

/// Applies changes to the honest proof, then decodes and verifies it. A change has six bytes: the
/// index of the element (two bytes, big-endian), the operation (one byte), the index of another
/// element (two bytes, big-endian) and a number to add (one byte).
///
/// An accepted proof is the honest proof, up to the malleability of Groth16, and proves the honest
/// statement.
pub fn target(changes: &[u8]) -> Verdict {
    let mut bytes = PROOF.to_vec();
    for change in changes.chunks_exact(CHANGE_BYTES).take(MAX_CHANGES) {
        apply(&mut bytes, change);
    }
    let key = verifying_key();
    let Ok(proof) = Proof::decode(&bytes, key.cyclefold()) else { return Verdict::Refused };
    let Some(verified) = verified(&proof) else { return Verdict::Refused };
    assert_statement(&verified);
    assert_proof(&proof);
    Verdict::Accepted
}

fn apply(bytes: &mut [u8], change: &[u8]) {
    let number = |at: usize| usize::from(u16::from_be_bytes([change[at], change[at + 1]]));
    let Some((kind, at)) = element(number(0)) else { return };
    let range = at..at + kind.bytes();
    match change[2] % 5 {
        // Sets the element to infinity or zero.
        0 => bytes[range].fill(0),
        // Copies another element of the same kind, with the changes so far.
        1 => {
            if let Some((_, from)) = element(number(3)).filter(|(other, _)| *other == kind) {
                bytes.copy_within(from..from + kind.bytes(), at);
            }
        }
        // Restores the element of the honest proof.
        2 => bytes[range.clone()].copy_from_slice(&PROOF[range]),
        3 => negate(kind, &mut bytes[range]),
        _ => bytes[at] = bytes[at].wrapping_add(change[5]),
    }
}

/// Negates a field element, or a point by its y coordinate. Inverts the bits of an integer.
fn negate(kind: Kind, bytes: &mut [u8]) {
    let words = bytes.chunks_mut(FIELD_BYTES).rev();
    match kind {
        Kind::Number => bytes.iter_mut().for_each(|byte| *byte = !*byte),
        Kind::Scalar | Kind::Grumpkin => words.take(1).for_each(negate_word::<F>),
        Kind::Base | Kind::G1 => words.take(1).for_each(negate_word::<Fq>),
        Kind::G2 => words.take(2).for_each(negate_word::<Fq>),
    }
}

fn negate_word<P: PrimeField>(word: &mut [u8]) {
    let negative = -P::from_le_bytes_mod_order(word);
    word.copy_from_slice(&negative.into_bigint().to_bytes_le());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_elements_cover_the_proof() {
        let ends = |index: &usize| element(*index).is_some();
        let count = (0..).take_while(ends).count();
        let (kind, begin) = element(count - 1).expect("the index is valid");
        assert_eq!(begin + kind.bytes(), PROOF.len());
    }

    /// A Groth16 proof is malleable, so the bytes of a proof are not an identifier. See
    /// `docs/soundness.md`.
    #[test]
    fn negative_a_and_b_prove_the_same() {
        let negated = |elements: &[u8]| -> Vec<u8> {
            elements.iter().flat_map(|element| [0, *element, 3, 0, 0, 0]).collect()
        };
        assert_eq!(target(&[]), Verdict::Accepted);
        assert_eq!(target(&negated(&[10, 11])), Verdict::Accepted);
        assert_eq!(target(&negated(&[10])), Verdict::Refused);
        assert_eq!(target(&negated(&[11])), Verdict::Refused);
        assert_eq!(target(&negated(&[10, 12])), Verdict::Refused);
    }
}
