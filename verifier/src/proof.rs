//! The proof and its bytes.

use ark_bn254::{G1Affine, G2Affine};
use ark_ec::{
    short_weierstrass::{Affine, SWCurveConfig},
    AffineRepr, CurveGroup,
};
use rootfold_arith::encoding::{DecodeError, Reader, Writer, FIELD_BYTES};
use thiserror::Error;

use crate::folding::{
    cyclefold::CycleFoldShape, CycleFoldInstance, Fq, IncomingInstance, RunningInstance, F,
};

const MAGIC: &[u8; 8] = b"rootf-pf";
/// The version of the proof file.
pub const VERSION: u8 = 1;
/// Number of public inputs of a step instance.
const STEP_PUBLIC_INPUTS: usize = 1;
/// Encoded length of a point of G1 or of Grumpkin.
const POINT_BYTES: usize = 2 * FIELD_BYTES;
/// Encoded length without the CycleFold public input and witness: magic, version, steps, root, ops;
/// two points and two elements of `U`; one of each of `u`; `cm_T`; the Groth16 proof (`B` counts as
/// two points); two knowledge points; two points and one element of the CycleFold instance.
const FIXED_BYTES: usize =
    8 + 1 + 8 + FIELD_BYTES + 8 + 4 * FIELD_BYTES + (2 + 1 + 1 + 4 + 2 + 2) * POINT_BYTES;

/// The three elements of a Groth16 proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groth16Proof {
    /// `A`.
    pub a: G1Affine,
    /// `B`.
    pub b: G2Affine,
    /// `C`.
    pub c: G1Affine,
}

/// Proof that `steps` steps lead from a space's genesis to `root` after `ops` ops.
///
/// Names in parentheses are those of `docs/design.md`, section 6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Number of steps (`i`), at least 1.
    pub steps: u64,
    /// The root after the last step.
    pub root: F,
    /// Number of ops folded since genesis.
    pub ops: u64,
    /// The running instance: all steps before the last, folded (`U`).
    pub running: RunningInstance,
    /// The incoming instance: the last step (`u`).
    pub incoming: IncomingInstance,
    /// Commitment to the cross term of the last fold (`cm_T`).
    pub cross_term: G1Affine,
    /// Proof that the fold of the two instances is satisfied.
    pub groth16: Groth16Proof,
    /// The folded witness commitment times `sigma_W` (`cm_W'`).
    pub knowledge_w: G1Affine,
    /// The folded error commitment times `sigma_E` (`cm_E'`).
    pub knowledge_e: G1Affine,
    /// All CycleFold instances, folded (`cfU`).
    pub cyclefold: CycleFoldInstance,
    /// Witness of [`Proof::cyclefold`]; its error vector follows from it.
    pub cyclefold_witness: Vec<Fq>,
}

