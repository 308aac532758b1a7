//! Metrics for Prometheus, in the OpenMetrics text format, on a listener of their own.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use http::{header::CONTENT_TYPE, Method, Request, Response, StatusCode};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::{
    encoding::text::encode,
    metrics::{gauge::ConstGauge, info::Info},
    registry::{Registry, Unit},
};
use rootfold_core::field;
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};

use crate::{
    blocking::blocking,
    data_dir::DataDir,
    peers::Peers,
    space::{Space, SpaceError},
};

/// The type of the text.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The largest number of connections.
const CONNECTIONS: usize = 8;
/// The time of a connection.
const CONNECTION_LIMIT: Duration = Duration::from_secs(10);

/// What the metrics are of.
#[derive(Clone)]
pub struct Metrics {
    /// The space.
    pub space: Space,
    /// The peers of the node.
    pub peers: Peers,
    /// The data directory.
    pub data_dir: DataDir,
}

impl Metrics {
    /// The metrics now, in the OpenMetrics text format. `docs/operating.md` explains each.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub fn text(&self) -> Result<String, SpaceError> {
        let mut registry = Registry::with_prefix("rootfold");
        let (space, status) = (&self.space, self.space.status());
        let key = space.verifying_key()?;
        let parameters = key.map_or_else(String::new, |key| key.id().to_string());
        registry.register(
            "node",
            "The program, the space and the parameters of its proofs",
            Info::new(vec![
                ("version", env!("CARGO_PKG_VERSION").to_owned()),
                ("space", field::to_hex(&status.space)),
                ("parameters", parameters),
            ]),
        );
        let mut gauge = |name: &str, help: &str, value: u64| {
            let value = i64::try_from(value).unwrap_or(i64::MAX);
            registry.register(name, help, ConstGauge::new(value));
        };
        let peers = self.peers.all();
        let reachable = peers.values().filter(|peer| peer.reachable == Some(true)).count();
        let missing = peers.values().map(|peer| peer.ops_missing_here).max().unwrap_or(0);
        gauge("ops", "Ops in the latest state", status.ops);
        gauge("entries", "Entries of the latest state, with tombstones and heads", status.entries);
        gauge("writers", "Writers", status.writers);
        gauge("forked_logs", "Logs of which a fork is known", space.forks().len() as u64);
        gauge("missing_values", "Values that no peer has sent yet", space.holes()?.len() as u64);
        let proved = status.proved.map_or(0, |proved| proved.ops);
        gauge("proved_ops", "Ops that the running proof covers; 0 without one", proved);
        let snapshot = status.snapshot.map_or(0, |header| header.ops);
        gauge("snapshot_ops", "Ops that the newest snapshot covers", snapshot);
        gauge("peers", "Peers that this node follows", peers.len() as u64);
        gauge("reachable_peers", "Peers that have answered the last time", reachable as u64);
        gauge("ops_missing_here", "The most ops that a peer has and this node lacks", missing);
        gauge("writable", "Whether the database takes writes", u64::from(space.can_write()));
        let newest = status.newest_op_ms.unwrap_or(0) / 1000;
        let mut with_unit = |name: &str, help: &str, unit: Unit, value: u64| {
            let value = i64::try_from(value).unwrap_or(i64::MAX);
            registry.register_with_unit(name, help, unit, ConstGauge::new(value));
        };
        let seconds = "The clock of the newest op, since 1970";
        with_unit("newest_op_timestamp", seconds, Unit::Seconds, newest);
        // A directory that cannot be read is in the log of whatever needs it.
        let disk = self.data_dir.bytes().unwrap_or(0);
        with_unit("data_directory", "Files of the data directory", Unit::Bytes, disk);
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &registry);
        Ok(text)
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<String>, Infallible> {
        let refused = |status: StatusCode| {
            let mut response = Response::new(String::new());
            *response.status_mut() = status;
            response
        };
        if request.method() != Method::GET || request.uri().path() != "/metrics" {
            return Ok(refused(StatusCode::NOT_FOUND));
        }
        match blocking(move || self.text()).await {
            Ok(Ok(text)) => {
                let mut response = Response::new(text);
                let of_type = http::HeaderValue::from_static(OPEN_METRICS);
                response.headers_mut().insert(CONTENT_TYPE, of_type);
                Ok(response)
            }
            failed => {
                let failed = failed.map(|text| text.err().map(|e| e.to_string()));
                tracing::warn!(event = "metrics-failed", ?failed, "metrics cannot be read");
                Ok(refused(StatusCode::INTERNAL_SERVER_ERROR))
            }
        }
    }

    /// Answers `GET /metrics` until dropped.
    pub async fn serve(self, listener: TcpListener) {
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(permit) = room.clone().acquire_owned().await else { return };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(e) => {
                    pause_after(&e).await;
                    continue;
                }
            };
            let metrics = self.clone();
            tokio::spawn(async move {
                let _permit = permit;
                let service = service_fn(move |request| metrics.clone().answer(request));
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .keep_alive(false)
                    .serve_connection(TokioIo::new(stream), service);
                // A reader that is slow or gone is its own fault.
                let _ = timeout(CONNECTION_LIMIT, connection).await;
            });
        }
    }
}

/// Without free files, accepting fails at once, again and again.
async fn pause_after(e: &io::Error) {
    tracing::debug!(error = %e, "no connection for metrics");
    tokio::time::sleep(Duration::from_millis(100)).await;
}
