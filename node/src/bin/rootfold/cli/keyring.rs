//! Secret keys of this node's writers: one file each in the data folder, readable by its owner only.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use rand::rngs::OsRng;
use rootfold_core::eddsa::{PublicKey, SecretKey};

use super::failure::{Failure, OrFail};

/// Name of the key that `space new` makes.
pub const OWNER: &str = "owner";
const MAX_NAME: usize = 64;

/// The folder of keys.
pub struct Keyring {
    folder: PathBuf,
}

impl Keyring {
    /// The keyring of a data folder. Nothing is made before there is a key.
    pub fn of(data: &Path) -> Keyring {
        Keyring { folder: data.join("keys") }
    }

    /// Makes a key; an existing one is never replaced.
    pub fn create(&self, name: &str) -> Result<SecretKey, Failure> {
        let path = self.file(name)?;
        let secret = SecretKey::random(&mut OsRng);
        fs::create_dir_all(&self.folder)
            .or_unreachable(format!("making {}", self.folder.display()))?;
        // Written aside and linked into place: a key file is whole or not there.
        let mut aside = private_file(&self.folder)?;
        let doing = || format!("writing the key {}", path.display());
        let digits = hex::encode(&secret.to_bytes()[..]);
        writeln!(aside, "{digits}")
            .and_then(|()| aside.as_file().sync_all())
            .or_unreachable(doing())?;
        match aside.persist_noclobber(&path) {
            Ok(_) => Ok(secret),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Err(Failure::usage(
                format!("there is a key named {name:?} already ({})", path.display()),
            )),
            Err(error) => Err(error.error).or_unreachable(doing()),
        }
    }

    /// Reads a key.
    pub fn read(&self, name: &str) -> Result<SecretKey, Failure> {
        let path = self.file(name)?;
        let mut text = String::new();
        let file = OpenOptions::new().read(true).open(&path);
        // 64 digits and a line feed; anything longer is no key.
        file.and_then(|file| file.take(80).read_to_string(&mut text))
            .or_unreachable(format!("reading the key {}", path.display()))?;
        let mut bytes = [0u8; 32];
        hex::decode_to_slice(text.trim_end(), &mut bytes)
            .or_unreachable(format!("{} is not a key file", path.display()))?;
        Ok(SecretKey::from_bytes(bytes))
    }

    /// Names and public keys of all keys, by name.
    pub fn list(&self) -> Result<Vec<(String, PublicKey)>, Failure> {
        let doing = || format!("reading {}", self.folder.display());
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.or_unreachable(doing())?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let file = entry.or_unreachable(doing())?.file_name();
            let name = file.to_str().and_then(|file| file.strip_suffix(".key"));
            names.extend(name.filter(|name| is_name(name)).map(str::to_owned));
        }
        names.sort();
        names.into_iter().map(|name| Ok((name.clone(), self.read(&name)?.public_key()))).collect()
    }

    fn file(&self, name: &str) -> Result<PathBuf, Failure> {
        if !is_name(name) {
            return Err(Failure::usage(format!(
                "{name:?} is no name for a key: 1 to {MAX_NAME} letters, digits, '.', '_', '-', \
                 '@', not beginning with '.'"
            )));
        }
        Ok(self.folder.join(format!("{name}.key")))
    }
}

/// Letters and digits and a little more: names become file names.
fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
        && !name.starts_with('.')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c))
}

/// A temporary file that only its owner may read, from its first moment on.
fn private_file(folder: &Path) -> Result<tempfile::NamedTempFile, Failure> {
    // `tempfile` makes its files with mode 0600.
    tempfile::Builder::new()
        .prefix(".new")
        .tempfile_in(folder)
        .or_unreachable(format!("writing to {}", folder.display()))
}
