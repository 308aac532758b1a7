//! The secret keys of this node: one file each in the data directory, with mode 0600.

use std::{
    fs,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use rand::rngs::OsRng;
use rootfold_core::eddsa::{PublicKey, SecretKey};
use rootfold_node::private_file;

use super::failure::{Failure, OrFail};

/// The name of the key that `space new` creates.
pub const OWNER: &str = "owner";
/// The longest name of a key, in bytes.
const MAX_NAME: usize = 64;
/// The largest key file, in bytes: 64 digits, a line feed, and some space after them.
const MAX_FILE: u64 = 80;

/// The directory of keys.
pub struct Keyring {
    folder: PathBuf,
}

impl Keyring {
    /// The keyring in a data directory. Its directory is created with the first key.
    pub fn of(data: &Path) -> Keyring {
        Keyring { folder: data.join("keys") }
    }

    /// Creates a key. An existing key is never replaced.
    pub fn create(&self, name: &str) -> Result<SecretKey, Failure> {
        let path = self.file(name)?;
        let secret = SecretKey::random(&mut OsRng);
        private_file::create_folder(&self.folder)
            .or_unreachable(format!("creating {}", self.folder.display()))?;
        // Written to a temporary file and then linked: a key file is complete or absent.
        let mut aside = private_file(&self.folder)?;
        let doing = || format!("writing the key {}", path.display());
        let digits = hex::encode(&secret.to_bytes()[..]);
        writeln!(aside, "{digits}")
            .and_then(|()| aside.as_file().sync_all())
            .or_unreachable(doing())?;
        match aside.persist_noclobber(&path) {
            Ok(_) => Ok(secret),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
                Err(Failure::usage(format!("key {name:?} exists already ({})", path.display())))
            }
            Err(error) => Err(error.error).or_unreachable(doing()),
        }
    }

    /// Reads the key `name`. A file that other users can read is refused.
    pub fn read(&self, name: &str) -> Result<SecretKey, Failure> {
        let path = self.file(name)?;
        let text = private_file::read(&path, MAX_FILE).or_unreachable("secret key")?;
        let mut bytes = [0u8; 32];
        hex::decode_to_slice(text.trim_ascii_end(), &mut bytes)
            .or_unreachable(format!("{} is not a key file", path.display()))?;
        Ok(SecretKey::from_bytes(bytes))
    }

    /// The names and public keys of all keys, by name.
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
                "{name:?} is not the name of a key: expected 1 to {MAX_NAME} letters, digits, '.', '_', \
                 '-' or '@', the first of them not '.'"
            )));
        }
        Ok(self.folder.join(format!("{name}.key")))
    }
}

/// Whether `name` can be the name of a key. Names are parts of file names.
fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
        && !name.starts_with('.')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c))
}

/// A temporary file with mode 0600 from its creation.
fn private_file(folder: &Path) -> Result<tempfile::NamedTempFile, Failure> {
    // The mode is the default of `tempfile`.
    tempfile::Builder::new()
        .prefix(".new")
        .tempfile_in(folder)
        .or_unreachable(format!("writing to {}", folder.display()))
}
