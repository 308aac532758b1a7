//! A connector that counts the bytes that come in.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    task::{Context, Poll},
};

use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tonic::transport::Uri;
use tower::Service;

/// The port of an address that names none.
const DEFAULT_PORT: u16 = 7000;

type Connection = TokioIo<Counting>;

/// A connector whose connections add what they read to `received`.
pub(super) fn connector(
    received: Arc<AtomicU64>,
) -> impl Service<
    Uri,
    Response = Connection,
    Error = io::Error,
    Future = impl Future<Output = io::Result<Connection>> + Send + 'static,
> + Send
       + 'static {
    tower::service_fn(move |uri: Uri| connect(uri, received.clone()))
}

async fn connect(uri: Uri, received: Arc<AtomicU64>) -> io::Result<Connection> {
    let no_host = || io::Error::new(io::ErrorKind::InvalidInput, "the address names no host");
    let host = uri.host().ok_or_else(no_host)?;
    // An IPv6 address stands in brackets in a URI, and without them in a socket address.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, uri.port_u16().unwrap_or(DEFAULT_PORT))).await?;
    stream.set_nodelay(true)?;
    Ok(TokioIo::new(Counting { stream, received }))
}

/// A TCP stream with a count of what was read.
pub(super) struct Counting {
    stream: TcpStream,
    received: Arc<AtomicU64>,
}

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let done = Pin::new(&mut self.stream).poll_read(cx, buf);
        let read = buf.filled().len() - before;
        self.received.fetch_add(read as u64, Ordering::Relaxed);
        done
    }
}

impl AsyncWrite for Counting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
