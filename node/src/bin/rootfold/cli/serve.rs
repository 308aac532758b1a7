//! `serve`

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::{builder::BoolishValueParser, Args, ValueEnum};
use rootfold_light::invite::AddressedInvite;
use rootfold_node::{
    address::Address,
    bootstrap::SyncContext,
    data_dir::DataDir,
    discovery::discover,
    follow::{self, KeptConnections},
    metrics::Metrics,
    peers::{self, Peers},
    prove::{keep_proof, prove_beside, Keeping, Prover, Publishing},
    server::{Limits, ProvingFiles, Server},
    space::{scrub::scrub_beside, History, Policy, Space, MAX_TAIL},
    tls::ServerTls,
};
use rootfold_verifier::PreparedVerifyingKey;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use tokio::net::TcpListener;

#[cfg(unix)]
use crate::socket::{Control, Runner, Serving};

use super::{
    context::{self, block_on},
    failure::{Failure, OrFail},
    path_text, Context,
};

/// `serve`. Each option has a variable of the environment, for services and containers.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ServeArgs {
    /// The address to listen on: host, host:port, or :port for all interfaces; port 0 picks a free port,
    /// which is printed.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1", env = "ROOTFOLD_LISTEN")]
    listen: Address,
    /// Keeps in step with this peer: pulls its ops and pushes ops to it; may be given several times. The
    /// data directory remembers it.
    #[arg(
        long,
        value_name = "ADDR",
        value_parser = Address::of_node,
        env = "ROOTFOLD_PEER",
        value_delimiter = ','
    )]
    #[serde(deserialize_with = "nodes")]
    peer: Vec<Address>,
    /// The address under which others reach this node, which it tells its peers.
    #[arg(long, value_name = "ADDR", value_parser = Address::of_node, env = "ROOTFOLD_ADVERTISE")]
    #[serde(deserialize_with = "node")]
    advertise: Option<Address>,
    /// Does not look for further peers, and tells nobody of its own.
    #[arg(long, env = "ROOTFOLD_NO_DISCOVERY", value_parser = BoolishValueParser::new())]
    no_discovery: bool,
    /// Proves pending ops while it serves, and publishes snapshots.
    #[arg(long, env = "ROOTFOLD_PROVE", value_parser = BoolishValueParser::new())]
    prove: bool,
    /// With --prove: publishes when this many ops are proved since the last snapshot.
    #[arg(long, value_name = "N", default_value_t = 256, env = "ROOTFOLD_PUBLISH_EVERY")]
    publish_every: u64,
    /// With --prove: publishes what is proved when no op has come for this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, env = "ROOTFOLD_PUBLISH_AFTER")]
    publish_after: u64,
    /// The largest number of connections.
    #[arg(
        long,
        value_name = "N",
        default_value_t = Limits::default().connections,
        env = "ROOTFOLD_MAX_CONNECTIONS"
    )]
    max_connections: usize,
    /// The largest number of connections of one address.
    #[arg(
        long,
        value_name = "N",
        default_value_t = Limits::default().connections_per_address,
        env = "ROOTFOLD_MAX_CONNECTIONS_PER_ADDRESS"
    )]
    max_connections_per_address: usize,
    /// The largest number of bytes of requests and responses in flight, in MiB.
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = Limits::default().memory >> 20,
        env = "ROOTFOLD_MEMORY_BUDGET"
    )]
    memory_budget: usize,
    /// The largest number of ops that one address may submit in a second.
    #[arg(
        long,
        value_name = "N",
        default_value_t = Limits::default().ops_per_second,
        env = "ROOTFOLD_MAX_OPS_PER_SECOND"
    )]
    max_ops_per_second: u32,
    /// What happens to ops that all kept snapshots cover: `full` keeps them for other nodes, `snapshot` removes
    /// them.
    #[arg(long, value_enum, default_value = "full", env = "ROOTFOLD_HISTORY")]
    history: KeptHistory,
    /// A node without the whole history that lacks more ops than this takes a snapshot of a peer instead.
    #[arg(long, value_name = "N", default_value_t = MAX_TAIL, env = "ROOTFOLD_MAX_TAIL")]
    max_tail: u64,
    /// Takes no ops of this writer; may be given several times.
    #[arg(long, value_name = "WRITER", env = "ROOTFOLD_DENY_WRITER", value_delimiter = ',')]
    deny_writer: Vec<u32>,
    /// The largest number of bytes of ops and values that one writer may store here, in MiB.
    #[arg(long, value_name = "MIB", env = "ROOTFOLD_MAX_WRITER_BYTES")]
    max_writer_bytes: Option<u64>,
    /// Keeps a copy of the running proof of the peers: looks for a newer one every so many seconds. Needs
    /// the parameters, which are fetched if they are missing.
    #[arg(long, value_name = "SECONDS", conflicts_with = "prove", env = "ROOTFOLD_KEEP_PROOF")]
    keep_proof: Option<u64>,
    /// Does not hand parameters and the running proof to other provers.
    #[arg(long, env = "ROOTFOLD_NO_HAND_OVER", value_parser = BoolishValueParser::new())]
    no_hand_over: bool,
    /// Reads everything again once a day and checks it, at this rate; 0: not at all.
    #[arg(long, value_name = "KIB_PER_S", default_value_t = 256, env = "ROOTFOLD_SCRUB_RATE")]
    scrub_rate: usize,
    /// Answers `GET /metrics` for Prometheus at this address. Not for strangers: choose one that only the
    /// collector reaches.
    #[arg(long, value_name = "ADDR", env = "ROOTFOLD_METRICS")]
    metrics: Option<Address>,
    /// Serves with TLS: the certificate of this node with those that lead to its authority, as PEM.
    #[arg(long, value_name = "FILE", env = "ROOTFOLD_TLS_CERT")]
    #[serde(with = "path_text::optional")]
    tls_cert: Option<PathBuf>,
    /// The key of --tls-cert, as PEM; nobody else may be able to read it.
    #[arg(long, value_name = "FILE", env = "ROOTFOLD_TLS_KEY")]
    #[serde(with = "path_text::optional")]
    tls_key: Option<PathBuf>,
    /// Serves only clients with a certificate that an authority in this file has signed, as PEM.
    #[arg(long, value_name = "FILE", env = "ROOTFOLD_TLS_CLIENT_CA")]
    #[serde(with = "path_text::optional")]
    tls_client_ca: Option<PathBuf>,
    /// Does not verify snapshots for clients.
    #[arg(long, env = "ROOTFOLD_NO_CHECK", value_parser = BoolishValueParser::new())]
    no_check: bool,
}

