//! What gRPC calls unary, on HTTP/2: one message comes in, and one goes out with a status behind it.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use h2::{RecvStream, server::SendResponse};
use http::{HeaderMap, HeaderValue, Response, header};
use prost::Message;
use tonic::Status;

use crate::proto::{CheckRequest, CheckResponse};

/// What stands before a message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;
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

/// Sends the answer, or the error that is left where it can't be encoded.
///
/// # Errors
/// Where the caller is gone.
pub(super) fn send(
    message: &CheckResponse,
    call: &mut SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    let framed = match framed(message) {
        Ok(framed) => framed,
        Err(status) => return fail(status, call),
    };
    let mut response = Response::new(());
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(header::CONTENT_TYPE, grpc);
    let mut stream = call.send_response(response, false)?;
    stream.send_data(framed, false)?;
    stream.send_trailers(went_well())
}

/// Sends nothing but an error.
///
/// # Errors
/// Where the caller is gone.
pub(super) fn fail(status: Status, call: &mut SendResponse<Bytes>) -> Result<(), h2::Error> {
    call.send_response(status.into_http(), true).map(|_| ())
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
fn went_well() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    trailers
}
