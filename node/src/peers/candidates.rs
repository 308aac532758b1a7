//! Nodes that others have named.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv6Addr},
    sync::{MutexGuard, PoisonError},
};

use crate::address::Address;

use super::{NodeNumber, PeerState, Peers};

/// The largest number of addresses in an answer.
pub const MAX_LISTED: usize = 32;
/// The largest number of addresses that wait to be tried. More are ignored.
const MAX_CANDIDATES: usize = 64;
/// The largest number of peers that were found through others: each is asked all the time, and a liar can
/// name any number.
const MAX_FOUND: usize = 8;

/// Whether an address is one of this machine or of a local network. Names without a dot are local.
pub fn is_local(address: &str) -> bool {
    let Ok(Address { host, .. }) = Address::of_node(address) else { return true };
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
        }
        Ok(IpAddr::V6(ip)) => is_local_v6(ip),
        Err(_) => host == "localhost" || !host.contains('.') || host.ends_with(".local"),
    }
}

fn is_local_v6(ip: Ipv6Addr) -> bool {
    let mapped = ip.to_ipv4_mapped().is_some_and(|ip| is_local(&ip.to_string()));
    mapped
        || ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_unique_local()
        || ip.is_unicast_link_local()
}

impl Peers {
    fn waiting(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.candidates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of an address that another node has named. Addresses of a local network count only if
    /// that node is near itself: a stranger must not send this node around in its own network.
    pub(crate) fn offer(&self, address: &str, is_near: bool) {
        let Ok(address) = Address::of_node(address).map(|address| address.to_string()) else {
            return;
        };
        let is_new = self.own_address() != Some(&address) && !self.lock().contains_key(&address);
        let mut waiting = self.waiting();
        if is_new && waiting.len() < MAX_CANDIDATES && (is_near || !is_local(&address)) {
            waiting.insert(address);
            self.offered.notify_one();
        }
    }

    /// Waits until another node names an address.
    pub(crate) async fn offered(&self) {
        self.offered.notified().await;
    }

    /// The addresses that wait to be tried, which do not wait any more.
    pub(crate) fn candidates(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.waiting())
    }

    /// Whether a further found peer has room.
    pub(crate) fn has_room(&self) -> bool {
        self.lock().values().filter(|state| state.found).count() < MAX_FOUND
    }

    /// Whether this node, or a peer under another address, has this number.
    pub(crate) fn is_known(&self, node: &NodeNumber) -> bool {
        *node == self.node() || self.lock().values().any(|state| state.node.as_ref() == Some(node))
    }

    /// Adds a peer that was found through others.
    pub(crate) fn add_found(&self, address: String, node: Option<NodeNumber>) {
        let found = PeerState { found: true, node, ..PeerState::default() };
        self.lock().entry(address).or_insert(found);
    }

    /// The addresses of the peers that were found through others.
    pub(crate) fn found(&self) -> Vec<String> {
        let states = self.lock();
        states.iter().filter(|(_, state)| state.found).map(|(address, _)| address.clone()).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_local_or_not() {
        let local = [
            "127.0.0.1",
            "10.1.2.3:7340",
            "192.168.1.1",
            "169.254.0.1",
            "0.0.0.0",
            "[::1]:1",
            "[::]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "localhost",
            "printer",
            "a.local",
            ":7340",
            "not an address",
        ];
        for address in local {
            assert!(is_local(address), "{address}");
        }
        for address in ["8.8.8.8", "[2001:db8::1]:7340", "node.example.org", "[::ffff:8.8.8.8]"] {
            assert!(!is_local(address), "{address}");
        }
    }

    #[test]
    fn a_stranger_names_few_and_only_public_addresses() {
        let own = Address::of_node("own.example.org").unwrap();
        let peers = Peers::new(["known.example.org:7340".to_owned()]).with_own_address(&own);
        for address in ["10.0.0.1", "localhost", "own.example.org", "known.example.org", "a b"] {
            peers.offer(address, false);
        }
        assert!(peers.candidates().is_empty());
        peers.offer("10.0.0.1", true);
        assert_eq!(peers.candidates().into_iter().collect::<Vec<_>>(), ["10.0.0.1:7340"]);
        (0..1000).for_each(|n| peers.offer(&format!("n{n}.example.org"), false));
        assert_eq!(peers.candidates().len(), MAX_CANDIDATES);
        for n in 0..MAX_FOUND {
            assert!(peers.has_room());
            peers.add_found(format!("n{n}.example.org:7340"), Some([n as u8; 16]));
        }
        assert!(!peers.has_room());
        assert!(peers.is_known(&[3; 16]) && peers.is_known(&peers.node()));
        assert!(!peers.is_known(&[200; 16]));
    }
}
