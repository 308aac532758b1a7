//! A parameters file that arrives from elsewhere in parts.
//!
//! The parts are kept in `ID.part` beside the other files, so that a transfer that was cut off goes on
//! where it stopped, with any sender. The verifying key at the beginning must have the wanted id. It
//! names the lengths and the digest of the lists, so the file is bounded early and checked as a whole at
//! the end.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use rootfold_arith::encoding::Reader;
use rootfold_verifier::{domain, ParameterId, VerifyingKey};

use super::{decode_header, find, key_file_name, private, sizes, ParametersError, MAX_KEY_BYTES};
use crate::bases::lists_len;

/// The number of bytes that contain the header of every file.
const HEAD_BYTES: usize = MAX_KEY_BYTES + 32;

/// A parameters file of which some bytes are here.
#[derive(Debug)]
pub struct IncomingParameters {
    dir: PathBuf,
    path: PathBuf,
    file: File,
    wanted: ParameterId,
    received: u64,
    header: Option<Header>,
}

#[derive(Debug)]
struct Header {
    key: VerifyingKey,
    /// The bytes before the lists.
    len: u64,
    /// The bytes of the whole file.
    total: u64,
}

impl IncomingParameters {
    /// The part that is here of the parameters with this id; none if no transfer has begun. Creates
    /// `dir` with mode 0700 if it is missing. Another process that receives the same parameters is
    /// refused.
    ///
    /// # Errors
    /// [`ParametersError::Io`], [`ParametersError::NotPrivate`].
    pub fn open(dir: &Path, id: ParameterId) -> Result<IncomingParameters, ParametersError> {
        private::create_folder(dir)?;
        let path = dir.join(format!("{id}.part"));
        let io_error = |source| ParametersError::io(&path, source);
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(io_error)?;
        private::check(&path, file.metadata())?;
        file.try_lock().map_err(|e| io_error(e.into()))?;
        let received = file.metadata().map_err(io_error)?.len();
        let dir = dir.to_owned();
        let mut incoming =
            IncomingParameters { dir, path, file, wanted: id, received, header: None };
        if let Err(e) = incoming.read_header() {
            tracing::warn!(event = "parameters-restart", error = %e, "a part of a parameters file is not usable; starting over");
            incoming.discard()?;
        }
        Ok(incoming)
    }

    /// The number of bytes that are here: the offset of the next ones.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The number of bytes of the whole file, once its header is here.
    pub fn total(&self) -> Option<u64> {
        self.header.as_ref().map(|header| header.total)
    }

    /// Adds the next bytes.
    ///
    /// # Errors
    /// [`ParametersError`] if they cannot be those of the wanted file: then [`Self::discard`] begins
    /// again. [`ParametersError::Io`] if they cannot be written.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), ParametersError> {
        self.file.write_all(bytes).map_err(|source| ParametersError::io(&self.path, source))?;
        self.received += bytes.len() as u64;
        self.read_header()?;
        if self.total().is_some_and(|total| self.received > total) {
            return Err(ParametersError::Damaged(self.path.clone()));
        }
        Ok(())
    }

    /// Removes what is here, which is not part of the wanted file.
    ///
    /// # Errors
    /// [`ParametersError::Io`].
    pub fn discard(&mut self) -> Result<(), ParametersError> {
        self.file.set_len(0).map_err(|source| ParametersError::io(&self.path, source))?;
        (self.received, self.header) = (0, None);
        Ok(())
    }

    /// Checks the whole file and gives it its name. Returns its path. Nothing can be added after it.
    ///
    /// # Errors
    /// [`ParametersError::Damaged`] if it is not the wanted file, [`ParametersError::Io`].
    pub fn finish(&mut self) -> Result<PathBuf, ParametersError> {
        let io_error = |source| ParametersError::io(&self.path, source);
        let damaged = || ParametersError::Damaged(self.path.clone());
        let header = self.header.as_ref().ok_or_else(damaged)?;
        self.file.seek(io::SeekFrom::Start(header.len)).map_err(io_error)?;
        let mut hasher = blake3::Hasher::new_derive_key(domain::PROVING_BASES);
        hasher.update_reader(&mut self.file).map_err(io_error)?;
        if self.received != header.total
            || *hasher.finalize().as_bytes() != header.key.proving_digest
        {
            return Err(damaged());
        }
        self.file.sync_all().map_err(io_error)?;
        let path = self.dir.join(key_file_name(&header.key));
        fs::rename(&self.path, &path).map_err(io_error)?;
        // The new name is durable once the folder is synced.
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(io_error)?;
        Ok(path)
    }

    /// Reads the header once enough bytes are here.
    fn read_header(&mut self) -> Result<(), ParametersError> {
        if self.header.is_some() || self.received < HEAD_BYTES as u64 {
            return Ok(());
        }
        let io_error = |source| ParametersError::io(&self.path, source);
        let mut head = vec![0; HEAD_BYTES];
        self.file.seek(io::SeekFrom::Start(0)).map_err(io_error)?;
        self.file.read_exact(&mut head).map_err(io_error)?;
        let mut reader = Reader::little_endian(&head);
        let key = decode_header(&mut reader)
            .map_err(|source| ParametersError::decode(&self.path, source))?;
        if key.id() != self.wanted {
            let (path, wanted, found) = (self.path.clone(), self.wanted, key.id());
            return Err(ParametersError::OtherId { path, wanted, found });
        }
        let len = reader.offset() as u64;
        let total = sizes(&key).and_then(|sizes| lists_len(&sizes)?.checked_add(len));
        let total = total.ok_or_else(|| ParametersError::Damaged(self.path.clone()))?;
        self.header = Some(Header { key, len, total });
        Ok(())
    }
}

/// The file of the parameters with this id in `dir`, which may be missing. It is not read: whoever
/// gets its bytes checks them.
///
/// # Errors
/// [`ParametersError::Io`], [`ParametersError::NotPrivate`].
pub fn parameters_file(
    dir: &Path,
    id: ParameterId,
) -> Result<Option<(PathBuf, File)>, ParametersError> {
    if !dir.is_dir() {
        return Ok(None);
    }
    private::check_folder(dir)?;
    let Some(path) = find(dir, id)? else { return Ok(None) };
    let file = private::open(&path)?;
    Ok(Some((path, file)))
}
