//! WebSocket: an upgrade over HTTP/1.1 and an extended CONNECT (RFC 8441) over HTTP/2.

use demo::kratos::SessionCookie;
use demo::story::Http;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper::ext::Protocol;
use hyper::upgrade::Upgraded;
use hyper::{Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Way;

const HANDSHAKE: [(&str, &str); 4] = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-key", "bm90IGEgc2VjcmV0LCAxNg=="),
    ("sec-websocket-version", "13"),
];
const WORD: &[u8] = b"ambrosia";
/// The head of a whole text frame of eight bytes, and what a client masks its own with.
const HEAD: [u8; 2] = [0x81, 8];
const MASK: [u8; 4] = [7, 11, 13, 17];

/// The app's end: one frame comes in masked, and goes out as servers send it.
pub(super) async fn echo(upgraded: Upgraded) {
    let mut io = TokioIo::new(upgraded);
    let (mut head, mut mask, mut masked) = ([0; HEAD.len()], MASK, [0; WORD.len()]);
    for part in [&mut head[..], &mut mask, &mut masked] {
        io.read_exact(part).await.unwrap();
    }
    let word = xor(&masked, &mask);
    io.write_all(&[&HEAD[..], &word].concat()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_is_judged_like_any_request_and_a_refusal_is_a_status() {
    let way = Way::open().await;
    let sessions = way.sessions();
    let cases = [
        (None, 401, "session_inactive"),
        (Some(&sessions.aal1), 403, "session_aal2_required"),
        (
            Some(&sessions.plain),
            403,
            "session_aal2_enrolment_required",
        ),
    ];
    for (cookie, status, reason) in cases {
        let cookie = cookie.map(SessionCookie::header).unwrap_or_default();
        let headers = [&HANDSHAKE[..], &[("cookie", &cookie)]].concat();
        // `Connection: close` of the helper would spoil the handshake, so it is left to Envoy to close.
        let heard = way
            .refused(Http::One, &way.ask("GET", "/transfer/ws", &headers))
            .await;
        let told = (
            heard.status,
            heard.header("x-stepgate-reason"),
            &*heard.body,
        );
        assert_eq!(told, (status, reason, ""));
        assert_eq!(heard.header("location"), "");
        let response = extended_connect(&way, &cookie).await;
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.headers()["x-stepgate-reason"], reason);
        assert!(way.app.received().is_empty());
    }
    way.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_handshake_carries_frames_both_ways() {
    let way = Way::open().await;
    let cookie = way.sessions().aal2.header();
    let mut stream = TcpStream::connect(way.envoy()).await.unwrap();
    stream
        .write_all(handshake(&way, &cookie).as_bytes())
        .await
        .unwrap();
    let head = head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    says_a_word(&mut stream).await;
    upgraded(&way);

    let response = extended_connect(&way, &cookie).await;
    assert_eq!(response.status(), 200);
    let io = hyper::upgrade::on(response).await.unwrap();
    says_a_word(&mut TokioIo::new(io)).await;
    upgraded(&way);
    way.stage.stop().await;
}

/// What the app got, once.
fn upgraded(way: &Way) {
    let [seen] = way.app.received().try_into().unwrap();
    assert_eq!(
        (&*seen.method, seen.all("upgrade")),
        ("GET", vec!["websocket"])
    );
    assert_eq!(seen.all("x-user-aal"), ["aal2"]);
}

async fn says_a_word(io: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let [kind, length] = HEAD;
    let frame = [&[kind, length | 0x80], &MASK[..], &xor(WORD, &MASK)].concat();
    io.write_all(&frame).await.unwrap();
    let mut back = [0; HEAD.len() + WORD.len()];
    io.read_exact(&mut back).await.unwrap();
    assert_eq!(back, *[&HEAD[..], WORD].concat());
}

fn xor(bytes: &[u8], mask: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .zip(mask.iter().cycle())
        .map(|(byte, mask)| byte ^ mask)
        .collect()
}

fn handshake(way: &Way, cookie: &str) -> String {
    let lines = HANDSHAKE
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .concat();
    let host = way.host("app");
    format!("GET /transfer/ws HTTP/1.1\r\nhost: {host}\r\n{lines}cookie: {cookie}\r\n\r\n")
}

/// Up to the empty line, byte by byte, so that nothing of what follows is taken.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn extended_connect(way: &Way, cookie: &str) -> hyper::Response<hyper::body::Incoming> {
    let io = TokioIo::new(TcpStream::connect(way.envoy()).await.unwrap());
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    // Whoever has had an answer has had the settings, which say that Envoy takes an extended CONNECT.
    let open = Request::get(way.origin())
        .body(Empty::<Bytes>::new())
        .unwrap();
    assert_eq!(sender.send_request(open).await.unwrap().status(), 200);
    way.app.received();
    let request = Request::builder()
        .method(Method::CONNECT)
        .uri(format!("{}/transfer/ws", way.origin()))
        .extension(Protocol::from_static("websocket"))
        .header("sec-websocket-version", "13")
        .header("cookie", cookie)
        .body(Empty::new())
        .unwrap();
    sender.send_request(request).await.unwrap()
}
