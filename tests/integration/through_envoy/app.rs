//! An app that writes down what it receives, to the letter, over HTTP/1.1 and HTTP/2: pages, gRPC and WebSocket.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue, UPGRADE};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::websocket::echo;

/// A gRPC message, `{status: SERVING}` of `grpc.health.v1`, in its frame.
const SERVING: &[u8] = &[0, 0, 0, 0, 2, 8, 1];

/// What the app's pages say.
pub(super) const PAGE: &str = "the app's own page";

/// A request as it reached the app.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) version: hyper::Version,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A running app; dropping it stops it.
#[derive(Debug)]
pub(super) struct App {
    pub(super) port: u16,
    book: Book,
    server: JoinHandle<()>,
}

type Book = Arc<Mutex<Vec<Seen>>>;
type Body = BoxBody<Bytes, Infallible>;

impl App {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let book = Book::default();
        let server = tokio::spawn(serve(listener, book.clone()));
        Self { port, book, server }
    }

    /// What it received since it was last asked.
    pub(super) fn received(&self) -> Vec<Seen> {
        std::mem::take(&mut self.book.lock().unwrap())
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Seen {
    /// Every value under a name.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let values = self.headers.get_all(name).iter();
        values.map(|value| value.to_str().unwrap()).collect()
    }
}

async fn serve(listener: TcpListener, book: Book) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(stream, book.clone()));
    }
}

async fn connection(stream: TcpStream, book: Book) {
    let service = service_fn(|request| answer(request, book.clone()));
    // A peer that goes away is no matter.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection_with_upgrades(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    mut request: Request<Incoming>,
    book: Book,
) -> Result<Response<Body>, hyper::Error> {
    let upgrade = request.headers().contains_key(UPGRADE);
    let upgraded = upgrade.then(|| hyper::upgrade::on(&mut request));
    let (head, body) = request.into_parts();
    let body = match upgraded {
        Some(_) => Bytes::new(),
        None => body.collect().await?.to_bytes(),
    };
    let is_grpc = head
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    book.lock().unwrap().push(Seen {
        version: head.version,
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers: head.headers,
        body,
    });
    if let Some(upgraded) = upgraded {
        tokio::spawn(async { echo(upgraded.await.unwrap()).await });
        return Ok(switching());
    }
    Ok(if is_grpc { serving() } else { page() })
}

fn page() -> Response<Body> {
    let mut page = Response::new(Full::from(PAGE).boxed());
    let cookie = HeaderValue::from_static("app=own; Path=/");
    page.headers_mut().insert("set-cookie", cookie);
    page
}

fn serving() -> Response<Body> {
    let trailers = HeaderMap::from_iter([(
        hyper::header::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static("0"),
    )]);
    let body = Full::from(SERVING).with_trailers(async { Some(Ok(trailers)) });
    let mut answer = Response::new(body.boxed());
    let kind = HeaderValue::from_static("application/grpc");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

fn switching() -> Response<Body> {
    let mut answer = Response::new(Full::default().boxed());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    for (name, value) in [(CONNECTION, "Upgrade"), (UPGRADE, "websocket")] {
        answer
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    answer
}
