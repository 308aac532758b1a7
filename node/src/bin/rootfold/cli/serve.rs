//! `serve`

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use rootfold_node::{
    address::Address,
    follow,
    prove::{ProveError, Prover},
    server::{Limits, Server},
    space::{EpochLimits, Policy, Space},
};
use rootfold_verifier::PreparedVerifyingKey;
use serde_json::json;
use tokio::net::TcpListener;

#[cfg(unix)]
use crate::socket::{Control, Runner};

use super::{
    context::{self, block_on},
    failure::{Failure, OrFail},
    Context,
};

/// The time between two looks for pending ops.
const PROVE_EVERY: Duration = Duration::from_millis(200);
/// The time after a failure.
const PROVE_AGAIN: Duration = Duration::from_secs(10);

/// `serve`
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The address to listen on: host, host:port, or :port for all interfaces; port 0 picks a free port,
    /// which is printed.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    listen: Address,
    /// Keeps in step with this peer: pulls its ops and pushes ops to it; may be given several times.
    #[arg(long, value_name = "ADDR", value_parser = Address::of_node)]
    peer: Vec<Address>,
    /// Proves pending ops while it serves, and publishes snapshots.
    #[arg(long)]
    prove: bool,
    /// With --prove: publishes when this many ops are proved since the last snapshot.
    #[arg(long, value_name = "N", default_value_t = 256)]
    publish_every: u64,
    /// The largest number of connections.
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections)]
    max_connections: usize,
    /// The largest number of connections of one address.
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections_per_address)]
    max_connections_per_address: usize,
    /// The largest number of bytes of requests and replies in flight, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = Limits::default().memory >> 20)]
    memory_budget: usize,
    /// The largest number of ops that one address may submit in a second.
    #[arg(long, value_name = "N", default_value_t = Limits::default().ops_per_second)]
    max_ops_per_second: u32,
    /// Takes no ops of this writer; may be given several times.
    #[arg(long, value_name = "WRITER")]
    deny_writer: Vec<u32>,
    /// The largest number of bytes of ops and values that one writer may store here, in MiB.
    #[arg(long, value_name = "MIB")]
    max_writer_bytes: Option<u64>,
    /// Does not verify snapshots for clients.
    #[arg(long)]
    no_check: bool,
}

impl ServeArgs {
    fn limits(&self) -> Limits {
        Limits {
            memory: self.memory_budget << 20,
            connections: self.max_connections,
            connections_per_address: self.max_connections_per_address,
            ops_per_second: self.max_ops_per_second,
            check: !self.no_check,
            ..Limits::default()
        }
        .fitting_files()
    }

    fn policy(&self) -> Policy {
        Policy {
            denied: self.deny_writer.iter().copied().collect(),
            max_writer_bytes: self.max_writer_bytes.map(|mib| mib << 20),
            ..Policy::default()
        }
    }
}

/// Serves the space until Ctrl-C or SIGTERM.
pub fn run(context: &Context, args: &ServeArgs) -> Result<(), Failure> {
    let space = context.space()?;
    let invite = context::invite(&space).ok().map(|invite| invite.to_string());
    space.set_policy(args.policy());
    let server = Server::new(space.clone(), prepared_key(&space)?).with_limits(args.limits());
    if args.prove {
        prove_beside(&space, context, args.publish_every)?;
    }
    block_on(async {
        // Before a caller can know that this process runs.
        let signals = Signals::new().or_unreachable("waiting for signals")?;
        let doing = || format!("listening on {}", args.listen);
        let listener = bind(&args.listen).await.or_unreachable(doing())?;
        let address = reachable(listener.local_addr().or_unreachable(doing())?);
        // Whoever has read the next line may send commands.
        let control = control(context);
        // With port 0 the address is known only now; callers read this line.
        let line = json!({ "address": address.to_string(), "invite": invite });
        context.output.answer(&line, || {
            let invite = invite.as_deref().unwrap_or("(none: this replica has no verifying key)");
            format!("serving on {address}\ninvite  {invite}")
        })?;
        let beside = commands(control, &space, context);
        let following = follow_peers(&space, &args.peer)?;
        tokio::select! {
            served = server.run(listener, interrupted(signals)) => Ok(served?),
            () = beside => Ok(()),
            () = following => Ok(()),
        }
    })
}

