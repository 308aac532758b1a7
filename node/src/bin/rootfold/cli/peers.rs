//! `peers`

use clap::Args;
use rootfold_node::{
    address::Address,
    data_dir::DataDirError,
    peers::{self, PeerState},
};
use serde_json::{json, Value};
use tokio::time::Instant;

use super::{
    failure::{Failure, OrFail},
    text, Context,
};

/// `peers`
#[derive(Debug, Args)]
pub struct PeersArgs {
    /// Adds a peer; may be given several times.
    #[arg(long, value_name = "ADDR", value_parser = Address::of_node)]
    add: Vec<Address>,
    /// Removes a peer; may be given several times.
    #[arg(long, value_name = "ADDR", value_parser = Address::of_node)]
    remove: Vec<Address>,
}

/// Changes the peers that the data directory remembers, and prints them.
pub fn run(context: &Context, args: &PeersArgs) -> Result<(), Failure> {
    let data_dir = context.data_dir();
    if !data_dir.exists() {
        return Err(DataDirError::Empty { path: data_dir.path().to_owned() }.into());
    }
    let mut addresses = peers::remembered(&data_dir).or_unreachable("the file of peers")?;
    let served = context.served_peers();
    for address in args.remove.iter().map(ToString::to_string) {
        let running = served.as_ref().is_some_and(|peers| peers.remove(&address));
        let before = addresses.len();
        addresses.retain(|held| *held != address);
        if !running && addresses.len() == before {
            return Err(Failure::not_found(format!("{address} is not among the peers")));
        }
    }
    for address in args.add.iter().map(ToString::to_string) {
        if let Some(peers) = &served {
            peers.add(address.clone());
        }
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if !args.add.is_empty() || !args.remove.is_empty() {
        peers::remember(&data_dir, &addresses).or_unreachable("the file of peers")?;
    }
    let states = match served {
        Some(peers) => peers.all(),
        // Without a node nothing is known of them.
        None => addresses.into_iter().map(|address| (address, PeerState::default())).collect(),
    };
    let json: Vec<Value> =
        states.iter().map(|(address, state)| peer_json(address, state)).collect();
    context.output.answer(&json!({ "peers": json }), || {
        if states.is_empty() {
            return "no peers; `rootfold peers --add ADDR` adds one\n".to_owned();
        }
        states.iter().map(|(address, state)| format!("{}\n", peer_text(address, state))).collect()
    })
}

/// A peer as JSON.
pub fn peer_json(address: &str, state: &PeerState) -> Value {
    json!({
        "address": address,
        "reachable": state.reachable,
        "root": state.root.as_ref().map(text::field_text),
        "ops_missing_here": state.ops_missing_here,
        "ops_missing_there": state.ops_missing_there,
        "faults": state.faults,
        "banned_seconds": banned_seconds(state),
        "answer_ms": state.answer_time.map(|time| time.as_secs_f64() * 1000.0),
        "bytes_received": state.bytes_received,
        "ops_handed": state.ops_handed,
        "last_failure": state.last_failure,
        "found": state.found,
        "full_history": state.full_history,
        "snapshot_ops": state.snapshot_ops,
    })
}

fn banned_seconds(state: &PeerState) -> Option<u64> {
    state.banned_until.map(|until| until.saturating_duration_since(Instant::now()).as_secs())
}

/// A peer in one line.
pub fn peer_text(address: &str, state: &PeerState) -> String {
    let mut facts = Vec::new();
    match (state.reachable, banned_seconds(state)) {
        (_, Some(seconds)) => facts.push(format!("not asked for {seconds} s after faults")),
        (None, _) => facts.push("not asked yet".to_owned()),
        (Some(false), _) => facts.push("unreachable".to_owned()),
        (Some(true), _) => facts.push("reachable".to_owned()),
    }
    if let Some(root) = &state.root {
        facts.push(match (state.ops_missing_here, state.ops_missing_there) {
            (0, 0) => format!("root {}", &text::field_text(root)[..8]),
            (here, there) => format!("has {here} ops more, lacks {there}"),
        });
    }
    facts.extend(state.answer_time.map(|t| format!("answers in {:.1} ms", t.as_secs_f64() * 1e3)));
    if state.bytes_received > 0 {
        facts.push(format!("{} received", text::bytes_text(state.bytes_received)));
    }
    if state.found {
        facts.push("found through other peers".to_owned());
    }
    if state.faults > 0 {
        facts.push(format!("{} faults", state.faults));
    }
    if state.reachable != Some(true) {
        facts.extend(state.last_failure.clone());
    }
    format!("{address}  {}", facts.join(", "))
}
