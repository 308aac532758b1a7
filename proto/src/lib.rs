//! The wire protocol `rootfold.v1`: messages, clients and servers generated from the files in
//! `proto/`, and the limits that both sides keep.
//!
//! What the bytes in these messages mean, and how they are checked, is in `rootfold-node`.

/// Package `rootfold.v1`.
// Generated: tonic documents neither its modules nor the methods of clients.
#[allow(missing_docs, clippy::doc_markdown)]
pub mod v1 {
    tonic::include_proto!("rootfold.v1");

    /// The descriptors of all files, for the reflection service.
    pub const FILE_DESCRIPTOR_SET: &[u8] =
        include_bytes!(concat!(env!("OUT_DIR"), "/rootfold_v1_descriptors.bin"));
}

pub mod codec;
mod elements;
pub mod limits;

pub use codec::decode;
pub use elements::ElementsRefused;
