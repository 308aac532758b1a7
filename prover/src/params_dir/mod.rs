//! Parameters on disk.
//!
//! A file holds the verifying key and the lists of bases. The key names a digest of the lists, and
//! the file's name contains the key's id. Both are checked on every load, so a file with a given id
//! holds the parameters with that id, and its points need no check of their own. The constraints
//! are not stored: they are synthesized anew and must have the digest that the key names.
//!
//! These digests say nothing about who made the parameters: anyone can make a file with correct
//! digests and know its trapdoor. Therefore
//!
//! - the folder and the files that are read must belong to this user and be writable by nobody else
//!   ([`NotPrivate`]);
//! - the folder holds a list of the parameters that this user made, and only those are used for a
//!   new space. Others, copied or fetched, are used only where a space names their id.

mod incoming;
mod made;
mod private;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rootfold_arith::encoding::{DecodeError, Reader, Writer};
use rootfold_verifier::{folding::digest::Digest, is_profile_name, ParameterId, VerifyingKey, F};
use sonobe_primitives::arithmetizations::{Arith, ArithConfig};
use thiserror::Error;

use crate::{
    atomic::write_atomically,
    bases::{decode_lists, encode_lists, list_digest},
    foldable::FoldableCircuit,
    parameters::{Parameters, Shape},
    setup::{SetupError, SetupStage},
};

pub use incoming::{parameters_file, IncomingParameters};
pub use private::NotPrivate;

const MAGIC: &[u8; 8] = b"rootf-pp";
/// The version of the parameters file.
pub const VERSION: u8 = 1;
const EXTENSION: &str = "params";
/// An upper bound on the bytes of a verifying key.
const MAX_KEY_BYTES: usize = 4096;

/// Why parameters could not be loaded or saved.
#[derive(Debug, Error)]
pub enum ParametersError {
    /// Reading or writing failed.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// Others than the user of this process can write the folder or file.
    #[error("{path}: {source}")]
    NotPrivate {
        /// The folder or file.
        path: PathBuf,
        /// Who can write it.
        source: NotPrivate,
    },
    /// The list of parameters that this user made contains something else than ids.
    #[error(
        "{path}: line {line} is not a parameter id; remove the line, or delete the file to have new \
         parameters made"
    )]
    List {
        /// The list.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
    },
    /// The file is not a parameters file.
    #[error("{path}: {source}")]
    Decode {
        /// The file.
        path: PathBuf,
        /// The first byte or element that does not fit.
        source: DecodeError,
    },
    /// The bases do not have the digest that the key names.
    #[error("{0}: damaged, its bases do not have the digest that its key names; delete it")]
    Damaged(PathBuf),
    /// The file holds other parameters than its name says.
    #[error("{path}: holds parameters {found}, not {wanted}")]
    OtherId {
        /// The file.
        path: PathBuf,
        /// The id in the file's name; zero if there is none.
        wanted: ParameterId,
        /// The id of the key in the file.
        found: ParameterId,
    },
    /// The parameters were made for another step circuit than this program has.
    #[error("{0}: made for another step circuit than this program has")]
    OtherCircuit(PathBuf),
    /// The profile name cannot be part of a file name.
    #[error("`{0}` is not a profile name: expected 1 to 32 characters of a-z 0-9 _ -")]
    Profile(String),
    /// Making parameters failed.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

impl ParametersError {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    fn decode(path: &Path, source: DecodeError) -> Self {
        Self::Decode { path: path.to_owned(), source }
    }
}

impl Parameters {
    /// Name of the file that holds these parameters: profile, `dev` for development parameters, id.
    pub fn file_name(&self) -> String {
        key_file_name(self.verifying.key())
    }

