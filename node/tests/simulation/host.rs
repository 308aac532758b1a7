//! What a host does: an honest node, or a peer that lies.

use std::{sync::Arc, time::Duration};

use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};
use rootfold_node::{
    bootstrap::{self, BootstrapReport, Reputation, SyncContext},
    client::PeerCause,
    server::{serve_routes, Limits, Server},
    space::{Policy, Space, Write},
    store::{dump, Column, Store},
};
use tokio::time::{sleep, Instant};
use tonic::service::Routes;

use super::{
    network::{listen, SimClock, SimDial, PORT},
    record::{Event, Record},
    store::SimStore,
};
use crate::common::{
    key,
    net::{lying_service, Lies},
    proved::{invite, proved, verifying_key},
};

/// An honest node.
#[derive(Clone)]
pub struct Node {
    pub name: &'static str,
    pub store: Arc<SimStore>,
    /// All hosts but itself.
    pub peers: Vec<String>,
    /// The honest ones of them.
    pub honest: Vec<String>,
    /// The writers whose keys it has.
    pub writers: Vec<u32>,
    pub clock_ahead: u64,
    pub seed: u64,
    /// When it stops to write, and syncs with honest peers only.
    pub quiet_after: Duration,
    pub record: Record,
}

fn addresses(names: &[String]) -> Vec<String> {
    names.iter().map(|name| format!("{name}:{PORT}")).collect()
}

impl Node {
    /// Runs from a start, or a restart after a crash, until the simulation ends.
    pub async fn run(self) -> turmoil::Result {
        if self.store.crash() {
            self.record.event(Event::LostUnsynced);
        }
        let mut rng = StdRng::seed_from_u64(self.seed ^ self.starts());
        let space = self.open(&mut rng).await;
        let context = self.context();
        space.set_policy(context.policy.clone());
        self.record.space(self.name, &space);
        let server = Server::new(space.clone(), Some(verifying_key()));
        tokio::spawn(server.run(listen().await, std::future::pending()));
        let mut reputation = Reputation::default();
        loop {
            sleep(Duration::from_millis(rng.gen_range(200..1_500))).await;
            let quiet = turmoil::sim_elapsed().unwrap() > self.quiet_after;
            if !quiet && rng.gen_bool(0.6) {
                self.write(&space, &mut rng);
            }
            let (from, most) = if quiet { (&self.honest, 9) } else { (&self.peers, 2) };
            let mut chosen = addresses(from);
            chosen.retain(|address| reputation.allows(address));
            chosen.shuffle(&mut rng);
            chosen.truncate(most);
            let began = Instant::now();
            let done = bootstrap::sync(&space, &chosen, &context, &()).await;
            match done {
                Ok(report) => {
                    self.note("synced", &report);
                    for address in reputation.note(&report.faults) {
                        assert!(!self.honest.iter().any(|name| address.starts_with(name.as_str())));
                        self.record.line(self.name, &format!("{address} is banned"));
                        self.record.event(Event::Banned);
                    }
                }
                Err(e) => self.record.line(self.name, &format!("sync failed: {e}")),
            }
            if began.elapsed() > Duration::from_secs(60) {
                self.record.line(self.name, "a sync took more than 60 s");
            }
        }
    }

    fn context(&self) -> SyncContext {
        let clock = Arc::new(SimClock { ahead: self.clock_ahead });
        SyncContext {
            invite: invite(&proved().world),
            dial: Arc::new(SimDial),
            policy: Policy { clock, ..Policy::default() },
        }
    }

    /// A different number for each start.
    fn starts(&self) -> u64 {
        self.record.count_start(self.name)
    }

    async fn open(&self, rng: &mut StdRng) -> Space {
        let mut wait = 200;
        loop {
            if let Ok(space) = Space::open(self.store.clone()) {
                return space;
            }
            if dump(&*self.store).unwrap().iter().any(|(column, ..)| *column == Column::Pages) {
                self.record.event(Event::Resumed);
            }
            let mut peers = self.peers.clone();
            peers.shuffle(rng);
            let store: Arc<dyn Store> = self.store.clone();
            let context = self.context();
            let done = bootstrap::run_on(store, addresses(&peers), None, &context, &()).await;
            match done {
                Ok(report) => self.note("bootstrapped", &report),
                Err(e) => self.record.line(self.name, &format!("bootstrap failed: {e}")),
            }
            sleep(Duration::from_millis(wait)).await;
            wait = (2 * wait).min(2_000);
        }
    }

