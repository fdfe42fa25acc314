//! Asks Kratos over HTTP/1.1, byte for byte as a row wrote it, and reads the answer.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use url::Url;

use super::answer::Answer;
use super::{Error, Target};

/// The longest a row waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The cookie that holds a session.
pub(super) const SESSION: &str = "ory_kratos_session";

/// The two ways to send a session token.
pub(super) const TOKEN_WAYS: [(&str, TokenWay); 2] =
    [("X-Session-Token", Ask::token), ("Bearer", Ask::bearer)];

/// Puts a session token into a request.
pub(super) type TokenWay = fn(Ask, &str) -> Ask;

/// A request as it is written to the wire.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    method: Method,
    path: String,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
    to_admin: bool,
}

impl Ask {
    /// Any method, to the public port. The path is written as it stands, its query too.
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: Vec::new(),
            to_admin: false,
        }
    }

    /// GET.
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// `GET /sessions/whoami`.
    pub(super) fn whoami() -> Self {
        Self::get("/sessions/whoami")
    }

    /// To the admin port instead.
    pub(super) fn admin(self) -> Self {
        Self {
            to_admin: true,
            ..self
        }
    }

    /// One more header line.
    pub(super) fn header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name, value.as_ref().to_vec()));
        self
    }

    /// One more Cookie line.
    pub(super) fn cookie(self, line: impl AsRef<[u8]>) -> Self {
        self.header("cookie", line)
    }

    /// A Cookie line with this session cookie only.
    pub(super) fn session(self, value: &str) -> Self {
        self.cookie(format!("{SESSION}={value}"))
    }

    /// `X-Session-Token`.
    pub(super) fn token(self, token: &str) -> Self {
        self.header("x-session-token", token)
    }

    /// `Authorization: Bearer`.
    pub(super) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// As a browser asks for a page.
    pub(super) fn html(self) -> Self {
        self.header("accept", "text/html")
    }

    /// As a program asks.
    pub(super) fn json(self) -> Self {
        self.header("accept", "application/json")
    }

    /// With a JSON body.
    pub(super) fn sends(self, body: &Value) -> Self {
        let body = body.to_string().into_bytes();
        Self {
            body,
            ..self.header("content-type", "application/json")
        }
    }

    /// With the body of a browser form.
    pub(super) fn sends_form(self, fields: &Value) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in fields.as_object().into_iter().flatten() {
            form.append_pair(name, value.as_str().unwrap_or("true"));
        }
        let body = form.finish().into_bytes();
        Self {
            body,
            ..self.header("content-type", "application/x-www-form-urlencoded")
        }
    }

    fn into_request(self, url: &Url) -> Result<Request<Full<Bytes>>, Error> {
        let uri = self.path.parse::<Uri>().map_err(hyper::http::Error::from);
        let wrong = |source| Error::Request {
            path: self.path.clone(),
            source,
        };
        let mut request = Request::builder()
            .method(self.method)
            .uri(uri.map_err(wrong)?);
        if !self.headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", url.authority());
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        request.body(Full::new(self.body.into())).map_err(wrong)
    }
}

/// The Kratos that the rows ask.
#[derive(Debug)]
pub(super) struct Kratos<'a> {
    target: &'a Target,
    salt: u64,
    people: AtomicU64,
}

impl<'a> Kratos<'a> {
    /// Asks `target`.
    pub(super) fn new(target: &'a Target) -> Self {
        // A Kratos that was asked before remembers those people: the keys of a hasher differ from run to run.
        let salt = RandomState::new().hash_one("people of this run");
        Self {
            target,
            salt,
            people: AtomicU64::new(1),
        }
    }

    /// Who is asked, and its configuration.
    pub(super) fn target(&self) -> &'a Target {
        self.target
    }

    /// An address nobody has yet.
    pub(super) fn new_email(&self) -> String {
        let number = self.people.fetch_add(1, Ordering::Relaxed);
        format!("person-{number}-{:x}@example.test", self.salt)
    }

    /// Lets time pass where that can be done at will.
    pub(super) fn advance(&self, time: Duration) {
        if let Some(advance) = &self.target.advance {
            advance(time);
        }
    }

    /// Asks, on a connection of its own.
    pub(super) async fn send(&self, ask: Ask) -> Result<Answer, Error> {
        let path = ask.path.clone();
        let answer = tokio::time::timeout(PATIENCE, self.exchange(ask));
        answer.await.unwrap_or(Err(Error::Slow(path)))
    }

    async fn exchange(&self, ask: Ask) -> Result<Answer, Error> {
        let url = if ask.to_admin {
            &self.target.admin
        } else {
            &self.target.public
        };
        let path = ask.path.clone();
        let broken = |source| Error::Broken {
            path: path.clone(),
            source,
        };
        let request = ask.into_request(url)?;
        let stream = connect(url).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        let connection = tokio::spawn(connection);
        let (parts, body) = sender
            .send_request(request)
            .await
            .map_err(broken)?
            .into_parts();
        let body = body.collect().await.map_err(broken)?.to_bytes();
        connection.abort();
        let json = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
            json,
        })
    }
}

async fn connect(url: &Url) -> Result<TcpStream, Error> {
    let no_address = || Error::Url(url.to_string());
    let host = url.host_str().ok_or_else(no_address)?;
    let port = url.port_or_known_default().ok_or_else(no_address)?;
    let address = format!("{host}:{port}");
    TcpStream::connect(&address)
        .await
        .map_err(|source| Error::Connect { address, source })
}
