//! Spaces: the genesis config and the space id (design 3).

use thiserror::Error;

use crate::{
    eddsa::{KeyRefused, PublicKey, POINT_BYTES},
    field::{self, FieldError, FIELD_BYTES},
    item::Entry,
    log::Tip,
    tree, F,
};

/// The largest number of writers in a genesis config. The owner admits more later.
pub const MAX_GENESIS_WRITERS: usize = 4096;

/// A genesis config: all that a space begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// Random: it makes the space and its logs unlike all others.
    pub salt: F,
    /// The first writers by id; `writers[0]` is the owner.
    pub writers: Vec<PublicKey>,
}

/// Why a genesis config is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum GenesisError {
    /// Cut, too long, or not as its own count says.
    #[error("a genesis config of {length} bytes does not hold the writers that it announces")]
    Length {
        /// The length in bytes.
        length: usize,
    },
    /// No owner, or too many writers.
    #[error("a genesis config has 1 to {MAX_GENESIS_WRITERS} writers, not {count}")]
    WriterCount {
        /// The number of writers.
        count: u64,
    },
    /// The salt or a coordinate is no field element.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// Nothing would verify under a writer's key.
    #[error("writer {writer}: {source}")]
    Key {
        /// The writer.
        writer: u32,
        /// What is wrong with the key.
        source: KeyRefused,
    },
}

const COUNT_BYTES: usize = 4;

impl Genesis {
    /// A config whose owner and writers can sign.
    ///
    /// # Errors
    /// [`GenesisError`] if there is no owner, there are too many writers, or a key is no good.
    pub fn new(salt: F, writers: Vec<PublicKey>) -> Result<Genesis, GenesisError> {
        let genesis = Genesis { salt, writers };
        genesis.check()?;
        Ok(genesis)
    }

    /// Checks the number of writers and each one's key.
    ///
    /// # Errors
    /// [`GenesisError::WriterCount`] or [`GenesisError::Key`].
    pub fn check(&self) -> Result<(), GenesisError> {
        check_count(self.writers.len() as u64)?;
        (0u32..).zip(&self.writers).try_for_each(|(writer, key)| {
            key.check().map_err(|source| GenesisError::Key { writer, source })
        })
    }

    /// The first writers' logs before any op, by id.
    pub fn heads(&self) -> Vec<(u32, Tip)> {
        let tip =
            |(writer, key): (u32, &PublicKey)| (writer, Tip::genesis(self.salt, writer, *key));
        (0u32..).zip(&self.writers).map(tip).collect()
    }

    /// The entries of the genesis tree in the order of their keys, with both sentinels.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = vec![Entry::start_sentinel()];
        entries.extend(self.heads().iter().map(|(writer, tip)| tip.entry(*writer)));
        entries.push(Entry::end_sentinel());
        entries
    }

    /// The space's id: the genesis root.
    pub fn space_id(&self) -> F {
        tree::build(&self.entries()).root
    }

    /// Encodes as salt, number of writers (32 bits), keys.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = field::to_bytes(&self.salt).to_vec();
        out.extend_from_slice(&(self.writers.len() as u32).to_be_bytes());
        self.writers.iter().for_each(|key| out.extend_from_slice(&key.to_bytes()));
        out
    }

    /// Decodes what [`Genesis::to_bytes`] made. The keys can be any field elements: see
    /// [`Genesis::check`].
    ///
    /// # Errors
    /// [`GenesisError`] if the bytes are not exactly a config of 1 to [`MAX_GENESIS_WRITERS`]
    /// writers.
    pub fn from_bytes(bytes: &[u8]) -> Result<Genesis, GenesisError> {
        let refused = || GenesisError::Length { length: bytes.len() };
        let (salt, rest) = bytes.split_first_chunk::<FIELD_BYTES>().ok_or_else(refused)?;
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
        Ok(Genesis { salt, writers })
    }
}

fn check_count(count: u64) -> Result<(), GenesisError> {
    if (1..=MAX_GENESIS_WRITERS as u64).contains(&count) {
        Ok(())
    } else {
        Err(GenesisError::WriterCount { count })
    }
}
