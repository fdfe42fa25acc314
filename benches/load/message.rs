//! Checks as Envoy sends them for a browser's request, encoded once and framed for gRPC.

use bytes::{BufMut, Bytes, BytesMut};
use envoy_types::pb::envoy::{
    config::core::v3::{Address, SocketAddress, address, socket_address::PortSpecifier},
    service::auth::v3::{
        AttributeContext, CheckRequest,
        attribute_context::{HttpRequest, Peer, Request},
    },
};
use prost::Message;

use crate::Outcome;

/// What a browser says of itself, and what Envoy adds.
pub(crate) const HEADERS: [(&str, &str); 12] = [
    (":method", "GET"),
    (":scheme", "https"),
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-GB,en;q=0.8,de;q=0.6"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-site", "same-origin"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    ("x-forwarded-for", "192.0.2.17"),
    ("x-forwarded-proto", "https"),
    ("x-request-id", "170d3215-a101-4beb-851a-c64887ca8c7b"),
];

/// A browser's GET, with this `cookie` header if there is one.
pub(crate) fn page(host: &str, path: &str, cookie: Option<&str>) -> Outcome<Bytes> {
    let about = [(":authority", host), (":path", path)];
    let cookie = cookie.map(|cookie| ("cookie", cookie));
    let headers = HEADERS.into_iter().chain(about).chain(cookie);
    let http = HttpRequest {
        id: "8423910546273353632".to_owned(),
        method: "GET".to_owned(),
        host: host.to_owned(),
        path: path.to_owned(),
        scheme: "https".to_owned(),
        protocol: "HTTP/2".to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        ..HttpRequest::default()
    };
    let attributes = AttributeContext {
        source: Some(peer("192.0.2.17", 46484)),
        destination: Some(peer("192.0.2.1", 443)),
        request: Some(Request {
            http: Some(http),
            ..Request::default()
        }),
        ..AttributeContext::default()
    };
    framed(&CheckRequest {
        attributes: Some(attributes),
    })
}

fn peer(address: &str, port: u32) -> Peer {
    let socket = SocketAddress {
        address: address.to_owned(),
        port_specifier: Some(PortSpecifier::PortValue(port)),
        ..SocketAddress::default()
    };
    Peer {
        address: Some(Address {
            address: Some(address::Address::SocketAddress(socket)),
        }),
        ..Peer::default()
    }
}

/// No compression, the length, the message.
fn framed(request: &CheckRequest) -> Outcome<Bytes> {
    let length = request.encoded_len();
    let mut frame = BytesMut::with_capacity(length.saturating_add(5));
    frame.put_u8(0);
    frame.put_u32(u32::try_from(length)?);
    request.encode(&mut frame)?;
    Ok(frame.freeze())
}
