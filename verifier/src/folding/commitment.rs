//! Nova's commitment scheme on BN254, with one list of bases for witnesses and one for error
//! vectors.
//!
//! The decider's Groth16 relation has both vectors as instance variables, and the bases of its
//! public input are the bases used here (`docs/design.md`, section 6). The length of a vector
//! selects the list, so the lists must have different lengths.

use std::{convert::Infallible, sync::Arc};

use ark_bn254::{Fq, Fr, G1Affine, G1Projective};
use ark_r1cs_std::{
    alloc::{AllocVar, AllocationMode},
    fields::fp::FpVar,
};
use ark_relations::gr1cs::{Namespace, SynthesisError};
use ark_serialize::{
    CanonicalDeserialize, CanonicalSerialize, Compress, Read, SerializationError, Valid, Validate,
};
use ark_std::{borrow::Borrow, rand::RngCore};
use sonobe_primitives::{
    algebra::{field::emulated::EmulatedFieldVar, group::emulated::EmulatedAffineVar, Val},
    commitments::{
        CommitmentDef, CommitmentDefGadget, CommitmentKey, CommitmentOps, CommitmentOpsGadget,
        Error, GroupBasedCommitment,
    },
    utils::null::Null,
};
use thiserror::Error as ThisError;

use rootfold_arith::msm::msm;

/// The two lists have the same length, so the length of a vector cannot select one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
#[error("both lists of bases have {0} elements; their lengths must differ")]
pub struct EqualLengths(pub usize);

/// The bases of [`TwoListPedersen`]. Cloning shares them.
#[derive(Clone, Debug, PartialEq, Eq, CanonicalSerialize)]
pub struct TwoListKey {
    witness: Arc<Vec<G1Affine>>,
    error: Arc<Vec<G1Affine>>,
}

impl TwoListKey {
    /// A key from the bases of witness vectors and those of error vectors. The caller guarantees
    /// that nobody knows a linear relation between the bases; see `rootfold-prover`'s setup.
    ///
    /// # Errors
    /// [`EqualLengths`] if the lists have the same length.
    pub fn new(witness: Vec<G1Affine>, error: Vec<G1Affine>) -> Result<Self, EqualLengths> {
        if witness.len() == error.len() {
            return Err(EqualLengths(witness.len()));
        }
        Ok(Self { witness: Arc::new(witness), error: Arc::new(error) })
    }

    /// The bases of witness vectors, one for each witness variable.
    pub fn witness(&self) -> &[G1Affine] {
        &self.witness
    }

    /// The bases of error vectors, one for each constraint.
    pub fn error(&self) -> &[G1Affine] {
        &self.error
    }

    fn commit(&self, vector: &[Fr]) -> Result<G1Projective, Error> {
        let bases = [self.witness(), self.error()]
            .into_iter()
            .find(|bases| bases.len() == vector.len())
            .ok_or(Error::MessageTooLong(self.max_scalars_len(), vector.len()))?;
        Ok(msm(bases, vector))
    }
}

impl CommitmentKey for TwoListKey {
    fn max_scalars_len(&self) -> usize {
        self.witness.len().max(self.error.len())
    }
}

impl Valid for TwoListKey {
    fn check(&self) -> Result<(), SerializationError> {
        if self.witness.len() == self.error.len() {
            return Err(SerializationError::InvalidData);
        }
        self.witness.check()?;
        self.error.check()
    }
}

impl CanonicalDeserialize for TwoListKey {
    fn deserialize_with_mode<R: Read>(
        mut reader: R,
        compress: Compress,
        validate: Validate,
    ) -> Result<Self, SerializationError> {
        let witness = Vec::deserialize_with_mode(&mut reader, compress, validate)?;
        let error = Vec::deserialize_with_mode(&mut reader, compress, validate)?;
        Self::new(witness, error).map_err(|_| SerializationError::InvalidData)
    }
}

/// The commitment scheme: `sum v_i * base_i` over the list with the length of `v`. Not hiding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwoListPedersen;

impl CommitmentDef for TwoListPedersen {
    const IS_HIDING: bool = false;

    type Key = TwoListKey;
    type Scalar = Fr;
    type Commitment = G1Projective;
    type Randomness = Null;
}

impl CommitmentOps for TwoListPedersen {
    /// Always an error: the bases come from the decider's setup.
    fn generate_key(len: usize, _rng: impl RngCore) -> Result<TwoListKey, Error> {
        Err(Error::MessageTooLong(0, len))
    }