/// Values of `--history`.
#[derive(Debug, Clone, Copy, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KeptHistory {
    Full,
    Snapshot,
}

impl From<KeptHistory> for History {
    fn from(kept: KeptHistory) -> History {
        match kept {
            KeptHistory::Full => History::Full,
            KeptHistory::Snapshot => History::Snapshot,
        }
    }
}

/// An address to connect to.
fn node<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Address>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let address = text.map(|text| Address::of_node(&text)).transpose();
    address.map_err(serde::de::Error::custom)
}

/// Addresses to connect to.
fn nodes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Address>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let addresses = texts.iter().map(|text| Address::of_node(text));
    addresses.collect::<Result<_, _>>().map_err(serde::de::Error::custom)
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

    /// How it does TLS. Reads the files.
    fn tls(&self) -> Result<Option<ServerTls>, Failure> {
        if self.metrics.as_ref().is_some_and(|metrics| metrics.tls) {
            return Err(Failure::usage("--metrics: metrics have no TLS: leave `https://` out"));
        }
        let client_ca = self.tls_client_ca.as_deref();
        match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => Ok(Some(ServerTls::read(cert, key, client_ca)?)),
            (None, None) if client_ca.is_some() || self.listen.tls => {
                Err(Failure::usage("TLS needs a certificate: give --tls-cert and --tls-key"))
            }
            (None, None) => Ok(None),
            _ => Err(Failure::usage("--tls-cert and --tls-key belong together: give both or none")),
        }
    }

    fn policy(&self) -> Policy {
        Policy {
            denied: self.deny_writer.iter().copied().collect(),
            max_writer_bytes: self.max_writer_bytes.map(|mib| mib << 20),
            history: self.history.into(),
            max_tail: self.max_tail,
            ..Policy::default()
        }
    }
}