/// A vector or point of a proof that does not have the required form.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ShapeError {
    /// A vector has the wrong length.
    #[error("{what}: expected {expected} elements, got {got}")]
    Length {
        /// Name of the vector, as in `docs/design.md`, section 6.
        what: &'static str,
        /// Length required by the circuit.
        expected: usize,
        /// Actual length.
        got: usize,
    },
    /// A point is not on its curve.
    #[error("{0} is not on its curve")]
    NotOnCurve(&'static str),
    /// A point is outside the prime-order subgroup.
    #[error("{0} is not in the prime-order subgroup")]
    NotInSubgroup(&'static str),
}

impl Proof {
    /// Length in bytes of an encoded proof. It depends on the CycleFold circuit alone.
    pub fn encoded_len(shape: &CycleFoldShape) -> usize {
        FIXED_BYTES + (shape.public_len() + shape.witness_len()) * FIELD_BYTES
    }

    /// Encodes the proof; `docs/formats.md` describes the bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Writer::little_endian(FIXED_BYTES + 2048 * FIELD_BYTES);
        bytes
            .bytes(MAGIC)
            .u8(VERSION)
            .u64(self.steps)
            .field(&self.root)
            .u64(self.ops)
            .point(&self.running.cm_e.into_affine())
            .field(&self.running.u)
            .point(&self.running.cm_w.into_affine())
            .fields(&self.running.x)
            .point(&self.incoming.cm_w.into_affine())
            .fields(&self.incoming.x)
            .point(&self.cross_term)
            .point(&self.groth16.a)
            .point(&self.groth16.b)
            .point(&self.groth16.c)
            .point(&self.knowledge_w)
            .point(&self.knowledge_e)
            .point(&self.cyclefold.cm_e.into_affine())
            .field(&self.cyclefold.u)
            .point(&self.cyclefold.cm_w.into_affine())
            .fields(&self.cyclefold.x)
            .fields(&self.cyclefold_witness);
        bytes.finish()
    }

    /// Decodes a proof.
    ///
    /// # Errors
    /// [`DecodeError`] for any bytes that [`Proof::encode`] does not produce: the wrong length, a
    /// field element at or above the modulus, a point outside its group.
    pub fn decode(bytes: &[u8], shape: &CycleFoldShape) -> Result<Self, DecodeError> {
        let expected = Self::encoded_len(shape);
        if bytes.len() != expected {
            return Err(DecodeError::Length { expected, got: bytes.len() });
        }
        let mut reader = Reader::little_endian(bytes);
        let proof = Self::read(&mut reader, shape)?;
        reader.finish()?;
        Ok(proof)
    }

    fn read(reader: &mut Reader<'_>, shape: &CycleFoldShape) -> Result<Self, DecodeError> {
        if reader.array()? != *MAGIC {
            return Err(DecodeError::Magic("proof"));
        }
        let version = reader.u8()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        Ok(Self {
            steps: reader.u64()?,
            root: reader.field()?,
            ops: reader.u64()?,
            running: RunningInstance {
                cm_e: reader.point()?.into(),
                u: reader.field()?,
                cm_w: reader.point()?.into(),
                x: reader.fields(STEP_PUBLIC_INPUTS)?,
            },
            incoming: IncomingInstance {
                cm_w: reader.point()?.into(),
                x: reader.fields(STEP_PUBLIC_INPUTS)?,
            },
            cross_term: reader.point()?,
            groth16: Groth16Proof { a: reader.point()?, b: reader.point()?, c: reader.point()? },
            knowledge_w: reader.point()?,
            knowledge_e: reader.point()?,
            cyclefold: CycleFoldInstance {
                cm_e: reader.point()?.into(),
                u: reader.field()?,
                cm_w: reader.point()?.into(),
                x: reader.fields(shape.public_len())?,
            },
            cyclefold_witness: reader.fields(shape.witness_len())?,
        })
    }

    /// Checks every length against the circuits and every point against its group. A decoded proof
    /// always passes; one that was built in memory may not.
    ///
    /// # Errors
    /// [`ShapeError`] for the first element with the wrong length or outside its group.
    pub fn check_shape(&self, shape: &CycleFoldShape) -> Result<(), ShapeError> {
        check_len("U.x", STEP_PUBLIC_INPUTS, self.running.x.len())?;
        check_len("u.x", STEP_PUBLIC_INPUTS, self.incoming.x.len())?;
        check_len("cfU.x", shape.public_len(), self.cyclefold.x.len())?;
        check_len("cfW", shape.witness_len(), self.cyclefold_witness.len())?;
        check_point("U.cm_E", &self.running.cm_e.into_affine())?;
        check_point("U.cm_W", &self.running.cm_w.into_affine())?;
        check_point("u.cm_W", &self.incoming.cm_w.into_affine())?;
        check_point("cm_T", &self.cross_term)?;
        check_point("A", &self.groth16.a)?;
        check_point("B", &self.groth16.b)?;
        check_point("C", &self.groth16.c)?;
        check_point("cm_W'", &self.knowledge_w)?;
        check_point("cm_E'", &self.knowledge_e)?;
        check_point("cfU.cm_E", &self.cyclefold.cm_e.into_affine())?;
        check_point("cfU.cm_W", &self.cyclefold.cm_w.into_affine())
    }
}

fn check_len(what: &'static str, expected: usize, got: usize) -> Result<(), ShapeError> {
    if got == expected {
        Ok(())
    } else {
        Err(ShapeError::Length { what, expected, got })
    }
}

fn check_point<C: SWCurveConfig>(what: &'static str, point: &Affine<C>) -> Result<(), ShapeError> {
    if point.is_zero() {
        return Ok(());
    }
    if !point.is_on_curve() {
        return Err(ShapeError::NotOnCurve(what));
    }
    if !point.is_in_correct_subgroup_assuming_on_curve() {
        return Err(ShapeError::NotInSubgroup(what));
    }
    Ok(())
}
