//! A connector that counts received bytes.

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
use tower::{Service, ServiceExt};

use crate::DEFAULT_PORT;

type Connection<Io> = TokioIo<Counting<Io>>;

/// A connector whose connections add the number of bytes that they read to `received`.
pub(super) fn connector<C, Io>(
    connector: C,
    received: Arc<AtomicU64>,
) -> impl Service<
    Uri,
    Response = Connection<Io>,
    Error = io::Error,
    Future = impl Future<Output = io::Result<Connection<Io>>> + Send + 'static,
> + Send
       + 'static
where
    C: Service<Uri, Response = Io, Error = io::Error> + Clone + Send + 'static,
    C::Future: Send,
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    tower::service_fn(move |uri: Uri| {
        let (connector, received) = (connector.clone(), received.clone());
        async move {
            let stream = connector.oneshot(uri).await?;
            Ok(TokioIo::new(Counting { stream, received }))
        }
    })
}

/// A TCP connection to the host of an address.
pub(super) async fn tcp(uri: Uri) -> io::Result<TcpStream> {
    let no_host = || io::Error::new(io::ErrorKind::InvalidInput, "the address has no host");
    let host = uri.host().ok_or_else(no_host)?;
    // An IPv6 address has brackets in a URI and none in a socket address.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, uri.port_u16().unwrap_or(DEFAULT_PORT))).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A stream that counts the bytes read from it.
pub(super) struct Counting<Io> {
    stream: Io,
    received: Arc<AtomicU64>,
}

impl<Io: AsyncRead + Unpin> AsyncRead for Counting<Io> {
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

impl<Io: AsyncWrite + Unpin> AsyncWrite for Counting<Io> {
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
