//! The peers of a running node: which there are, and how they do.

mod candidates;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, ErrorKind},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rootfold_core::F;
use rootfold_prover::atomic::write_atomically;
use tokio::{sync::Notify, time::Instant};

use crate::{address::Address, data_dir::DataDir};

pub use candidates::{is_local, MAX_LISTED};

/// A random number of a running node. Two addresses with one number are one node.
pub type NodeNumber = [u8; 16];

/// What a node knows of a peer.
#[derive(Debug, Clone, Default)]
pub struct PeerState {
    /// Whether it has answered the last time; `None` before the first time.
    pub reachable: Option<bool>,
    /// The root of its latest state, by its own account.
    pub root: Option<F>,
    /// The number of ops that it has and this node lacks.
    pub ops_missing_here: u64,
    /// The number of ops that this node has and the peer lacks.
    pub ops_missing_there: u64,
    /// The number of faults since it was last banned.
    pub faults: u32,
    /// Until when it is not asked.
    pub banned_until: Option<Instant>,
    /// The time of its last answer to one small message.
    pub answer_time: Option<Duration>,
    /// Bytes received from it, with framing.
    pub bytes_received: u64,
    /// Ops that were new to it when this node handed them over.
    pub ops_handed: u64,
    /// The last failure.
    pub last_failure: Option<String>,
    /// Whether other peers have named it, and nobody else.
    pub found: bool,
    /// Whether it holds all ops since genesis, by its own account.
    pub full_history: bool,
    /// The number of ops that its newest snapshot covers, by its own account.
    pub snapshot_ops: u64,
    /// Its number, by its own account.
    pub(crate) node: Option<NodeNumber>,
}

/// The peers of a node, by address. Cheap to clone; all clones share their state.
#[derive(Debug, Clone, Default)]
pub struct Peers {
    states: Arc<Mutex<BTreeMap<String, PeerState>>>,
    /// Addresses that others have named and nobody has tried yet.
    candidates: Arc<Mutex<BTreeSet<String>>>,
    /// Tells that there are new candidates.
    offered: Arc<Notify>,
    own: Arc<Own>,
}

/// What a node says of itself.
#[derive(Debug)]
struct Own {
    node: NodeNumber,
    address: Option<String>,
}

impl Default for Own {
    fn default() -> Own {
        Own { node: rand::random(), address: None }
    }
}

impl Peers {
    /// These addresses.
    pub fn new(addresses: impl IntoIterator<Item = String>) -> Peers {
        let peers = Peers::default();
        addresses.into_iter().for_each(|address| peers.add(address));
        peers
    }

    /// The same peers of a node that others reach under this address.
    #[must_use]
    pub fn with_own_address(self, address: &Address) -> Peers {
        let own = Own { address: Some(address.to_string()), node: self.own.node };
        Peers { own: Arc::new(own), ..self }
    }

    /// The number of this node.
    pub fn node(&self) -> NodeNumber {
        self.own.node
    }

    /// The address under which others reach this node; `None` if it is not known.
    pub fn own_address(&self) -> Option<&str> {
        self.own.address.as_deref()
    }

    /// The addresses of peers that have answered the last time.
    pub fn reachable(&self) -> Vec<String> {
        let states = self.lock();
        let answering = states.iter().filter(|(_, state)| state.reachable == Some(true));
        answering.map(|(address, _)| address.clone()).collect()
    }

    /// The addresses of peers that hold all ops, by their own account.
    pub fn holders(&self) -> Vec<String> {
        let states = self.lock();
        let holding =
            states.iter().filter(|(_, state)| state.reachable == Some(true) && state.full_history);
        holding.map(|(address, _)| address.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, PeerState>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a peer, unless it is there.
    pub fn add(&self, address: String) {
        self.lock().entry(address).or_default().found = false;
    }

    /// Removes a peer. Returns whether it was there.
    pub fn remove(&self, address: &str) -> bool {
        self.lock().remove(address).is_some()
    }

    /// The addresses.
    pub fn addresses(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// All peers with their states.
    pub fn all(&self) -> BTreeMap<String, PeerState> {
        self.lock().clone()
    }

    /// Changes the state of a peer, unless it was removed.
    pub(crate) fn update(&self, address: &str, change: impl FnOnce(&mut PeerState)) {
        if let Some(state) = self.lock().get_mut(address) {
            change(state);
        }
    }
}

/// The addresses that a data directory remembers, one per line of its file `peers`.
///
/// # Errors
/// Any I/O error except that there is no such file.
pub fn remembered(data_dir: &DataDir) -> io::Result<Vec<String>> {
    read(&data_dir.peers())
}

/// Replaces the addresses that a data directory remembers, at once or not at all.
///
/// # Errors
/// Any I/O error.
pub fn remember(data_dir: &DataDir, addresses: &[String]) -> io::Result<()> {
    write(&data_dir.peers(), addresses)
}

/// Adds addresses to those that a data directory remembers; returns all of them.
///
/// # Errors
/// Any I/O error.
pub fn remember_more(data_dir: &DataDir, more: &[String]) -> io::Result<Vec<String>> {
    let mut addresses = remembered(data_dir)?;
    let before = addresses.len();
    for address in more {
        if !addresses.contains(address) {
            addresses.push(address.clone());
        }
    }
    if addresses.len() > before {
        remember(data_dir, &addresses)?;
    }
    Ok(addresses)
}

/// The addresses of nodes that were found through peers, from the file `found-peers`.
///
/// # Errors
/// Any I/O error except that there is no such file.
pub fn found_before(data_dir: &DataDir) -> io::Result<Vec<String>> {
    read(&data_dir.found_peers())
}

/// Replaces the addresses of nodes that were found through peers.
///
/// # Errors
/// Any I/O error.
pub(crate) fn remember_found(data_dir: &DataDir, addresses: &[String]) -> io::Result<()> {
    write(&data_dir.found_peers(), addresses)
}

fn read(path: &Path) -> io::Result<Vec<String>> {
    match std::fs::read_to_string(path) {
        Ok(lines) => {
            let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
            Ok(lines.map(str::to_owned).collect())
        }
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

fn write(path: &Path, addresses: &[String]) -> io::Result<()> {
    let lines: String = addresses.iter().map(|address| format!("{address}\n")).collect();
    write_atomically(path, &[lines.as_bytes()])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_remembered_in_the_directory() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = DataDir::new(folder.path());
        assert!(remembered(&data_dir).unwrap().is_empty());
        let addresses = ["a:1".to_owned(), "b:2".to_owned()];
        remember(&data_dir, &addresses).unwrap();
        assert_eq!(remembered(&data_dir).unwrap(), addresses);
        remember(&data_dir, &[]).unwrap();
        assert!(remembered(&data_dir).unwrap().is_empty());
    }
}
