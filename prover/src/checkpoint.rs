//! The running proof after some step, and its file.

use std::{path::Path, sync::Arc};

use ark_ec::CurveGroup;
use rootfold_arith::encoding::{DecodeError, Reader, Writer, FIELD_BYTES};
use rootfold_verifier::{
    folding::{
        CycleFoldInstance, CycleFoldWitness, Fq, IncomingInstance, IncomingWitness, IvcProof,
        IvcProofParts, IvcState, RunningInstance, RunningWitness,
    },
    ParameterId, F,
};
use sonobe_fs::DeciderKey as _;
use sonobe_primitives::{arithmetizations::ArithConfig, traits::Dummy, utils::null::Null};
use thiserror::Error;

use crate::{atomic::write_atomically, parameters::Parameters};

const MAGIC: &[u8; 8] = b"rootf-cp";
/// The version of the checkpoint.
pub const VERSION: u8 = 1;
const DIGEST_BYTES: usize = 32;

/// A running proof after some number of steps. Clones share the witness.
#[derive(Clone)]
pub struct Checkpoint {
    pub(crate) parameters: ParameterId,
    pub(crate) steps: u64,
    pub(crate) initial: IvcState,
    pub(crate) current: IvcState,
    pub(crate) proof: Arc<IvcProof>,
}

/// Why a checkpoint could not be read or written.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// Reading or writing the file failed.
    #[error("checkpoint file: {0}")]
    Io(#[from] std::io::Error),
    /// The bytes are truncated or altered: they do not have the digest at their end.
    #[error("the checkpoint is damaged")]
    Damaged,
    /// The digest is right, but the bytes are not the encoding of a checkpoint.
    #[error("not a checkpoint: {0}")]
    Decode(#[from] DecodeError),
    /// The checkpoint belongs to other parameters.
    #[error("checkpoint: expected parameters {wanted}, got {found}")]
    OtherParameters {
        /// The parameters in use.
        wanted: ParameterId,
        /// The parameters of the checkpoint.
        found: ParameterId,
    },
}

impl Checkpoint {
    /// A running proof without steps.
    pub fn start(parameters: &Parameters, initial: IvcState) -> Self {
        Self {
            parameters: parameters.id(),
            steps: 0,
            initial,
            current: initial,
            proof: Arc::new(Dummy::dummy(&parameters.ivc)),
        }
    }

    /// The parameters under which the steps were proved.
    pub fn parameters(&self) -> ParameterId {
        self.parameters
    }

    /// Number of steps proved.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The state before the first step.
    pub fn initial_state(&self) -> IvcState {
        self.initial
    }

    /// The state after the last step.
    pub fn state(&self) -> IvcState {
        self.current
    }

    /// `U`, `u` and `cfU` with their witnesses.
    pub fn proof(&self) -> &IvcProof {
        &self.proof
    }

    /// The number of bytes of every checkpoint under these parameters.
    pub fn encoded_len(parameters: &Parameters) -> u64 {
        let (step, cyclefold) = (&parameters.sizes, &parameters.ivc.1.to_arith_config());
        let header = MAGIC.len() + 1 + DIGEST_BYTES + 8;
        let points = 5 * 2;
        let fields = 6
            + 2
            + 2 * step.n_public_inputs
            + cyclefold.n_public_inputs
            + step.n_constraints
            + 2 * step.n_witnesses
            + cyclefold.n_constraints
            + cyclefold.n_witnesses;
        (header + FIELD_BYTES * (points + fields) + DIGEST_BYTES) as u64
    }

    /// Encodes the checkpoint: about 32 bytes per constraint and 64 per witness variable.
    pub fn to_bytes(&self) -> Vec<u8> {
        let IvcProofParts(running_w, running, incoming_w, incoming, cyclefold_w, cyclefold) =
            &*self.proof;
        let elements = running_w.e.len()
            + running_w.w.len()
            + incoming_w.w.len()
            + cyclefold_w.e.len()
            + cyclefold_w.w.len();
        let mut bytes = Writer::little_endian(32 * elements + 4096);
        bytes
            .bytes(MAGIC)
            .u8(VERSION)
            .bytes(&self.parameters.0)
            .u64(self.steps)
            .fields(&self.initial)
            .fields(&self.current)
            .point(&running.cm_e.into_affine())
            .field(&running.u)
            .point(&running.cm_w.into_affine())
            .fields(&running.x)
            .point(&incoming.cm_w.into_affine())
            .fields(&incoming.x)
            .point(&cyclefold.cm_e.into_affine())
            .field(&cyclefold.u)
            .point(&cyclefold.cm_w.into_affine())
            .fields(&cyclefold.x)
            .fields(&running_w.e)
            .fields(&running_w.w)
            .fields(&incoming_w.w)
            .fields(&cyclefold_w.e)
            .fields(&cyclefold_w.w);
        let digest = *blake3::hash(bytes.as_slice()).as_bytes();
        bytes.bytes(&digest);
        bytes.finish()
    }

    /// Decodes a checkpoint. The lengths follow from the parameters.
    ///
    /// The digest detects damage. Whether the witnesses satisfy the instances is not checked, since
    /// a prover reads checkpoints only from its own disk.
    ///
    /// # Errors
    /// [`CheckpointError`] for any bytes that [`Checkpoint::to_bytes`] does not produce under these
    /// parameters.
    pub fn from_bytes(bytes: &[u8], parameters: &Parameters) -> Result<Self, CheckpointError> {
        let (body, digest) = bytes
            .split_at_checked(bytes.len().saturating_sub(DIGEST_BYTES))
            .ok_or(CheckpointError::Damaged)?;
        if blake3::hash(body).as_bytes() != digest {
            return Err(CheckpointError::Damaged);
        }
        let mut reader = Reader::little_endian(body);
        if reader.array()? != *MAGIC {
            return Err(DecodeError::Magic("checkpoint").into());
        }
        let version = reader.u8()?;
        if version != VERSION {
            return Err(DecodeError::Version(version).into());
        }
        let found = ParameterId(reader.array()?);
        if found != parameters.id() {
            return Err(CheckpointError::OtherParameters { wanted: parameters.id(), found });
        }
        let step = &parameters.sizes;
        let cyclefold = &parameters.ivc.1.to_arith_config();
        let checkpoint = Self {
            parameters: found,
            steps: reader.u64()?,
            initial: state(&mut reader)?,
            current: state(&mut reader)?,
            proof: Arc::new(proof(&mut reader, step, cyclefold)?),
        };
        reader.finish()?;
        Ok(checkpoint)
    }

    /// Replaces the file at `path` atomically by this checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError::Io`].
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        Ok(write_atomically(path, &[&self.to_bytes()])?)
    }

    /// Reads the checkpoint at `path`.
    ///
    /// # Errors
    /// As [`Checkpoint::from_bytes`], or [`CheckpointError::Io`].
    pub fn load(path: &Path, parameters: &Parameters) -> Result<Self, CheckpointError> {
        Self::from_bytes(&std::fs::read(path)?, parameters)
    }
}

