//! Three nodes, two of them provers, that are written to and killed for a while. `ROOTFOLD_SOAK_SECONDS`
//! sets how long (20); `make soak` takes 30 minutes.

#![allow(clippy::unwrap_used)]

mod cli_support;

use std::{
    thread,
    time::{Duration, Instant},
};

use cli_support::{Node, Served};
use rand::{rngs::StdRng, Rng, SeedableRng};

const MIB: u64 = 1024 * 1024;

/// A node that serves, or is down.
struct Member {
    node: Node,
    address: String,
    options: Vec<String>,
    served: Option<Served>,
    peak_memory: u64,
}

impl Member {
    /// A node that serves with these options, at an address that it keeps.
    fn start(node: Node, options: &[&str]) -> Member {
        let served = node.serve_with("", options);
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        let address = served.address.clone();
        Member { node, address, options, served: Some(served), peak_memory: 0 }
    }

    /// kill -9.
    fn kill(&mut self) {
        if let Some(served) = self.served.take() {
            self.peak_memory = self.peak_memory.max(served.peak_memory());
        }
    }

    fn revive(&mut self) {
        if self.served.is_none() {
            let mut options = vec!["--listen", self.address.as_str()];
            options.extend(self.options.iter().map(String::as_str));
            self.served = Some(self.node.serve_with("", &options));
        }
    }
}

fn patience() -> Duration {
    let seconds = std::env::var("ROOTFOLD_SOAK_SECONDS").ok().and_then(|s| s.parse().ok());
    Duration::from_secs(seconds.unwrap_or(20))
}

#[test]
fn killed_nodes_end_with_equal_roots_and_all_is_proved() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);

    let a = Node::with_space();
    // A second prover of the same space, which never signs.
    let b = a.copy();
    let invite = a.json(["status"])["invite"].as_str().unwrap().to_owned();
    let a = Member::start(a, &["--prove", "--publish-every", "64"]);
    let b = Member::start(b, &["--prove", "--publish-every", "64", "--peer", &a.address]);
    let c = Node::new();
    c.run(["bootstrap", "--from", &a.address, "--invite", &invite]).ok();
    let public = c.json(["writer", "new", "ben"])["public_key"].as_str().unwrap().to_owned();
    a.node.run(["grant", &public]).ok();
    c.run(["bootstrap", "--from", &a.address, "--invite", &invite]).ok();
    let c = Member::start(c, &["--peer", &a.address, "--peer", &b.address]);

    let mut members = [a, b, c];
    let (mut puts, mut kills) = (1, 0);
    let began = Instant::now();
    while began.elapsed() < patience() {
        for (member, who) in [(0, "owner"), (2, "ben")] {
            let key = format!("key{}", rng.gen_range(0..50));
            members[member].node.run(["put", &key, &puts.to_string(), "--as", who]).ok();
            puts += 1;
        }
        if rng.gen_bool(0.1) {
            let member = rng.gen_range(0..members.len());
            members[member].kill();
            kills += 1;
        }
        if rng.gen_bool(0.3) {
            members.iter_mut().for_each(Member::revive);
        }
        thread::sleep(Duration::from_millis(rng.gen_range(0..100)));
    }

    members.iter_mut().for_each(Member::revive);
    let ended = Instant::now();
    loop {
        let states: Vec<_> = members.iter().map(|member| member.node.json(["status"])).collect();
        let equal = states.iter().all(|state| state["root"] == states[0]["root"]);
        let proved = states[..2].iter().all(|state| state["proved"]["lag_ops"] == 0);
        if equal && proved && states[0]["ops"] == puts {
            break;
        }
        assert!(ended.elapsed() < Duration::from_secs(120), "after {kills} kills: {states:#?}");
        thread::sleep(Duration::from_millis(200));
    }
    for member in &mut members {
        let disk = member.node.json(["status"])["disk_bytes"].as_u64().unwrap();
        member.kill();
        println!("{} MiB of memory, {} MiB on disk", member.peak_memory / MIB, disk / MIB);
        assert!(member.peak_memory < 1024 * MIB && disk < 128 * MIB);
    }
    println!("{puts} ops, {kills} kills, equal roots after {:?}", ended.elapsed());
}
