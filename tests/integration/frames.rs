//! Envoy's door, frame by frame: what a client of gRPC never sends, and what a slow or broken one does.

use bytes::Bytes;
use envoy_types::pb::envoy::service::auth::v3::{
    AttributeContext, CheckRequest, CheckResponse,
    attribute_context::{HttpRequest, Request},
    check_response::HttpResponse,
};
use h2::client::{self, SendRequest};
use prost::Message;
use tokio::{net::TcpStream, task::JoinSet};

use crate::gate::Gate;

/// One rule; what is asked about here is open.
const RULES: &str = "  - { id: other, match: { path: /other }, require: session }";
const PATH: &str = "/envoy.service.auth.v3.Authorization/Check";

/// What came back: the gRPC status, and the message where there is one.
#[derive(Debug, PartialEq)]
struct Heard {
    status: String,
    message: Vec<u8>,
}

async fn connect(gate: &Gate) -> SendRequest<Bytes> {
    let address = gate.url.strip_prefix("http://").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    client.ready().await.unwrap()
}

/// Sends a body in these pieces, a frame each; the end is said by an empty one.
async fn call(client: SendRequest<Bytes>, path: &str, pieces: Vec<Bytes>) -> Heard {
    let request = http::Request::post(format!("http://door.test{path}"))
        .header("content-type", "application/grpc")
        .body(())
        .unwrap();
    let mut client = client.ready().await.unwrap();
    let (response, mut stream) = client.send_request(request, false).unwrap();
    for piece in pieces {
        stream.send_data(piece, false).unwrap();
        tokio::task::yield_now().await;
    }
    stream.send_data(Bytes::new(), true).unwrap();
    let (head, mut body) = response.await.unwrap().into_parts();
    let mut message = Vec::new();
    while let Some(data) = body.data().await {
        message.extend_from_slice(&data.unwrap());
    }
    let trailers = body.trailers().await.unwrap().unwrap_or(head.headers);
    let status = trailers.get("grpc-status").unwrap();
    Heard {
        status: status.to_str().unwrap().to_owned(),
        message,
    }
}

fn check() -> Vec<u8> {
    check_of("/")
}

fn check_of(path: &str) -> Vec<u8> {
    let http = HttpRequest {
        method: "GET".to_owned(),
        host: "app.test".to_owned(),
        path: path.to_owned(),
        ..HttpRequest::default()
    };
    let attributes = AttributeContext {
        request: Some(Request {
            http: Some(http),
            ..Request::default()
        }),
        ..AttributeContext::default()
    };
    CheckRequest {
        attributes: Some(attributes),
    }
    .encode_to_vec()
}

fn framed(compressed: u8, length: usize, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(length).unwrap().to_be_bytes();
    [&[compressed][..], &length, message].concat()
}

fn is_allow(heard: &Heard) -> bool {
    let message = heard.message.get(5..).unwrap_or_default();
    let response = CheckResponse::decode(message).unwrap();
    heard.status == "0" && matches!(response.http_response, Some(HttpResponse::OkResponse(_)))
}

#[tokio::test]
async fn a_message_may_come_in_any_pieces() {
    let gate = Gate::start(RULES).await;
    let client = connect(&gate).await;
    let whole = framed(0, check().len(), &check());
    for size in [1, 2, 5, 7, whole.len()] {
        let pieces = whole.chunks(size).map(Bytes::copy_from_slice).collect();
        let heard = call(client.clone(), PATH, pieces).await;
        assert!(is_allow(&heard), "pieces of {size}: {heard:?}");
    }
}

#[tokio::test]
async fn what_is_not_just_one_message_ends_in_an_error_and_is_no_answer() {
    let gate = Gate::start(RULES).await;
    let client = connect(&gate).await;
    let (message, length) = (check(), check().len());
    let one = framed(0, length, &message);
    let long = vec![0; 1024 * 1024 + 1];
    let cases = [
        ("nothing", vec![], "3"),
        ("half a prefix", vec![0, 0], "3"),
        ("half a message", one.get(..length).unwrap().to_vec(), "3"),
        ("two messages", [&*one, &*one].concat(), "3"),
        ("a shorter length", framed(0, length - 1, &message), "3"),
        ("a longer length", framed(0, length + 1, &message), "3"),
        ("a compressed one", framed(1, length, &message), "12"),
        ("no check", framed(0, 2, &[0xff, 0xff]), "3"),
        ("too long a one", framed(0, long.len(), &long), "8"),
    ];
    for (name, body, status) in cases {
        let pieces = body.chunks(16 * 1024).map(Bytes::copy_from_slice).collect();
        let heard = call(client.clone(), PATH, pieces).await;
        let expected = Heard {
            status: status.to_owned(),
            message: vec![],
        };
        assert_eq!(heard, expected, "{name}");
    }
    // The connection serves on.
    let heard = call(client.clone(), PATH, vec![one.into()]).await;
    assert!(is_allow(&heard));
}

#[tokio::test]
async fn calls_that_come_together_each_hear_their_own_answer() {
    let gate = Gate::start(RULES).await;
    let client = connect(&gate).await;
    // One whose message never ends holds up no other.
    let request = http::Request::post(format!("http://door.test{PATH}"));
    let mut endless = client.clone().ready().await.unwrap();
    let (_response, mut stream) = endless
        .send_request(request.body(()).unwrap(), false)
        .unwrap();
    stream.send_data(Bytes::from_static(&[0]), false).unwrap();
    let mut calls = JoinSet::new();
    for number in 0..90 {
        let (kind, body) = match number % 3 {
            0 => ("open", framed(0, check().len(), &check())),
            1 => ("guarded", {
                let check = check_of("/other");
                framed(0, check.len(), &check)
            }),
            _ => ("broken", vec![0, 0]),
        };
        let client = client.clone();
        calls.spawn(async move { (kind, call(client, PATH, vec![body.into()]).await) });
    }
    for (kind, heard) in calls.join_all().await {
        match kind {
            "open" => assert!(is_allow(&heard), "{heard:?}"),
            "guarded" => assert!(heard.status == "0" && !is_allow(&heard), "{heard:?}"),
            _ => assert_eq!((&*heard.status, heard.message.len()), ("3", 0)),
        }
    }
}

#[tokio::test]
async fn a_method_that_nobody_serves_is_unimplemented() {
    let gate = Gate::start(RULES).await;
    let client = connect(&gate).await;
    for path in ["/", "/envoy.service.auth.v3.Authorization/Other", "/x"] {
        let heard = call(client.clone(), path, vec![]).await;
        assert_eq!(heard.status, "12", "{path}");
    }
}
