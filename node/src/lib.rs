//! The Rootfold node: store, space, prover, replication and gRPC services.
//!
//! Start with [`space::Space`], on which everything else works. [`prove`] advances its proved state,
//! [`server`] serves it, and [`bootstrap`] creates a replica from the data of untrusted peers. The
//! checks of that data are in `rootfold-light`. `examples/two_nodes.rs` shows all of it.

pub mod address;
pub mod backup;
pub mod blocking;
pub mod bootstrap;
pub mod client;
pub mod clock;
pub mod data_dir;
pub mod discovery;
pub mod files;
pub mod follow;
pub mod git;
pub mod metrics;
pub mod peers;
pub mod private_file;
pub mod progress;
pub mod prove;
pub mod replay;
pub mod restored;
pub mod server;
pub mod snapshot_file;
pub mod space;
pub mod store;
pub mod tls;
pub mod token;

/// The TCP port of a node, unless its address names another.
pub const DEFAULT_PORT: u16 = 7340;
