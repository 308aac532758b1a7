//! The wire protocol `rootfold.v1`: the messages generated from the files in `proto/`, and their
//! limits. With the feature `services`, which is on by default, also the clients and servers.
//!
//! `rootfold-light` checks messages and converts them into types.

/// Package `rootfold.v1`.
// Generated code: tonic documents neither its modules nor the methods of clients.
#[allow(missing_docs, clippy::doc_markdown)]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/rootfold.v1.rs"));

    /// The descriptors of all files, for the reflection service.
    pub const FILE_DESCRIPTOR_SET: &[u8] =
        include_bytes!(concat!(env!("OUT_DIR"), "/rootfold_v1_descriptors.bin"));
}

#[cfg(feature = "services")]
pub mod codec;
mod decode;
mod elements;
pub mod limits;
pub mod reason;

pub use decode::{decode, DecodeError};
pub use elements::ElementsError;