    /// Writes the parameters into `dir` and returns the file's path. A missing folder is created
    /// with mode 0700. If this process made the parameters, their id is added to the folder's list
    /// of parameters that this user made.
    ///
    /// # Errors
    /// [`ParametersError::Io`], [`ParametersError::NotPrivate`] or [`ParametersError::List`].
    pub fn save(&self, dir: &Path) -> Result<PathBuf, ParametersError> {
        private::create_folder(dir)?;
        let path = dir.join(self.file_name());
        let mut header = Writer::little_endian(0);
        let key = self.verifying.key().encode();
        header.bytes(MAGIC).u8(VERSION).u64(key.len() as u64).bytes(&key);
        let lists = encode_lists(&self.bases);
        write_atomically(&path, &[header.as_slice(), &lists])
            .map_err(|source| ParametersError::io(&path, source))?;
        if self.made_here {
            made::add(dir, self.id())?;
        }
        Ok(path)
    }

    /// Loads parameters for `circuit` from a file.
    ///
    /// # Errors
    /// [`ParametersError`]: the file is unreadable, writable by others, damaged, misnamed, or made
    /// for another circuit.
    pub fn load<FC: FoldableCircuit>(path: &Path, circuit: &FC) -> Result<Self, ParametersError> {
        let key = read_key(path)?;
        let shape = Shape::synthesize(circuit, sizes(&key))?;
        Self::load_with_shape(path, shape)
    }

    fn load_with_shape(path: &Path, shape: Shape) -> Result<Self, ParametersError> {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut private::open(path)?, &mut bytes)
            .map_err(|source| ParametersError::io(path, source))?;
        let mut reader = Reader::little_endian(&bytes);
        let key =
            decode_header(&mut reader).map_err(|source| ParametersError::decode(path, source))?;
        let wanted = key_file_name(&key);
        if path.file_name().is_none_or(|name| name != wanted.as_str()) {
            return Err(ParametersError::OtherId {
                path: path.to_owned(),
                wanted: id_in_name(path).unwrap_or(ParameterId([0; 32])),
                found: key.id(),
            });
        }
        if key.step_digest != shape.digest {
            return Err(ParametersError::OtherCircuit(path.to_owned()));
        }
        let lists = &bytes[reader.offset()..];
        if list_digest(lists) != key.proving_digest {
            return Err(ParametersError::Damaged(path.to_owned()));
        }
        let bases = decode_lists(lists, &key, &shape.r1cs.config())
            .map_err(|source| ParametersError::decode(path, source))?
            .ok_or_else(|| ParametersError::Damaged(path.to_owned()))?;
        Ok(Self::assemble(key, bases, shape)?)
    }

    /// Loads the parameters with this id from `dir`, whoever made them.
    ///
    /// # Errors
    /// As [`Parameters::load`]; [`ParametersError::Io`] if there is no such file.
    pub fn load_id<FC: FoldableCircuit>(
        dir: &Path,
        id: ParameterId,
        circuit: &FC,
    ) -> Result<Self, ParametersError> {
        private::check_folder(dir)?;
        let path = find(dir, id)?.ok_or_else(|| {
            let missing = io::Error::new(io::ErrorKind::NotFound, format!("no parameters {id}"));
            ParametersError::io(dir, missing)
        })?;
        Self::load(&path, circuit)
    }

    /// Loads the development parameters of this profile for `circuit` that this user made, or makes
    /// and saves new ones. Parameters in `dir` that this user did not make are ignored.
    ///
    /// If several fit, those made first are used, so that processes that start at the same time
    /// agree.
    ///
    /// # Errors
    /// [`ParametersError`]. A damaged file is an error; it is not replaced.
    pub fn load_or_generate<FC: FoldableCircuit>(
        dir: &Path,
        profile: &str,
        idle: F,
        circuit: &FC,
        progress: &mut dyn FnMut(SetupStage),
    ) -> Result<Self, ParametersError> {
        if !is_profile_name(profile) {
            return Err(ParametersError::Profile(profile.to_owned()));
        }
        private::create_folder(dir)?;
        progress(SetupStage::Circuit);
        let hint = first_made(dir, profile, idle, None)?.and_then(|(_, key)| sizes(&key));
        let shape = Shape::synthesize(circuit, hint)?;
        progress(SetupStage::Cache);
        let digest = shape.digest;
        if let Some((path, _)) = first_made(dir, profile, idle, Some(&digest))? {
            return Self::load_with_shape(&path, shape);
        }
        let made = Self::from_shape(profile, idle, shape, &mut rand::rngs::OsRng, progress)?;
        progress(SetupStage::Save);
        let ours = made.save(dir)?;
        match first_made(dir, profile, idle, Some(&digest))? {
            Some((first, _)) if first != ours => Self::load(&first, circuit),
            _ => Ok(made),
        }
    }
}

