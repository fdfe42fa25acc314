//! An accepted connection: its stream, its peer, and its place among those that its door holds.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
    sync::OwnedSemaphorePermit,
};

use super::{
    listen::{Bare, Peer},
    tls::Tls,
};

/// A connection on its way to a worker; it belongs to no runtime yet.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) stream: Bare,
    pub(super) peer: Peer,
    pub(super) place: OwnedSemaphorePermit,
}

/// A connection that is served. Its place is free again when it is dropped.
#[derive(Debug)]
pub struct Connection {
    stream: Box<dyn Stream>,
    peer: Peer,
    _place: OwnedSemaphorePermit,
}

/// Bytes both ways, bare or behind TLS.
trait Stream: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin> Stream for S {}

impl Accepted {
    /// Makes the connection this runtime's.
    pub(super) fn adopt(self) -> io::Result<Connection> {
        let stream: Box<dyn Stream> = match self.stream {
            Bare::Tcp(stream) => {
                stream.set_nodelay(true)?;
                Box::new(TcpStream::from_std(stream)?)
            }
            Bare::Unix(stream) => Box::new(UnixStream::from_std(stream)?),
        };
        Ok(Connection {
            stream,
            peer: self.peer,
            _place: self.place,
        })
    }
}

impl Connection {
    /// Who connected.
    #[must_use]
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// The same behind TLS, once hands are shaken; none where they aren't.
    pub(super) async fn behind(self, tls: Tls) -> Option<Self> {
        match tls.secure(self.stream).await {
            Ok(stream) => Some(Self {
                stream: Box::new(stream),
                ..self
            }),
            Err(error) => {
                tracing::info!(peer = %self.peer, %error, "a TLS handshake failed");
                None
            }
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

/// Not vectored, on purpose: HTTP/2 then gathers answers up to 1 KiB, which is nearly all, in one buffer and one system call.
/// Vectored it would make a call for each.
impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
