//! Spaces: the genesis config and the space id.

use thiserror::Error;

use crate::{
    eddsa::{KeyRefused, PublicKey, POINT_BYTES},
    field::{self, FieldError, FIELD_BYTES},
    item::Entry,
    log::Tip,
    tree, F,
};

/// The most writers of a genesis config. The owner can admit more later.
pub const MAX_GENESIS_WRITERS: usize = 4096;

/// Who may write shared keys. Owned keys are written by their owner alone, in every space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Every writer of the genesis config; every granted writer, unless the owner grants them less.
    Everyone,
    /// The owner alone.
    Owner,
}

impl Sharing {
    /// Whether `writer` may write shared keys, unless the owner grants them something else.
    pub fn allows(self, writer: u32) -> bool {
        writer == 0 || self == Sharing::Everyone
    }
}

/// A genesis config: the initial contents of a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// A random number, which makes the space and its logs unique.
    pub salt: F,
    /// Who may write shared keys. The head entries of the genesis tree say so too, hence the space id.
    pub sharing: Sharing,
    /// The first writers by id; `writers[0]` is the owner.
    pub writers: Vec<PublicKey>,
}

/// The genesis config is not valid.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum GenesisError {
    /// The length does not match the number of writers.
    #[error(
        "a genesis config of {length} bytes does not have the length for its number of writers"
    )]
    Length {
        /// The length in bytes.
        length: usize,
    },
    /// The byte that says who may write shared keys is neither 0 nor 1.
    #[error("a genesis config says with byte {byte} who may write shared keys; known are 0 (everyone) and 1 (the owner)")]
    Sharing {
        /// The byte.
        byte: u8,
    },
    /// The number of writers is 0 or exceeds the limit.
    #[error("a genesis config has 1 to {MAX_GENESIS_WRITERS} writers, not {count}")]
    WriterCount {
        /// The number of writers.
        count: u64,
    },
    /// The salt or a coordinate is not below the modulus.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// No signature is valid under a writer's key.
    #[error("writer {writer}: {source}")]
    Key {
        /// The writer.
        writer: u32,
        /// The error of the key.
        source: KeyRefused,
    },
}

const COUNT_BYTES: usize = 4;

impl Genesis {
    /// A config after the checks of [`Genesis::check`].
    ///
    /// # Errors
    /// [`GenesisError::WriterCount`] or [`GenesisError::Key`].
    pub fn new(
        salt: F,
        sharing: Sharing,
        writers: Vec<PublicKey>,
    ) -> Result<Genesis, GenesisError> {
        let genesis = Genesis { salt, sharing, writers };
        genesis.check()?;
        Ok(genesis)
    }

    /// Checks the number of writers and their keys.
    ///
    /// # Errors
    /// [`GenesisError::WriterCount`] or [`GenesisError::Key`].
    pub fn check(&self) -> Result<(), GenesisError> {
        check_count(self.writers.len() as u64)?;
        (0u32..).zip(&self.writers).try_for_each(|(writer, key)| {
            key.check().map_err(|source| GenesisError::Key { writer, source })
        })
    }

    /// The tips of the first writers' empty logs, by writer.
    pub fn heads(&self) -> Vec<(u32, Tip)> {
        let tip = |(writer, key): (u32, &PublicKey)| {
            (writer, Tip::genesis(self.salt, writer, *key, self.sharing.allows(writer)))
        };
        (0u32..).zip(&self.writers).map(tip).collect()
    }

    /// The entries of the genesis tree in key order, including the sentinels and the fences.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = vec![Entry::start_sentinel()];
        entries.extend(self.heads().iter().map(|(writer, tip)| tip.entry(*writer)));
        entries.extend(Entry::fences());
        entries.push(Entry::end_sentinel());
        entries
    }

    /// The space id, which is the root of the genesis tree.
    pub fn space_id(&self) -> F {
        tree::build(&self.entries()).root
    }

    /// Encodes salt, sharing (1 byte), number of writers (4 bytes, big-endian) and keys.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = field::to_bytes(&self.salt).to_vec();
        out.push(match self.sharing {
            Sharing::Everyone => 0,
            Sharing::Owner => 1,
        });
        out.extend_from_slice(&(self.writers.len() as u32).to_be_bytes());
        self.writers.iter().for_each(|key| out.extend_from_slice(&key.to_bytes()));
        out
    }

    /// Decodes the encoding of [`Genesis::to_bytes`]. Does not check the keys: see
    /// [`Genesis::check`].
    ///
    /// # Errors
    /// [`GenesisError`] if the bytes are not the encoding of a config with 1 to
    /// [`MAX_GENESIS_WRITERS`] writers.
    pub fn from_bytes(bytes: &[u8]) -> Result<Genesis, GenesisError> {
        let refused = || GenesisError::Length { length: bytes.len() };
        let (salt, rest) = bytes.split_first_chunk::<FIELD_BYTES>().ok_or_else(refused)?;
        let (sharing, rest) = rest.split_first().ok_or_else(refused)?;
        let sharing = match *sharing {
            0 => Sharing::Everyone,
            1 => Sharing::Owner,
            byte => return Err(GenesisError::Sharing { byte }),
        };
        let (count, keys) = rest.split_first_chunk::<COUNT_BYTES>().ok_or_else(refused)?;
        let count = u32::from_be_bytes(*count) as usize;
        check_count(count as u64)?;
        if keys.len() != count * POINT_BYTES {
            return Err(refused());
        }
        let salt = field::from_bytes(salt)?;
        let key = |chunk: &[u8]| {
            let chunk = chunk.try_into().map_err(|_| refused())?;
            Ok(PublicKey::from_bytes(chunk)?)
        };
        let writers = keys.chunks(POINT_BYTES).map(key).collect::<Result<_, GenesisError>>()?;
        Ok(Genesis { salt, sharing, writers })
    }
}

fn check_count(count: u64) -> Result<(), GenesisError> {
    if (1..=MAX_GENESIS_WRITERS as u64).contains(&count) {
        Ok(())
    } else {
        Err(GenesisError::WriterCount { count })
    }
}
