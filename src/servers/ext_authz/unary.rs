//! What gRPC calls unary, on HTTP/2: one message comes in, and one goes out with a status behind it.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, header};
use hyper::{
    Response,
    body::{Body, Frame, Incoming},
};
use prost::Message;
use tonic::Status;

use crate::proto::{CheckRequest, CheckResponse};

/// What stands before a message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;
/// Longest message that is read.
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// The body of an answer.
#[derive(Debug)]
pub(super) enum Answer {
    /// Our own: the message, then its status.
    Message(Bytes),
    /// Only the status is left to send.
    Status,
    /// Nothing is left to send.
    Sent,
    /// What the library answers: health, and every error.
    Library(tonic::body::Body),
}

/// Reads a call's only message.
///
/// # Errors
/// The status for a body that breaks off, is too long, or holds no check.
pub(super) async fn receive(body: Incoming) -> Result<CheckRequest, Status> {
    let mut body = whole(body).await?;
    if body.len() < PREFIX_BYTES {
        return Err(Status::invalid_argument("the call holds no message"));
    }
    let (compressed, length) = (body.get_u8(), body.get_u32());
    if compressed != 0 {
        return Err(Status::unimplemented("messages are not to be compressed"));
    }
    if usize::try_from(length) != Ok(body.len()) {
        return Err(Status::invalid_argument(
            "the call doesn't hold just one message",
        ));
    }
    CheckRequest::decode(body).map_err(|error| Status::invalid_argument(error.to_string()))
}

/// The whole body. It nearly always comes in one frame, and is not copied then.
async fn whole(mut body: Incoming) -> Result<Bytes, Status> {
    let mut whole = Bytes::new();
    while let Some(data) = next(&mut body).await? {
        if whole.len().saturating_add(data.len()) > PREFIX_BYTES + MAX_MESSAGE_BYTES {
            return Err(Status::resource_exhausted("the message is too long"));
        }
        whole = if whole.is_empty() {
            data
        } else {
            let mut joined = BytesMut::from(whole);
            joined.extend_from_slice(&data);
            joined.freeze()
        };
    }
    Ok(whole)
}

/// The next bytes of the body; none at its end.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, Status> {
    while !body.is_end_stream() {
        match poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(_)) => return Err(Status::cancelled("the call broke off")),
            None => break,
        }
    }
    Ok(None)
}

/// The answer that carries this message.
pub(super) fn send(message: &CheckResponse) -> Response<Answer> {
    match framed(message) {
        Ok(framed) => headed(Answer::Message(framed)),
        Err(status) => fail(status),
    }
}

/// The answer that is nothing but an error.
pub(super) fn fail(status: Status) -> Response<Answer> {
    status.into_http().map(Answer::Library)
}

fn headed(answer: Answer) -> Response<Answer> {
    let mut response = Response::new(answer);
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(header::CONTENT_TYPE, grpc);
    response
}

fn framed(message: &CheckResponse) -> Result<Bytes, Status> {
    let length = message.encoded_len();
    let prefix = u32::try_from(length).map_err(|_| Status::internal("the answer is too long"))?;
    let mut framed = BytesMut::with_capacity(PREFIX_BYTES + length);
    framed.put_u8(0);
    framed.put_u32(prefix);
    match message.encode(&mut framed) {
        Ok(()) => Ok(framed.freeze()),
        Err(error) => Err(Status::internal(error.to_string())),
    }
}

/// Says that the call went well; what was decided stands in the message.
fn trailers() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    trailers
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let (frame, rest) = match &mut *self {
            Self::Message(message) => (Frame::data(std::mem::take(message)), Self::Status),
            Self::Status => (Frame::trailers(trailers()), Self::Sent),
            Self::Sent => return Poll::Ready(None),
            Self::Library(body) => return Pin::new(body).poll_frame(context),
        };
        *self = rest;
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Message(_) | Self::Status => false,
            Self::Sent => true,
            Self::Library(body) => body.is_end_stream(),
        }
    }
}