/// The socket for commands of other processes, and what runs them; `None` if there can be none.
#[cfg(unix)]
fn control(context: &Context) -> Option<(Control, Runner)> {
    let runner = context.runner()?;
    let control = Control::bind(context.data_dir().path()).inspect_err(|e| {
        tracing::warn!(error = %e, "no control socket: other commands cannot use this directory");
    });
    Some((control.ok()?, runner))
}

/// Runs the commands of other processes on this data directory.
#[cfg(unix)]
async fn commands(control: Option<(Control, Runner)>, space: &Space, context: &Context) {
    match control {
        Some((control, runner)) => {
            control.run(runner, space.clone(), context.data_dir().path()).await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(not(unix))]
fn control(_: &Context) -> Option<()> {
    None
}

#[cfg(not(unix))]
async fn commands(_: Option<()>, _: &Space, _: &Context) {
    std::future::pending().await
}

/// Keeps in step with peers. Without peers it never ends.
fn follow_peers(
    space: &Space,
    peers: &[Address],
) -> Result<impl std::future::Future<Output = ()>, Failure> {
    let peers: Vec<String> = peers.iter().map(ToString::to_string).collect();
    let invite = if peers.is_empty() { None } else { Some(context::invite(space)?) };
    let space = space.clone();
    Ok(async move {
        match invite {
            Some(invite) => {
                let context = follow::context(&space, invite);
                follow::follow(space, peers, context).await;
            }
            None => std::future::pending().await,
        }
    })
}

/// Proves pending ops on a thread of its own, epoch by epoch, and publishes.
fn prove_beside(space: &Space, context: &Context, publish_every: u64) -> Result<(), Failure> {
    let parameters = context.space_parameters(space, &context.bars())?;
    let mut prover = Prover::open(space.clone(), &context.data_dir(), parameters)?;
    let space = space.clone();
    let work = move || loop {
        if let Err(e) = prove_some(&mut prover, &space, publish_every) {
            tracing::error!(error = %e, "proving failed; trying again");
            std::thread::sleep(PROVE_AGAIN);
        }
        std::thread::sleep(PROVE_EVERY);
    };
    std::thread::Builder::new()
        .name("prover".to_owned())
        .spawn(work)
        .or_unreachable("starting the prover")?;
    Ok(())
}

/// Proves one epoch, and publishes if many ops are proved since the last snapshot.
fn prove_some(prover: &mut Prover, space: &Space, publish_every: u64) -> Result<(), ProveError> {
    prover.prove(EpochLimits::default(), Some(1), &())?;
    let published = space.status().snapshot.map_or(0, |header| header.ops);
    if prover.proved().ops.saturating_sub(published) >= publish_every.max(1) {
        let (snapshot, _) = prover.publish(&())?;
        tracing::info!(ops = snapshot.header.ops, "published a snapshot");
    }
    Ok(())
}

/// Listens on the first of the addresses that the host has.
async fn bind(address: &Address) -> io::Result<TcpListener> {
    if address.host.is_empty() {
        // All interfaces, of both versions of IP where the system takes both on one socket.
        let v6 = TcpListener::bind((Ipv6Addr::UNSPECIFIED, address.port)).await;
        return match v6 {
            Ok(listener) => Ok(listener),
            Err(_) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port)).await,
        };
    }
    TcpListener::bind((address.host.as_str(), address.port)).await
}

/// The address under which this machine reaches a listener.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        // A socket for all interfaces of IPv6 takes IPv4 too.
        ip if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        _ => address,
    }
}

/// The verifying key of the space; `None` after a replay.
fn prepared_key(space: &Space) -> Result<Option<Arc<PreparedVerifyingKey>>, Failure> {
    let key = space.verifying_key()?.map(PreparedVerifyingKey::new).transpose();
    Ok(key.or_unreachable("the stored verifying key")?.map(Arc::new))
}

/// Ctrl-C and SIGTERM. From its making on they do not kill the process.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Signals> {
        use tokio::signal::unix::{signal, SignalKind};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Signals> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        // Without a handler the signal kills the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Waits for a signal. A second one ends the process at once: every ingest is one atomic batch, so the
/// store is safe.
async fn interrupted(mut signals: Signals) {
    signals.next().await;
    tokio::spawn(async move {
        signals.next().await;
        std::process::exit(0);
    });
}