/// Serves the space until Ctrl-C or SIGTERM.
pub fn run(context: &Context, args: &ServeArgs) -> Result<(), Failure> {
    let args = &context.config.merged(args)?;
    let (tls, credentials) = (args.tls()?, context.credentials()?);
    let space = context.space()?;
    let addresses: Vec<String> = args.advertise.iter().map(ToString::to_string).collect();
    let invite = context::invite(&space).ok();
    let invite = invite.map(|invite| AddressedInvite { invite, addresses }.to_string());
    space.set_policy(args.policy());
    let server = Server::new(space.clone(), prepared_key(&space)?).with_limits(args.limits());
    let server = if args.no_hand_over { server } else { server.with_proving(files(context)?) };
    let scheme = if tls.is_some() { "https://" } else { "" };
    server.live().set_tls(tls);
    let dial = Arc::new(KeptConnections::with(credentials));
    if args.prove {
        start_prover(&space, context, args)?;
    }
    if args.scrub_rate > 0 {
        start_scrubbing(&space, args.scrub_rate << 10)?;
    }
    let peers = peers(context, args)?;
    let server = if args.no_discovery { server } else { server.with_peers(peers.clone()) };
    let keeping = keeping(context, &space, &peers, dial.clone(), args)?;
    block_on(async {
        // Before a caller can know that this process runs.
        let signals = Signals::new().or_unreachable("waiting for signals")?;
        let (bound, listener) = listen(&args.listen, "").await?;
        let address = format!("{scheme}{bound}");
        let (measured, metrics) = metrics(args.metrics.as_ref(), context, &space, &peers).await?;
        // Whoever has read the next line may send commands.
        let control = control(context);
        // With port 0 the address is known only now; callers read this line.
        let line = json!({
            "address": address,
            "metrics": measured.map(|address| address.to_string()),
            "invite": invite,
        });
        context.output.answer(&line, || {
            let invite = invite.as_deref().unwrap_or("(none: this replica has no verifying key)");
            let metrics =
                measured.map_or_else(String::new, |at| format!("metrics http://{at}/metrics\n"));
            format!("serving on {address}\n{metrics}invite  {invite}")
        })?;
        let beside = commands(control, &space, &peers, context);
        let followed = context::invite(&space).ok();
        let followed = followed.map(|invite| follow::context_with(&space, invite, dial));
        let following =
            follow_peers(&space, peers.clone(), followed, context.data_dir(), !args.no_discovery);
        tokio::select! {
            served = server.run(listener, interrupted(signals)) => Ok(served?),
            () = beside => Ok(()),
            () = following => Ok(()),
            () = metrics => Ok(()),
            () = keeping => Ok(()),
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
async fn commands(
    control: Option<(Control, Runner)>,
    space: &Space,
    peers: &Peers,
    context: &Context,
) {
    match control {
        Some((control, runner)) => {
            let data = context.data_dir().path().to_owned();
            control.run(runner, Serving { space: space.clone(), data, peers: peers.clone() }).await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(not(unix))]
fn control(_: &Context) -> Option<()> {
    None
}

#[cfg(not(unix))]
async fn commands(_: Option<()>, _: &Space, _: &Peers, _: &Context) {
    std::future::pending().await
}

/// The address of the metrics and what serves them, which never ends.
async fn metrics(
    at: Option<&Address>,
    context: &Context,
    space: &Space,
    peers: &Peers,
) -> Result<(Option<SocketAddr>, impl std::future::Future<Output = ()>), Failure> {
    let metrics =
        Metrics { space: space.clone(), peers: peers.clone(), data_dir: context.data_dir() };
    let bound = match at {
        Some(at) => Some(listen(at, " for metrics").await?),
        None => None,
    };
    let (address, listener) = bound.unzip();
    Ok((address, async move {
        match listener {
            Some(listener) => metrics.serve(listener).await,
            None => std::future::pending().await,
        }
    }))
}

/// The peers of the command line and those that the data directory remembers, which remembers them all.
fn peers(context: &Context, args: &ServeArgs) -> Result<Peers, Failure> {
    let data_dir = context.data_dir();
    let mut addresses = peers::remembered(&data_dir).or_unreachable("the file of peers")?;
    let new: Vec<String> = args.peer.iter().map(ToString::to_string).collect();
    let new: Vec<String> = new.into_iter().filter(|peer| !addresses.contains(peer)).collect();
    if !new.is_empty() {
        addresses.extend(new);
        peers::remember(&data_dir, &addresses).or_unreachable("the file of peers")?;
    }
    let peers = Peers::new(addresses);
    Ok(match &args.advertise {
        Some(address) => peers.with_own_address(address),
        None => peers,
    })
}

/// Keeps in step with peers and finds further ones, if the space has an invite.
async fn follow_peers(
    space: &Space,
    peers: Peers,
    context: Option<SyncContext>,
    data_dir: DataDir,
    finding: bool,
) {
    match context {
        Some(context) => {
            let following = follow::follow(space.clone(), peers.clone(), context.clone());
            let finding = async {
                if finding {
                    discover(space.clone(), data_dir, peers, context).await;
                }
            };
            tokio::join!(following, finding);
        }
        None => {
            if !peers.addresses().is_empty() {
                tracing::warn!("peers are not followed: this replica has no verifying key");
            }
            std::future::pending().await
        }
    }
}

/// The files that other provers need.
fn files(context: &Context) -> Result<ProvingFiles, Failure> {
    let parameters = context.parameters()?.path().to_owned();
    Ok(ProvingFiles { parameters, data_dir: context.data_dir() })
}

/// What keeps a copy of the running proof of peers, and never ends.
fn keeping(
    context: &Context,
    space: &Space,
    peers: &Peers,
    dial: Arc<KeptConnections>,
    args: &ServeArgs,
) -> Result<impl std::future::Future<Output = ()>, Failure> {
    let keeping = match args.keep_proof {
        Some(seconds) => Some(Keeping {
            space: space.clone(),
            data_dir: context.data_dir(),
            parameters: context.parameters()?.path().to_owned(),
            peers: peers.clone(),
            context: follow::context_with(space, context::invite(space)?, dial),
            every: Duration::from_secs(seconds.max(1)),
        }),
        None => None,
    };
    Ok(async move {
        match keeping {
            Some(keeping) => keep_proof(keeping).await,
            None => std::future::pending().await,
        }
    })
}

/// Proves pending ops on threads of their own, and publishes.
fn start_prover(space: &Space, context: &Context, args: &ServeArgs) -> Result<(), Failure> {
    let parameters = context.space_parameters(space, &context.bars())?;
    let data_dir = context.data_dir();
    let prover = Prover::open(space.clone(), &data_dir, parameters)?;
    let after = Duration::from_secs(args.publish_after);
    let publishing = Publishing { every: args.publish_every, after };
    std::thread::Builder::new()
        .name("prover".to_owned())
        .spawn(move || prove_beside(prover, &data_dir, publishing))
        .or_unreachable("starting the prover")?;
    Ok(())
}

/// Checks the store on a thread of its own.
fn start_scrubbing(space: &Space, bytes_per_second: usize) -> Result<(), Failure> {
    let space = space.clone();
    std::thread::Builder::new()
        .name("scrub".to_owned())
        .spawn(move || scrub_beside(&space, bytes_per_second))
        .or_unreachable("starting the scrub")?;
    Ok(())
}

/// A listener and the address under which this machine reaches it. `purpose` is for the error.
async fn listen(at: &Address, purpose: &str) -> Result<(SocketAddr, TcpListener), Failure> {
    let doing = || format!("listening on {at}{purpose}");
    let listener = bind(at).await.or_unreachable(doing())?;
    let address = reachable(listener.local_addr().or_unreachable(doing())?);
    Ok((address, listener))
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
