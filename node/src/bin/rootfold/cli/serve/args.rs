//! The options of `serve`.

use std::path::PathBuf;

use clap::{builder::BoolishValueParser, Args, ValueEnum};
use rootfold_node::{
    address::Address,
    server::{Limits, Origin, Web},
    space::{History, Policy, MAX_TAIL},
    tls::ServerTls,
    token::Token,
};
use serde::{Deserialize, Deserializer, Serialize};

use super::super::failure::{Failure, OrFail};
use crate::path_text;

/// `serve`. Each option has a variable of the environment, for services and containers.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ServeArgs {
    /// The address to listen on: host, host:port, or :port for all interfaces; port 0 picks a free port,
    /// which is printed.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1", env = "ROOTFOLD_LISTEN")]
    pub(super) listen: Address,
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
    pub(super) peer: Vec<Address>,
    /// The address under which others reach this node, which it tells its peers.
    #[arg(long, value_name = "ADDR", value_parser = Address::of_node, env = "ROOTFOLD_ADVERTISE")]
    #[serde(deserialize_with = "node")]
    pub(super) advertise: Option<Address>,
    /// Does not look for further peers, and tells nobody of its own.
    #[arg(long, env = "ROOTFOLD_NO_DISCOVERY", value_parser = BoolishValueParser::new())]
    pub(super) no_discovery: bool,
    /// Proves pending ops while it serves, and publishes snapshots.
    #[arg(long, env = "ROOTFOLD_PROVE", value_parser = BoolishValueParser::new())]
    pub(super) prove: bool,
    /// With --prove: publishes when this many ops are proved since the last snapshot.
    #[arg(long, value_name = "N", default_value_t = 256, env = "ROOTFOLD_PUBLISH_EVERY")]
    pub(super) publish_every: u64,
    /// With --prove: publishes what is proved when no op has come for this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, env = "ROOTFOLD_PUBLISH_AFTER")]
    pub(super) publish_after: u64,
    /// The largest number of connections.
    #[arg(
        long,
        value_name = "N",
        default_value_t = Limits::default().connections,
        env = "ROOTFOLD_MAX_CONNECTIONS"
    )]
    pub(super) max_connections: usize,
    /// The largest number of connections of one address.
    #[arg(
        long,
        value_name = "N",
        default_value_t = Limits::default().connections_per_address,
        env = "ROOTFOLD_MAX_CONNECTIONS_PER_ADDRESS"
    )]
    pub(super) max_connections_per_address: usize,
    /// The largest number of bytes of requests and responses in flight, in MiB.
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = Limits::default().memory >> 20,
        env = "ROOTFOLD_MEMORY_BUDGET"
    )]
    pub(super) memory_budget: usize,
    /// The largest number of ops that one address may submit in a second.
    #[arg(
        long,
        value_name = "N",
        default_value_t = Limits::default().ops_per_second,
        env = "ROOTFOLD_MAX_OPS_PER_SECOND"
    )]
    pub(super) max_ops_per_second: u32,
    /// What happens to ops that all kept snapshots cover: `full` keeps them for other nodes, `snapshot` removes
    /// them.
    #[arg(long, value_enum, default_value = "full", env = "ROOTFOLD_HISTORY")]
    history: KeptHistory,
    /// A node without the whole history that lacks more ops than this takes a snapshot of a peer instead.
    #[arg(long, value_name = "N", default_value_t = MAX_TAIL, env = "ROOTFOLD_MAX_TAIL")]
    pub(super) max_tail: u64,
    /// Takes no ops of this writer; may be given several times.
    #[arg(long, value_name = "WRITER", env = "ROOTFOLD_DENY_WRITER", value_delimiter = ',')]
    pub(super) deny_writer: Vec<u32>,
    /// The largest number of bytes of ops and values that one writer may store here, in MiB.
    #[arg(long, value_name = "MIB", env = "ROOTFOLD_MAX_WRITER_BYTES")]
    pub(super) max_writer_bytes: Option<u64>,
    /// Keeps a copy of the running proof of the peers: looks for a newer one every so many seconds. Needs
    /// the parameters, which are fetched if they are missing.
    #[arg(long, value_name = "SECONDS", conflicts_with = "prove", env = "ROOTFOLD_KEEP_PROOF")]
    pub(super) keep_proof: Option<u64>,
    /// Does not hand parameters and the running proof to other provers.
    #[arg(long, env = "ROOTFOLD_NO_HAND_OVER", value_parser = BoolishValueParser::new())]
    pub(super) no_hand_over: bool,
    /// Reads everything again once a day and checks it, at this rate; 0: not at all.
    #[arg(long, value_name = "KIB_PER_S", default_value_t = 256, env = "ROOTFOLD_SCRUB_RATE")]
    pub(super) scrub_rate: usize,
    /// Answers `GET /metrics` for Prometheus at this address. Not for strangers: choose one that only the
    /// collector reaches.
    #[arg(long, value_name = "ADDR", env = "ROOTFOLD_METRICS")]
    pub(super) metrics: Option<Address>,
    /// Serves with TLS: the certificate of this node with those that lead to its authority, as PEM.
    #[arg(long, value_name = "FILE", env = "ROOTFOLD_TLS_CERT")]
    #[serde(with = "path_text::optional")]
    pub(super) tls_cert: Option<PathBuf>,
    /// The key of --tls-cert, as PEM; nobody else may be able to read it.
    #[arg(long, value_name = "FILE", env = "ROOTFOLD_TLS_KEY")]
    #[serde(with = "path_text::optional")]
    pub(super) tls_key: Option<PathBuf>,
    /// Serves only clients with a certificate that an authority in this file has signed, as PEM.
    #[arg(long, value_name = "FILE", env = "ROOTFOLD_TLS_CLIENT_CA")]
    #[serde(with = "path_text::optional")]
    pub(super) tls_client_ca: Option<PathBuf>,
    /// Takes ops of others only with the token in this file; nobody else may be able to read it.
    #[arg(long, value_name = "FILE", env = "ROOTFOLD_SUBMIT_TOKEN_FILE")]
    #[serde(with = "path_text::optional")]
    pub(super) submit_token_file: Option<PathBuf>,
    /// Serves the files of this folder to browsers: `GET /board/` is its file `board/index.html`. Nothing outside
    /// it, no links and no files whose names begin with a dot.
    #[arg(long, value_name = "DIR", env = "ROOTFOLD_WEB")]
    #[serde(with = "path_text::optional")]
    pub(super) web: Option<PathBuf>,
    /// Lets pages of this origin call this node from a browser, such as `https://board.example`; `*`: of all
    /// origins. May be given several times. Pages that the node serves itself may always.
    #[arg(long, value_name = "ORIGIN", env = "ROOTFOLD_WEB_ORIGIN", value_delimiter = ',')]
    pub(super) web_origin: Vec<Origin>,
    /// Keeps the space published as plain files at this place: file:///PATH, s3://BUCKET/PATH, or a web server that
    /// takes PUT.
    #[arg(long, value_name = "URL", env = "ROOTFOLD_PUBLISH_TO")]
    pub(super) publish_to: Option<String>,
    /// Does not verify snapshots for clients.
    #[arg(long, env = "ROOTFOLD_NO_CHECK", value_parser = BoolishValueParser::new())]
    pub(super) no_check: bool,
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
    pub(super) fn limits(&self) -> Limits {
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
    pub(super) fn tls(&self) -> Result<Option<ServerTls>, Failure> {
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

    /// The addresses of its peers.
    pub(super) fn peers(&self) -> Vec<String> {
        self.peer.iter().map(ToString::to_string).collect()
    }

    /// The token that it takes ops with. Reads the file.
    pub(super) fn submit_token(&self) -> Result<Option<Token>, Failure> {
        Ok(self.submit_token_file.as_deref().map(Token::read).transpose()?)
    }

    /// What it does for browsers.
    pub(super) fn web(&self) -> Result<Web, Failure> {
        let web = Web::new(self.web_origin.clone());
        match &self.web {
            Some(folder) => web.with_folder(folder).or_usage("--web"),
            None => Ok(web),
        }
    }

    pub(super) fn policy(&self) -> Policy {
        Policy {
            denied: self.deny_writer.iter().copied().collect(),
            max_writer_bytes: self.max_writer_bytes.map(|mib| mib << 20),
            history: self.history.into(),
            max_tail: self.max_tail,
            ..Policy::default()
        }
    }
}