fn state(reader: &mut Reader<'_>) -> Result<IvcState, DecodeError> {
    Ok([reader.field()?, reader.field()?, reader.field()?])
}

fn proof(
    reader: &mut Reader<'_>,
    step: &ArithConfig,
    cyclefold: &ArithConfig,
) -> Result<IvcProof, DecodeError> {
    let running = RunningInstance {
        cm_e: reader.point()?.into(),
        u: reader.field::<F>()?,
        cm_w: reader.point()?.into(),
        x: reader.fields(step.n_public_inputs)?,
    };
    let incoming =
        IncomingInstance { cm_w: reader.point()?.into(), x: reader.fields(step.n_public_inputs)? };
    let cyclefold_instance = CycleFoldInstance {
        cm_e: reader.point()?.into(),
        u: reader.field::<Fq>()?,
        cm_w: reader.point()?.into(),
        x: reader.fields(cyclefold.n_public_inputs)?,
    };
    let running_witness = RunningWitness {
        e: reader.fields(step.n_constraints)?,
        r_e: Null,
        w: reader.fields(step.n_witnesses)?,
        r_w: Null,
    };
    let incoming_witness = IncomingWitness { w: reader.fields(step.n_witnesses)?, r_w: Null };
    let cyclefold_witness = CycleFoldWitness {
        e: reader.fields(cyclefold.n_constraints)?,
        r_e: Null,
        w: reader.fields(cyclefold.n_witnesses)?,
        r_w: Null,
    };
    Ok(IvcProofParts(
        running_witness,
        running,
        incoming_witness,
        incoming,
        cyclefold_witness,
        cyclefold_instance,
    ))
}
