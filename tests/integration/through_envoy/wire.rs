//! A client of Envoy that hides nothing: HTTP/1.1 as bytes, HTTP/2 as header lists.

use std::net::SocketAddr;
use std::time::Duration;

use demo::story::Http;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest that an answer may take; Envoy gives a check 2 s, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request, before it is written in one protocol or the other.
#[derive(Clone, Debug)]
pub(super) struct Ask<'a> {
    pub(super) method: &'a str,
    /// Host and port.
    pub(super) host: String,
    pub(super) target: &'a str,
    pub(super) headers: Vec<(&'a str, &'a str)>,
    pub(super) body: &'a str,
}

/// An answer as it came over the wire, without `date` and `server`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Heard {
    /// Every value under a name.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| &**value)
            .collect()
    }

    /// The one value under a name; empty where there is none, and a failure where there are two.
    pub(super) fn header(&self, name: &str) -> &str {
        let all = self.all(name);
        assert!(all.len() < 2, "{name} twice: {all:?}");
        all.first().copied().unwrap_or_default()
    }
}

impl Ask<'_> {
    /// Sends it; `None` where Envoy closes the connection or the stream without an answer.
    pub(super) async fn send(&self, http: Http, envoy: SocketAddr) -> Option<Heard> {
        let stream = TcpStream::connect(envoy).await.unwrap();
        let answer = async {
            match http {
                Http::One => self.over_one(stream).await,
                Http::Two => self.over_two(stream).await,
            }
        };
        tokio::time::timeout(PATIENCE, answer).await.unwrap()
    }

    /// The request as bytes, for one answer on this connection.
    fn bytes(&self) -> Vec<u8> {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: {}\r\n",
            self.method, self.target, self.host
        );
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !self.body.is_empty() {
            head += &format!("content-length: {}\r\n", self.body.len());
        }
        format!("{head}connection: close\r\n\r\n{}", self.body).into_bytes()
    }

    async fn over_one(&self, mut stream: TcpStream) -> Option<Heard> {
        stream.write_all(&self.bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A reset ends the answer as well.
        let _ = stream.read_to_end(&mut answer).await;
        parse(&answer)
    }

    async fn over_two(&self, stream: TcpStream) -> Option<Heard> {
        let io = TokioIo::new(stream);
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        let answer = sender.send_request(self.request()).await.ok()?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let headers = head.headers.iter();
        let headers = headers.map(|(name, value)| (name.as_str().to_owned(), text(value)));
        Some(Heard {
            status: head.status.as_u16(),
            headers: headers.filter(is_of_interest).collect(),
            body: String::from_utf8(body.to_vec()).unwrap(),
        })
    }

    fn request(&self) -> Request<Full<Bytes>> {
        let body = Full::from(self.body.to_owned());
        let mut request = Request::new(body);
        *request.method_mut() = self.method.parse::<Method>().unwrap();
        *request.uri_mut() = format!("http://{}{}", self.host, self.target)
            .parse()
            .unwrap();
        let headers: &mut HeaderMap = request.headers_mut();
        for (name, value) in &self.headers {
            let name = name.to_lowercase().parse::<HeaderName>().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        request
    }
}

/// An answer of HTTP/1.1. A chunked one is not expected of what is asked here.
fn parse(answer: &[u8]) -> Option<Heard> {
    let answer = String::from_utf8(answer.to_vec()).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let pair = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_lowercase(), value.trim().to_owned())
    };
    Some(Heard {
        status,
        headers: lines.map(pair).filter(is_of_interest).collect(),
        body: body.to_owned(),
    })
}

fn is_of_interest((name, _): &(String, String)) -> bool {
    ![
        "date",
        "server",
        "connection",
        "x-envoy-upstream-service-time",
    ]
    .contains(&&**name)
}
