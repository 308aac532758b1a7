//! Accepting connections, at most so many, and closing those that nobody uses.

use std::{
    collections::BTreeMap,
    future::Future,
    io,
    net::IpAddr,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc, Mutex, PoisonError,
    },
    time::Duration,
};

use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{watch, Notify, Semaphore},
    task::JoinSet,
    time::{sleep, timeout, Instant},
};
use tokio_rustls::{server::TlsStream, TlsAcceptor};
use tonic::service::Routes;
use tonic_web::GrpcWebLayer;
use tower::Layer;

use super::{
    activity::Activity,
    budget::Budget,
    calls::{Caller, Calls},
    limits::Limits,
    live::Live,
    stall::{Progress, StallExecutor},
    web::Web,
};
use crate::tls::ServerTls;

/// The first wait after a failed accept; it doubles up to [`MAX_BACK_OFF`].
const BACK_OFF: Duration = Duration::from_millis(50);
const MAX_BACK_OFF: Duration = Duration::from_secs(1);
/// The time between two lines of the log about refused connections.
const LOG_EVERY: Duration = Duration::from_secs(60);
/// The time after the last call in which a connection is not closed to make room for another.
const FRESH: Duration = Duration::from_millis(100);

/// The receive windows of HTTP/2, which bound what a connection can send before it is read.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// The bytes of responses that HTTP/2 buffers for one stream.
const SEND_BUFFER: usize = 32 * 1024;
const KEEP_ALIVE: Duration = Duration::from_secs(30);
const KEEP_ALIVE_LIMIT: Duration = Duration::from_secs(20);
const MAX_HEADERS: u32 = 16 * 1024;
/// The bytes that a connection of HTTP/1.1 buffers: the headers of a request, or a part of a response.
const MAX_HTTP1_BUFFER: usize = 32 * 1024;

/// A source of connections: a TCP listener, or a simulated one.
pub trait Listener: Send + 'static {
    /// A connection.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection and the address of its other end, if it has one.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, Option<IpAddr>)>> + Send;
}

impl Listener for TcpListener {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, Option<IpAddr>)> {
        let (stream, address) = TcpListener::accept(self).await?;
        // Responses are small; Nagle's algorithm would delay them.
        stream.set_nodelay(true)?;
        Ok((stream, Some(address.ip())))
    }
}

/// A connection in the list.
struct Entry {
    address: Option<IpAddr>,
    activity: Activity,
    close: Arc<Notify>,
}

/// All open connections, by the order of their opening.
#[derive(Clone, Default)]
struct Open {
    entries: Arc<Mutex<BTreeMap<u64, Entry>>>,
    made: Arc<AtomicU64>,
}