    fn commit(
        ck: &TwoListKey,
        v: &[Fr],
        _rng: impl RngCore,
    ) -> Result<(G1Projective, Null), Error> {
        Ok((ck.commit(v)?, Null))
    }

    fn open(ck: &TwoListKey, v: &[Fr], _r: &Null, cm: &G1Projective) -> Result<(), Error> {
        (ck.commit(v)? == *cm).then_some(()).ok_or(Error::CommitmentVerificationFail)
    }
}

impl GroupBasedCommitment for TwoListPedersen {
    type Gadget1 = BaseFieldGadget;
    type Gadget2 = ScalarFieldGadget;
}

/// The key as a circuit variable, required by sonobe's traits. An empty type, since no circuit of
/// this system opens a primary commitment.
#[derive(Clone, Debug)]
pub struct NoKeyVar(Infallible);

impl<P: ark_ff::Field> AllocVar<TwoListKey, P> for NoKeyVar {
    fn new_variable<T: Borrow<TwoListKey>>(
        _cs: impl Into<Namespace<P>>,
        _f: impl FnOnce() -> Result<T, SynthesisError>,
        _mode: AllocationMode,
    ) -> Result<Self, SynthesisError> {
        Err(SynthesisError::Unsatisfiable)
    }
}

/// Commitments as native points, in circuits over BN254's base field. Required by sonobe's traits.
#[derive(Clone, Debug)]
pub struct BaseFieldGadget;

impl CommitmentDefGadget for BaseFieldGadget {
    type ConstraintField = Fq;
    type KeyVar = NoKeyVar;
    type ScalarVar = EmulatedFieldVar<Fq, Fr>;
    type CommitmentVar = <G1Projective as Val>::Var;
    type RandomnessVar = Null;
    type Widget = TwoListPedersen;
}

impl CommitmentOpsGadget for BaseFieldGadget {
    fn open(
        ck: &NoKeyVar,
        _v: &[Self::ScalarVar],
        _r: &Null,
        _cm: &Self::CommitmentVar,
    ) -> Result<(), SynthesisError> {
        match ck.0 {}
    }
}

/// Commitments as emulated points, in circuits over BN254's scalar field: their form in the
/// augmented circuit.
#[derive(Clone, Debug)]
pub struct ScalarFieldGadget;

impl CommitmentDefGadget for ScalarFieldGadget {
    type ConstraintField = Fr;
    type KeyVar = NoKeyVar;
    type ScalarVar = FpVar<Fr>;
    type CommitmentVar = EmulatedAffineVar<Fr, G1Projective>;
    type RandomnessVar = Null;
    type Widget = TwoListPedersen;
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::UniformRand;
    use ark_std::test_rng;

    fn points(len: usize) -> Vec<G1Affine> {
        let rng = &mut test_rng();
        (0..len).map(|_| G1Affine::rand(rng)).collect()
    }

    #[test]
    fn the_length_selects_the_list() {
        let (witness, error) = (points(3), points(5));
        let key = TwoListKey::new(witness.clone(), error.clone()).expect("lengths differ");
        for bases in [witness, error] {
            let vector = vec![Fr::from(2); bases.len()];
            let sum: G1Projective = bases.iter().map(|base| *base * Fr::from(2)).sum();
            let (cm, r) = TwoListPedersen::commit(&key, &vector, test_rng()).expect("a list fits");
            assert_eq!(cm, sum);
            TwoListPedersen::open(&key, &vector, &r, &cm).expect("opens");
        }
    }

    #[test]
    fn other_lengths_are_refused() {
        let key = TwoListKey::new(points(3), points(5)).expect("lengths differ");
        for len in [0, 1, 4, 6] {
            let vector = vec![Fr::rand(&mut test_rng()); len];
            assert!(TwoListPedersen::commit(&key, &vector, test_rng()).is_err());
        }
    }

    #[test]
    fn equal_lengths_are_refused() {
        assert_eq!(TwoListKey::new(points(4), points(4)), Err(EqualLengths(4)));
        let mut bytes = Vec::new();
        (points(4), points(4)).serialize_compressed(&mut bytes).expect("serializes");
        assert!(TwoListKey::deserialize_compressed(&bytes[..]).is_err());
    }
}