fn key_file_name(key: &VerifyingKey) -> String {
    file_name(&key.profile, key.development, key.id())
}

fn file_name(profile: &str, development: bool, id: ParameterId) -> String {
    let origin = if development { "dev-" } else { "" };
    format!("{profile}-{origin}{id}.{EXTENSION}")
}

fn id_in_name(path: &Path) -> Option<ParameterId> {
    if path.extension()? != EXTENSION {
        return None;
    }
    path.file_stem()?.to_str()?.rsplit('-').next()?.parse().ok()
}

/// Sizes of the step's R1CS with its folding. `None` if they exceed this machine's `usize`.
fn sizes(key: &VerifyingKey) -> Option<ArithConfig> {
    let constraints = usize::try_from(key.constraints).ok()?;
    let witnesses = usize::try_from(key.witnesses).ok()?;
    Some(ArithConfig {
        degree: 2,
        n_constraints: constraints,
        n_variables: witnesses.checked_add(2)?,
        n_public_inputs: 1,
        n_witnesses: witnesses,
    })
}

/// The file of `dir` with this id in its name.
fn find(dir: &Path, id: ParameterId) -> Result<Option<PathBuf>, ParametersError> {
    let io_error = |source| ParametersError::io(dir, source);
    for entry in fs::read_dir(dir).map_err(io_error)? {
        let path = entry.map_err(io_error)?.path();
        if id_in_name(&path) == Some(id) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// The first development parameters of this profile that this user made and that `dir` still
/// holds; only those for the circuit with this digest, if one is given. Files of other versions of
/// the format are skipped.
fn first_made(
    dir: &Path,
    profile: &str,
    idle: F,
    step_digest: Option<&Digest>,
) -> Result<Option<(PathBuf, VerifyingKey)>, ParametersError> {
    for id in made::ids(dir)? {
        let path = dir.join(file_name(profile, true, id));
        let key = match read_key(&path) {
            Err(ParametersError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                continue;
            }
            Err(ParametersError::Decode { source: DecodeError::Version(_), .. }) => continue,
            key => key?,
        };
        let fits = key.development
            && key.profile == profile
            && key.idle == idle
            && step_digest.is_none_or(|digest| key.step_digest == *digest);
        if fits {
            return Ok(Some((path, key)));
        }
    }
    Ok(None)
}

/// Reads the verifying key at the beginning of a file, and nothing else.
fn read_key(path: &Path) -> Result<VerifyingKey, ParametersError> {
    use io::Read;
    let mut head = Vec::new();
    private::open(path)?
        .take((MAX_KEY_BYTES + 32) as u64)
        .read_to_end(&mut head)
        .map_err(|source| ParametersError::io(path, source))?;
    decode_header(&mut Reader::little_endian(&head))
        .map_err(|source| ParametersError::decode(path, source))
}

fn decode_header(reader: &mut Reader<'_>) -> Result<VerifyingKey, DecodeError> {
    if reader.array()? != *MAGIC {
        return Err(DecodeError::Magic("parameters file"));
    }
    let version = reader.u8()?;
    if version != VERSION {
        return Err(DecodeError::Version(version));
    }
    let len = reader.count(MAX_KEY_BYTES)?;
    VerifyingKey::decode(reader.bytes(len)?)
}