    fn write(&self, space: &Space, rng: &mut StdRng) {
        let writer = *self.writers.choose(rng).unwrap();
        let value = rng.gen_bool(0.8).then(|| vec![rng.gen::<u8>(); rng.gen_range(1..600)]);
        let write = Write::new(key(&format!("k{}", rng.gen_range(0..12))), value);
        let secret = &proved().world.secrets[writer as usize];
        let said = match space.write(writer, secret, vec![write]) {
            Ok(written) => format!("wrote op {} of writer {writer}", written.seq),
            Err(e) => format!("did not write: {e}"),
        };
        self.record.line(self.name, &said);
    }

    fn note(&self, what: &str, report: &BootstrapReport) {
        let root = rootfold_core::field::to_hex(&report.root);
        self.record.line(self.name, &format!("{what}: {} ops, root {root}", report.tail_ops));
        for fault in &report.faults {
            self.record.line(self.name, &format!("fault: {fault}"));
            match &*fault.cause {
                PeerCause::Snapshot(_) => self.record.event(Event::ProofRefused),
                PeerCause::Silent { .. } => self.record.event(Event::SilentPeer),
                PeerCause::Response(_) | PeerCause::Withheld { .. } => {
                    self.record.event(Event::BadData);
                }
                _ => {}
            }
        }
        for held in &report.held_back {
            self.record.line(self.name, &format!("held back: {held}"));
            self.record.event(Event::HeldBack);
        }
        for writer in report.forks.keys() {
            self.record.line(self.name, &format!("writer {writer} has forked the log"));
            self.record.event(Event::Forked);
        }
        assert!(report.elsewhere.is_empty(), "{:?}", report.elsewhere);
    }
}

/// How a peer lies.
#[derive(Debug, Clone, Copy)]
pub enum Liar {
    WrongPages,
    OldProof,
    ProofOfAnotherSpace,
    WithheldOps,
    WithheldPages,
    /// Claims ops that do not exist.
    ClaimedOps,
    Silence,
}

impl Liar {
    pub const ALL: [Liar; 7] = [
        Liar::WrongPages,
        Liar::OldProof,
        Liar::ProofOfAnotherSpace,
        Liar::WithheldOps,
        Liar::WithheldPages,
        Liar::ClaimedOps,
        Liar::Silence,
    ];

    fn lies(self) -> Lies {
        let snapshot = |snapshot| Some(rootfold_light::messages::snapshot_out(snapshot));
        match self {
            Liar::WrongPages => Lies {
                pages: Some(|response| {
                    for page in &mut response.pages {
                        *page.content.last_mut().unwrap() ^= 1;
                    }
                }),
                ..Lies::default()
            },
            Liar::OldProof => Lies { snapshot: snapshot(&proved().stale), ..Lies::default() },
            Liar::ProofOfAnotherSpace => {
                let mut forged = proved().foreign.clone();
                forged.header.space = proved().world.space.id();
                Lies { snapshot: snapshot(&forged), ..Lies::default() }
            }
            Liar::WithheldOps => Lies {
                log: Some(|response| {
                    if let Some(submission) = &mut response.submission {
                        submission.batches.truncate(1);
                    }
                }),
                ..Lies::default()
            },
            Liar::WithheldPages => {
                Lies { pages: Some(|response| response.pages.clear()), ..Lies::default() }
            }
            Liar::ClaimedOps => Lies {
                frontier: Some(|response| {
                    response.root[31] ^= 1;
                    response.writers.iter_mut().for_each(|tip| tip.seq += 1_000);
                }),
                ..Lies::default()
            },
            Liar::Silence => Lies::default(),
        }
    }

    pub async fn run(self) -> turmoil::Result {
        let mut listener = listen().await;
        if matches!(self, Liar::Silence) {
            let mut held = Vec::new();
            loop {
                held.push(rootfold_node::server::Listener::accept(&mut listener).await?);
            }
        }
        let service = lying_service(&proved().world.space, Some(verifying_key()), self.lies());
        let routes = Routes::new(service);
        serve_routes(routes, Limits::default(), listener, std::future::pending()).await;
        Ok(())
    }
}
