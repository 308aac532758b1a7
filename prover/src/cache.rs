//! Parameters on disk.
//!
//! A file holds the verifying key and the lists of bases. The key's digest of the lists is checked
//! on every load, and the key's id is part of the file's name, so that points need not be checked
//! one by one. The constraints are not stored: they are synthesized anew and must have the digest
//! that the key names, so that parameters of another version of the circuit never match.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
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

const MAGIC: &[u8; 8] = b"rootf-pp";
const VERSION: u8 = 1;
const EXTENSION: &str = "params";
/// More than any verifying key has.
const MAX_KEY_BYTES: usize = 4096;

/// Why parameters could not be loaded or saved.
#[derive(Debug, Error)]
pub enum ParametersError {
    /// Reading or writing failed.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// The file is not one of parameters.
    #[error("{path}: {source}")]
    Decode {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The lists of bases are not those that the key names.
    #[error("{0}: damaged, its bases do not have the digest that its key names; delete it")]
    Damaged(PathBuf),
    /// The file holds other parameters than its name or the caller says.
    #[error("{path}: holds parameters {found}, not {wanted}")]
    OtherId {
        /// The file.
        path: PathBuf,
        /// The id wanted.
        wanted: ParameterId,
        /// The id found.
        found: ParameterId,
    },
    /// The parameters were made for another step circuit than this program has.
    #[error("{0}: made for another step circuit than this program has")]
    OtherCircuit(PathBuf),
    /// The profile name cannot be part of a file name.
    #[error("`{0}` is no profile name")]
    Profile(String),
    /// Making parameters failed.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

impl Parameters {
    /// Name of the file that holds these parameters.
    pub fn file_name(&self) -> String {
        file_name(self.verifying.key())
    }

    /// Writes the parameters into `dir`, which is created if need be, and returns the file's path.
    ///
    /// # Errors
    /// [`ParametersError::Io`].
    pub fn save(&self, dir: &Path) -> Result<PathBuf, ParametersError> {
        fs::create_dir_all(dir).map_err(|source| io_error(dir, source))?;
        let path = dir.join(self.file_name());
        let mut header = Writer::little_endian(0);
        let key = self.verifying.key().encode();
        header.bytes(MAGIC).u8(VERSION).u64(key.len() as u64).bytes(&key);
        let lists = encode_lists(&self.bases);
        write_atomically(&path, &[header.as_slice(), &lists])
            .map_err(|source| io_error(&path, source))?;
        Ok(path)
    }

    /// Loads parameters for `circuit` from a file.
    ///
    /// # Errors
    /// [`ParametersError`]: unreadable, damaged, misnamed, or made for another circuit.
    pub fn load<FC: FoldableCircuit>(path: &Path, circuit: &FC) -> Result<Self, ParametersError> {
        let key = read_key(path)?;
        let hint = sizes(&key);
        let shape = Shape::synthesize(circuit, hint)?;
        Self::load_with_shape(path, shape)
    }

    fn load_with_shape(path: &Path, shape: Shape) -> Result<Self, ParametersError> {
        let bytes = fs::read(path).map_err(|source| io_error(path, source))?;
        let mut reader = Reader::little_endian(&bytes);
        let key = decode_header(&mut reader).map_err(|source| decode_error(path, source))?;
        let wanted = file_name(&key);
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
            .map_err(|source| decode_error(path, source))?
            .ok_or_else(|| ParametersError::Damaged(path.to_owned()))?;
        Ok(Self::assemble(key, bases, shape)?)
    }

    /// Loads the parameters with this id from `dir`.
    ///
    /// # Errors
    /// As [`Parameters::load`]; [`ParametersError::Io`] if there is no such file.
    pub fn load_id<FC: FoldableCircuit>(
        dir: &Path,
        id: ParameterId,
        circuit: &FC,
    ) -> Result<Self, ParametersError> {
        let suffix = format!("{id}.{EXTENSION}");
        let path = candidates(dir)?
            .into_iter()
            .find(|path| path.to_string_lossy().ends_with(&suffix))
            .ok_or_else(|| {
                let missing =
                    io::Error::new(io::ErrorKind::NotFound, format!("no parameters {id}"));
                io_error(dir, missing)
            })?;
        Self::load(&path, circuit)
    }

    /// Loads development parameters of this profile that fit `circuit` from `dir`, or makes and
    /// saves some.
    ///
    /// If several fit, the oldest win, so that processes which start at the same time agree.
    ///
    /// # Errors
    /// [`ParametersError`]. A damaged file is an error and is not replaced silently.
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
        fs::create_dir_all(dir).map_err(|source| io_error(dir, source))?;
        progress(SetupStage::Circuit);
        let found = fitting(dir, profile, idle, None)?;
        let hint = found.first().and_then(|(_, key)| sizes(key));
        let shape = Shape::synthesize(circuit, hint)?;
        progress(SetupStage::Cache);
        if let Some((path, _)) = fitting(dir, profile, idle, Some(&shape.digest))?.first() {
            return Self::load_with_shape(path, shape);
        }
        let digest = shape.digest;
        let made = Self::from_shape(profile, idle, shape, &mut rand::rngs::OsRng, progress)?;
        progress(SetupStage::Save);
        let ours = made.save(dir)?;
        match fitting(dir, profile, idle, Some(&digest))?.first() {
            Some((oldest, _)) if *oldest != ours => Self::load(oldest, circuit),
            _ => Ok(made),
        }
    }
}

fn file_name(key: &VerifyingKey) -> String {
    let origin = if key.development { "dev-" } else { "" };
    format!("{}-{origin}{}.{EXTENSION}", key.profile, key.id())
}

fn id_in_name(path: &Path) -> Option<ParameterId> {
    path.file_stem()?.to_str()?.rsplit('-').next()?.parse().ok()
}

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

/// Every file of `dir` with the right extension.
fn candidates(dir: &Path) -> Result<Vec<PathBuf>, ParametersError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(|source| io_error(dir, source))? {
        let path = entry.map_err(|source| io_error(dir, source))?.path();
        if path.extension().is_some_and(|ext| ext == EXTENSION) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Development parameters of this profile in `dir`, oldest first; only those for the circuit with
/// this digest, if one is given. Files that are no parameters are passed over.
fn fitting(
    dir: &Path,
    profile: &str,
    idle: F,
    step_digest: Option<&Digest>,
) -> Result<Vec<(PathBuf, VerifyingKey)>, ParametersError> {
    let mut fitting = Vec::new();
    for path in candidates(dir)? {
        let Ok(key) = read_key(&path) else { continue };
        let fits = key.development
            && key.profile == profile
            && key.idle == idle
            && step_digest.is_none_or(|digest| key.step_digest == *digest);
        if fits {
            let age = fs::metadata(&path)
                .and_then(|meta| meta.modified())
                .unwrap_or(SystemTime::UNIX_EPOCH);
            fitting.push((age, path, key));
        }
    }
    fitting.sort_by(|(age, path, _), (other_age, other, _)| (age, path).cmp(&(other_age, other)));
    Ok(fitting.into_iter().map(|(_, path, key)| (path, key)).collect())
}

/// Reads only the beginning of a file, which holds the key.
fn read_key(path: &Path) -> Result<VerifyingKey, ParametersError> {
    use io::Read;
    let mut head = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take((MAX_KEY_BYTES + 32) as u64).read_to_end(&mut head))
        .map_err(|source| io_error(path, source))?;
    decode_header(&mut Reader::little_endian(&head)).map_err(|source| decode_error(path, source))
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

fn io_error(path: &Path, source: io::Error) -> ParametersError {
    ParametersError::Io { path: path.to_owned(), source }
}

fn decode_error(path: &Path, source: DecodeError) -> ParametersError {
    ParametersError::Decode { path: path.to_owned(), source }
}
