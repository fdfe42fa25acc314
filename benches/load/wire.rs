//! How a request is sent, and its answer read: gRPC over bare HTTP/2, or HTTP/1.1.

use std::net::Ipv4Addr;

use bytes::{Bytes, BytesMut};
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use h2::{RecvStream, client::SendRequest};
use http::Request;
use prost::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    Outcome,
    load::{Answer, Expected},
};

/// Where Envoy asks.
const CHECK: &str = "http://127.0.0.1/envoy.service.auth.v3.Authorization/Check";
/// What stands before a message of gRPC.
const PREFIX: usize = 5;
/// What small answers that are not read yet may cost.
const DATA_FRAME_BUDGET: usize = 64 * 1024 * 1024;
/// Where the head of an answer ends, and with it an answer without a body.
const END: &[u8] = b"\r\n\r\n";

/// What a message is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wire {
    /// A check, framed.
    Grpc,
    /// A request of HTTP/1.1, whole; it is answered 200 without a body.
    Http1,
}

/// What one check in flight is sent on.
pub(crate) enum Line {
    /// Shared with others.
    Grpc(SendRequest<Bytes>),
    Http1(TcpStream),
}

impl Line {
    /// So many, over so many connections where they can be shared.
    pub(crate) async fn open(
        wire: Wire,
        port: u16,
        lines: usize,
        connections: usize,
    ) -> Outcome<Vec<Self>> {
        let mut open = Vec::new();
        match wire {
            Wire::Grpc => {
                let mut shared = Vec::new();
                for _ in 0..connections {
                    shared.push(connect(port).await?);
                }
                open.extend(shared.iter().cycle().take(lines).cloned().map(Self::Grpc));
            }
            Wire::Http1 => {
                for _ in 0..lines {
                    open.push(Self::Http1(stream(port).await?));
                }
            }
        }
        Ok(open)
    }

    /// Sends it, and holds the answer against what is expected.
    pub(crate) async fn ask(&mut self, message: Bytes, expected: Expected) -> Outcome<Answer> {
        match self {
            Self::Grpc(connection) => expected.hold(&check(connection.clone(), message).await?),
            Self::Http1(stream) => decision(stream, &message).await,
        }
    }
}

pub(crate) async fn connect(port: u16) -> Outcome<SendRequest<Bytes>> {
    // Answers are small, and wait where the load falls behind.
    let mut http2 = h2::client::Builder::new();
    http2.data_frame_budget(DATA_FRAME_BUDGET);
    let (requests, connection) = http2.handshake(stream(port).await?).await?;
    // It ends with the last request; what breaks it breaks that request too, which tells.
    tokio::spawn(connection);
    Ok(requests)
}

async fn stream(port: u16) -> Outcome<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

pub(crate) async fn check(
    connection: SendRequest<Bytes>,
    message: Bytes,
) -> Outcome<CheckResponse> {
    let request = Request::post(CHECK)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())?;
    let (response, mut body) = connection.ready().await?.send_request(request, false)?;
    body.send_data(message, true)?;
    let bytes = read(response.await?.into_body()).await?;
    let message = bytes.get(PREFIX..).ok_or("an answer without a message")?;
    Ok(CheckResponse::decode(message)?)
}

/// A body whole, and that gRPC calls it good.
async fn read(mut body: RecvStream) -> Outcome<Bytes> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        bytes.extend_from_slice(&chunk);
    }
    let trailers = body.trailers().await?.unwrap_or_default();
    let is_good = trailers
        .get("grpc-status")
        .is_some_and(|status| status == "0");
    is_good
        .then(|| bytes.freeze())
        .ok_or_else(|| format!("gRPC failed: {trailers:?}").into())
}

/// A request, and a 200 without a body.
async fn decision(stream: &mut TcpStream, request: &[u8]) -> Outcome<Answer> {
    stream.write_all(request).await?;
    let mut head = BytesMut::new();
    while !head.ends_with(END) {
        if stream.read_buf(&mut head).await? == 0 {
            return Err("a connection ended before its answer".into());
        }
    }
    if head.starts_with(b"HTTP/1.1 200 ") {
        return Ok(Answer::Allowed);
    }
    Err(format!("expected a 200, but the answer is {head:?}").into())
}
