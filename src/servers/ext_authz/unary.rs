//! What gRPC calls unary, on HTTP/2: one message comes in, and one goes out with a status behind it.

use bytes::{Buf, Bytes, BytesMut};
use h2::{RecvStream, server::SendResponse};
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use prost::Message;
use tonic::Status;

use crate::proto::CheckRequest;

/// What stands before a message: whether it is compressed, and its length.
pub(super) const PREFIX_BYTES: usize = 5;
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
/// Longest message that is read.
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// Reads a call's only message.
///
/// # Errors
/// The status for a body that breaks off, is too long, or holds no check.
pub(super) async fn receive(body: RecvStream) -> Result<CheckRequest, Status> {
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
async fn whole(mut body: RecvStream) -> Result<Bytes, Status> {
    let first = next(&mut body).await?.unwrap_or_default();
    if body.is_end_stream() {
        return Ok(first);
    }
    let mut whole = BytesMut::from(first);
    while let Some(data) = next(&mut body).await? {
        if whole.len().saturating_add(data.len()) > PREFIX_BYTES + MAX_MESSAGE_BYTES {
            return Err(Status::resource_exhausted("the message is too long"));
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// The next bytes of the body; none at its end.
async fn next(body: &mut RecvStream) -> Result<Option<Bytes>, Status> {
    let data = body.data().await.transpose();
    let data = data.map_err(|_| Status::cancelled("the call broke off"))?;
    if let Some(data) = &data {
        // It fails only where the connection is gone, which the next read tells.
        let _ = body.flow_control().release_capacity(data.len());
    }
    Ok(data)
}

/// Sends a message, in front of which there is room for its prefix.
///
/// # Errors
/// Where the caller is gone.
pub(super) fn send(mut message: Vec<u8>, call: &mut SendResponse<Bytes>) -> Result<(), h2::Error> {
    if !set_prefix(&mut message) {
        return fail(Status::internal("the answer is too long"), call);
    }
    let mut response = Response::new(());
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(header::CONTENT_TYPE, grpc);
    let mut stream = call.send_response(response, false)?;
    stream.send_data(message.into(), false)?;
    stream.send_trailers(went_well())
}

/// Says of the message that it isn't compressed, and how long it is. False where that can't be said.
fn set_prefix(message: &mut [u8]) -> bool {
    let Some(([compressed, length @ ..], message)) =
        message.split_first_chunk_mut::<PREFIX_BYTES>()
    else {
        return false;
    };
    let told = u32::try_from(message.len());
    *compressed = 0;
    *length = told.unwrap_or_default().to_be_bytes();
    told.is_ok()
}

/// Sends nothing but an error.
///
/// # Errors
/// Where the caller is gone.
pub(super) fn fail(status: Status, call: &mut SendResponse<Bytes>) -> Result<(), h2::Error> {
    call.send_response(status.into_http(), true).map(|_| ())
}

/// Says that the call went well; what was decided stands in the message.
fn went_well() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(GRPC_STATUS, HeaderValue::from_static("0"));
    trailers
}
