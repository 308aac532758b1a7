//! The Rootfold node: store, ingest, proving, replication and its gRPC services.
//!
//! Start with [`space::Space`], which is what everything else works on. [`prove`] moves its proved
//! state, [`server`] shows it to others, and [`bootstrap`] makes one out of what untrusted others
//! show.

pub mod bootstrap;
pub mod client;
pub mod data_dir;
pub mod git;
pub mod progress;
pub mod prove;
pub mod replay;
pub mod server;
pub mod snapshot_file;
pub mod space;
pub mod store;
