//! Watches the requests of a connection as they come in, for two things that the HTTP library does not hold.
//!
//! A head, a request's line and headers, must be whole within five seconds of its first byte, while a connection between
//! two requests may wait longer. And a `#` in a request's line is made a byte that no request may hold, since the
//! library would drop it with all behind it, and the path that we judge would not be the path that was asked about.
//!
//! Bodies are never read, and a request that has one is the last of its connection; so whatever comes is a head.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// Longest that a head may take.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// A byte that no request may hold.
const INVALID: u8 = 0;

/// A stream of requests.
pub(super) struct Heads<S> {
    stream: S,
    scanner: Scanner,
    /// Runs while a head is due: from the start for the first, from their first byte for those that follow.
    late: Option<Pin<Box<Sleep>>>,
}

impl<S> Heads<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            scanner: Scanner::default(),
            late: Some(Box::pin(sleep(HEAD_TIME))),
        }
    }

    fn saw(&mut self, bytes: &mut [u8]) {
        if bytes.is_empty() {
            return;
        }
        self.scanner.scan(bytes);
        if self.scanner.is_between() {
            self.late = None;
        } else if self.late.is_none() {
            self.late = Some(Box::pin(sleep(HEAD_TIME)));
        }
    }

    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        let late = self.late.as_mut();
        late.is_some_and(|late| late.as_mut().poll(context).is_ready())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Heads<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => {
                let new = buffer.filled_mut().get_mut(before..);
                self.saw(new.unwrap_or_default());
                Poll::Ready(Ok(()))
            }
            Poll::Pending if self.is_late(context) => {
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            other => other,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heads<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Where in the heads a stream stands.
#[derive(Debug, Default)]
struct Scanner {
    place: Place,
    line_is_empty: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Before a request's line, where empty lines are skipped.
    #[default]
    Between,
    /// In a request's line.
    Line,
    /// In its headers.
    Headers,
}

impl Scanner {
    fn is_between(&self) -> bool {
        self.place == Place::Between
    }

    fn scan(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            match (*byte, self.place) {
                (b'\r', _) | (b'\n', Place::Between) => {}
                (b'\n', place) => self.end_line(place),
                (other, _) => {
                    self.begin();
                    if other == b'#' && self.place == Place::Line {
                        *byte = INVALID;
                    }
                }
            }
        }
    }

    fn begin(&mut self) {
        self.line_is_empty = false;
        if self.place == Place::Between {
            self.place = Place::Line;
        }
    }

    fn end_line(&mut self, place: Place) {
        self.place = if place == Place::Headers && self.line_is_empty {
            Place::Between
        } else {
            Place::Headers
        };
        self.line_is_empty = true;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[test]
    fn a_fragment_makes_a_request_line_invalid_and_nothing_else() {
        let heads = "\r\nGET /a#b HTTP/1.1\r\nhost: a\r\ncookie: #\r\n\r\nGET /#? HTTP/1.1\n\n\r\nGET / HTTP/1.0\r\n";
        let expected = heads.replace("/a#", "/a\0").replace("/#?", "/\0?");
        for size in [1, 2, 3, 7, heads.len()] {
            let mut scanner = Scanner::default();
            let mut bytes = heads.as_bytes().to_vec();
            bytes.chunks_mut(size).for_each(|piece| scanner.scan(piece));
            assert_eq!(String::from_utf8(bytes).unwrap(), expected);
            assert_eq!(scanner.place, Place::Headers);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_is_not_whole_in_time_ends_the_connection() {
        let (mut client, server) = duplex(1024);
        let mut heads = Heads::new(server);
        let mut buffer = [0; 64];
        client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        assert_eq!(heads.read(&mut buffer).await.unwrap(), 16);
        let late = heads.read(&mut buffer).await.unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_between_two_heads_may_wait() {
        let (mut client, server) = duplex(1024);
        let mut heads = Heads::new(server);
        let mut buffer = [0; 64];
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!(heads.read(&mut buffer).await.unwrap(), 18);
        let waited = tokio::time::timeout(HEAD_TIME * 10, heads.read(&mut buffer)).await;
        assert!(waited.is_err(), "it neither ends nor reads");
        client.write_all(b"G").await.unwrap();
        assert_eq!(heads.read(&mut buffer).await.unwrap(), 1);
        assert!(heads.read(&mut buffer).await.is_err(), "a head has begun");
    }
}