impl Open {
    fn with<T>(&self, with: impl FnOnce(&mut BTreeMap<u64, Entry>) -> T) -> T {
        with(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn insert(&self, entry: Entry) -> u64 {
        let id = self.made.fetch_add(1, Ordering::Relaxed);
        self.with(|entries| entries.insert(id, entry));
        id
    }

    /// Closes the connection that has been idle longest, of this address if one is given. Returns
    /// whether there is one.
    fn evict(&self, address: Option<IpAddr>) -> bool {
        let now = Instant::now();
        self.with(|entries| {
            let idle = entries.iter().filter_map(|(id, entry)| {
                let since = entry.activity.idle_since()?;
                let fits = address.is_none() || entry.address == address;
                (fits && now - since >= FRESH).then_some((since, *id))
            });
            let Some((_, id)) = idle.min() else { return false };
            entries.remove(&id).is_some_and(|entry| {
                entry.close.notify_one();
                true
            })
        })
    }

    fn count(&self, address: Option<IpAddr>) -> usize {
        self.with(|entries| match address {
            None => entries.len(),
            address => entries.values().filter(|entry| entry.address == address).count(),
        })
    }
}

/// Serves connections until `stop` is set, then lets their calls end.
pub(super) struct Acceptor {
    routes: Routes,
    web: Web,
    budget: Budget,
    limits: Arc<Limits>,
    live: Live,
    open: Open,
    tasks: JoinSet<()>,
    stop: watch::Receiver<bool>,
    logged: Option<Instant>,
}

impl Acceptor {
    /// `live` has the limits of connections, and how TLS is done.
    pub(super) fn new(
        routes: Routes,
        web: Web,
        limits: Limits,
        live: Live,
        stop: watch::Receiver<bool>,
    ) -> Acceptor {
        Acceptor {
            routes,
            web,
            budget: Budget::new(limits.memory),
            limits: Arc::new(limits),
            live,
            open: Open::default(),
            tasks: JoinSet::new(),
            stop,
            logged: None,
        }
    }

    /// Accepts connections until `stop` is set; then waits for running calls, at most for the limit.
    pub(super) async fn run<L: Listener>(mut self, mut listener: L) {
        let mut back_off = BACK_OFF;
        let mut stop = self.stop.clone();
        loop {
            while self.tasks.try_join_next().is_some() {}
            let accepted = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((io, address)) => {
                    back_off = BACK_OFF;
                    if self.make_room(address) {
                        self.serve(io, address);
                    }
                }
                Err(e) => {
                    // Mostly EMFILE: too many open files. An idle connection makes room.
                    self.log(&format!("cannot accept a connection: {e}"));
                    self.open.evict(None);
                    sleep(back_off).await;
                    back_off = (back_off * 2).min(MAX_BACK_OFF);
                }
            }
        }
        drop(listener);
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(self.limits.drain, drained).await.is_err() {
            tracing::info!(
                event = "drain-ended",
                "closing connections whose calls did not end in time"
            );
            self.tasks.shutdown().await;
        }
    }

    /// Closes an idle connection if there are too many. Returns whether there is room for one more.
    fn make_room(&mut self, address: Option<IpAddr>) -> bool {
        let (connections, connections_per_address) = self.live.connections();
        let full = self.open.count(None) >= connections;
        let full_here = address.is_some() && self.open.count(address) >= connections_per_address;
        let room = (!full_here || self.open.evict(address)) && (!full || self.open.evict(None));
        if full || full_here {
            self.log(
                "too many connections: closing idle ones, refusing new ones if there are none",
            );
        }
        room
    }

    /// One line per [`LOG_EVERY`].
    fn log(&mut self, what: &str) {
        if self.logged.is_none_or(|at| at.elapsed() >= LOG_EVERY) {
            tracing::warn!(event = "connections-limited", "{what}");
            self.logged = Some(Instant::now());
        }
    }

    fn serve<Io>(&mut self, io: Io, address: Option<IpAddr>)
    where
        Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (activity, close) = (Activity::new(), Arc::new(Notify::new()));
        let entry = Entry { address, activity: activity.clone(), close: close.clone() };
        let (open, id) = (self.open.clone(), self.open.insert(entry));
        let calls = Calls {
            routes: GrpcWebLayer::new().layer(self.routes.clone()),
            web: self.web.clone(),
            budget: self.budget.clone(),
            limits: self.limits.clone(),
            caller: Caller(address),
            running: Arc::new(Semaphore::new(self.limits.calls_per_connection)),
            activity: activity.clone(),
        };
        let (limits, stop) = (self.limits.clone(), self.stop.clone());
        let tls = self.live.tls();
        self.tasks.spawn(async move {
            match tls {
                None => {
                    let builder = auto::Builder::new(StallExecutor { limit: limits.stall });
                    connection(io, builder, calls, &limits, &activity, &close, stop).await;
                }
                Some(tls) => {
                    let shaken = handshake(io, tls, limits.handshake, &close, stop.clone()).await;
                    if let Some(io) = shaken {
                        // ALPN has offered HTTP/2 alone.
                        let builder = auto::Builder::new(StallExecutor { limit: limits.stall });
                        let builder = builder.http2_only();
                        connection(io, builder, calls, &limits, &activity, &close, stop).await;
                    }
                }
            }
            open.with(|entries| entries.remove(&id));
        });
    }
}

/// The handshake of a connection, unless it fails, takes too long or is to be closed.
async fn handshake<Io>(
    io: Io,
    tls: ServerTls,
    limit: Duration,
    close: &Notify,
    mut stop: watch::Receiver<bool>,
) -> Option<TlsStream<Io>>
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shaken = tokio::select! {
        shaken = timeout(limit, TlsAcceptor::from(tls.0).accept(io)) => shaken,
        () = close.notified() => return None,
        _ = stop.wait_for(|stop| *stop) => return None,
    };
    match shaken {
        Ok(Ok(io)) => return Some(io),
        Ok(Err(e)) => tracing::debug!(error = %e, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
    None
}

/// Serves one connection to its end.
async fn connection<Io>(
    io: Io,
    mut builder: auto::Builder<StallExecutor>,
    calls: Calls,
    limits: &Limits,
    activity: &Activity,
    close: &Notify,
    mut stop: watch::Receiver<bool>,
) where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // HTTP/2 for nodes and for browsers over TLS; HTTP/1.1 for browsers without.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.upload)
        .max_buf_size(MAX_HTTP1_BUFFER)
        .auto_date_header(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(u32::try_from(2 * limits.calls_per_connection).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(MAX_HEADERS)
        .max_pending_accept_reset_streams(20)
        // The time of day has no use here, and would make simulations differ.
        .auto_date_header(false)
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_LIMIT);
    // A call of HTTP/1.1 runs in the connection's own future, so its progress is that of the connection.
    let progress = Progress::default();
    let mut serving = std::pin::pin!(builder.serve_connection(TokioIo::new(io), calls));
    let mut stopping = false;
    loop {
        tokio::select! {
            biased;
            ended = progress.scope(serving.as_mut()) => {
                if let Err(e) = ended {
                    tracing::debug!(error = %e, "a connection failed");
                }
                return;
            }
            () = close.notified() => return,
            () = idle(activity, limits.idle) => return,
            () = progress.stalled(limits.stall) => {
                tracing::debug!("closed a connection whose reader has stalled");
                return;
            }
            _ = stop.wait_for(|stop| *stop), if !stopping => {
                stopping = true;
                serving.as_mut().graceful_shutdown();
                // A connection without calls need not be waited for.
                if activity.idle_since().is_some() {
                    return;
                }
            }
        }
    }
}

/// Completes when a connection has had no call for `limit`.
async fn idle(activity: &Activity, limit: Duration) {
    loop {
        let since = activity.idle_since().unwrap_or_else(Instant::now);
        let until = since + limit;
        if until <= Instant::now() {
            return;
        }
        tokio::time::sleep_until(until).await;
    }
}
