//! Calls to Kratos' public API: one credential, a bounded body.
//!
//! They are made by hyper's pooled client, which follows no redirect, heeds no proxy variable and keeps no cookie, so none
//! of that has to be switched off, nor paid for by each call.

mod connector;
mod pool;

use std::{
    error::Error,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri,
    header::{ACCEPT, COOKIE, DATE, RETRY_AFTER, SET_COOKIE},
    uri::InvalidUri,
};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy;
use jiff::fmt::rfc2822::DateTimeParser;
use url::Url;

use super::Settings;
use crate::domain::credential::{Credential, CredentialKind};
use connector::Connector;
use pool::Pool;

/// The most that is read of an answer.
const MAX_BODY_BYTES: usize = 1024 * 1024;
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const SESSION_CACHE_FOR: HeaderName = HeaderName::from_static("ory-session-cache-for");
const X_SESSION_TOKEN: HeaderName = HeaderName::from_static("x-session-token");

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The address is none.
    #[error("`api_url` is no URL")]
    Address(#[from] url::ParseError),
    /// What is asked below it can't be written as HTTP does.
    #[error("`api_url` and a path give no URL")]
    Endpoint(#[from] InvalidUri),
    /// Nobody is known who could have signed Kratos' certificate.
    #[error("the system's roots can't be used for `api_url`; name those to trust in `ca_file`")]
    Trust(#[from] rustls::Error),
}

/// An address below Kratos' public API, written once so that no call has to.
#[derive(Debug)]
pub(super) struct Endpoint(Uri);

/// What Kratos answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    /// The `Set-Cookie` line for the session cookie, if there is one: Kratos renews it so.
    pub(super) renewal: Option<HeaderValue>,
    /// `Ory-Session-Cache-For`: how long Kratos lets its answer be remembered, where it says so.
    pub(super) cache_for: Option<Duration>,
    /// `Date`: Kratos' time when it answered, in whole seconds.
    pub(super) date: Option<SystemTime>,
    pub(super) body: Bytes,
}

/// Why there is no answer. None of the causes quotes what was sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error("the call to Kratos failed")]
    Transport(#[from] legacy::Error),
    #[error("Kratos' answer broke off")]
    Body(#[from] hyper::Error),
    #[error("Kratos' answer is longer than 1 MiB")]
    TooLong,
    #[error("the credential can't be sent in a header")]
    Credential,
}

#[derive(Debug)]
pub(super) struct Client {
    pool: Pool<Connector>,
    base: Url,
    cookie: Box<str>,
}

impl Endpoint {
    /// Its path, below the root of the host.
    pub(super) fn path(&self) -> &str {
        self.0.path()
    }
}

impl Client {
    pub(super) fn new(settings: &Settings) -> Result<Self, BuildError> {
        Ok(Self {
            pool: Pool::new(Connector::new(settings)?),
            base: Url::parse(&settings.api_url)?,
            cookie: settings.cookie.clone(),
        })
    }

    /// The address of a path, perhaps with a query, below the public API.
    pub(super) fn endpoint(&self, path: &str) -> Result<Endpoint, BuildError> {
        let (path, query) = path
            .split_once('?')
            .map_or((path, None), |(path, query)| (path, Some(query)));
        let mut address = self.base.clone();
        address.set_path(&[self.base.path().trim_end_matches('/'), path].concat());
        address.set_query(query);
        Ok(Endpoint(address.as_str().parse()?))
    }

    /// `GET`s it, with the credential if there is one.
    pub(super) async fn get(
        &self,
        endpoint: &Endpoint,
        credential: Option<&Credential>,
        now: SystemTime,
    ) -> Result<Answer, CallError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = endpoint.0.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, JSON);
        if let Some(credential) = credential {
            let (name, value) = self.header(credential).ok_or(CallError::Credential)?;
            headers.insert(name, value);
        }
        let (head, body) = self.pool.request(request, now).await?.into_parts();
        let body = Limited::new(body, MAX_BODY_BYTES).collect().await;
        let body = body.map_err(of_body)?.to_bytes();
        Ok(Answer::new(head.status, &head.headers, body, &self.cookie))
    }

    /// A bearer is a session token, and is sent as one.
    fn header(&self, credential: &Credential) -> Option<(HeaderName, HeaderValue)> {
        let (name, value) = match credential.kind() {
            CredentialKind::Cookie => {
                let line = [self.cookie.as_bytes(), b"=", credential.expose()].concat();
                (COOKIE, line.into())
            }
            CredentialKind::SessionToken | CredentialKind::Bearer => {
                (X_SESSION_TOKEN, credential.expose().clone())
            }
        };
        let mut value = HeaderValue::from_maybe_shared(value).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    }
}

fn of_body(error: Box<dyn Error + Send + Sync>) -> CallError {
    let broken = error.downcast::<hyper::Error>();
    broken.map_or(CallError::TooLong, |broken| CallError::Body(*broken))
}

impl Answer {
    fn new(status: StatusCode, headers: &HeaderMap, body: Bytes, cookie: &str) -> Self {
        Self {
            status,
            retry_after: seconds(headers, &RETRY_AFTER),
            renewal: renewal(headers, cookie),
            cache_for: seconds(headers, &SESSION_CACHE_FOR),
            date: date(headers),
            body,
        }
    }
}

/// No other cookie of Kratos' is the client's business.
fn renewal(headers: &HeaderMap, cookie: &str) -> Option<HeaderValue> {
    let is_session = |line: &&HeaderValue| {
        let value = line.as_bytes().strip_prefix(cookie.as_bytes());
        value.is_some_and(|rest| rest.starts_with(b"="))
    };
    headers.get_all(SET_COOKIE).iter().find(is_session).cloned()
}

fn date(headers: &HeaderMap) -> Option<SystemTime> {
    const DATES: DateTimeParser = DateTimeParser::new();
    let text = headers.get(DATE)?.to_str().ok()?;
    let seconds = DATES.parse_timestamp(text).ok()?.as_second();
    let since_1970 = Duration::from_secs(u64::try_from(seconds).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since_1970)
}

/// A header that holds a number of seconds.
fn seconds(headers: &HeaderMap, name: &HeaderName) -> Option<Duration> {
    let text = headers.get(name)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kratos::cache;

    #[test]
    fn a_path_lies_below_the_public_api_with_its_query() {
        let of = |api_url: &str, path| {
            let settings = Settings {
                name: "ciam".into(),
                api_url: api_url.into(),
                cookie: "sid".into(),
                timeout: Duration::from_secs(1),
                pointers: Vec::new(),
                cache: cache::Settings::default(),
                max_in_flight: 1,
                verifies_signed_out: true,
                health: None,
                ca: None,
            };
            let client = Client::new(&settings).unwrap();
            client.endpoint(path).unwrap().0.to_string()
        };
        for (api_url, path, address) in [
            ("http://a.test:4433", "/x", "http://a.test:4433/x"),
            (
                "http://a.test/kratos",
                "/x?a=b%2Fc",
                "http://a.test/kratos/x?a=b%2Fc",
            ),
            ("http://a.test/kratos/", "/x", "http://a.test/kratos/x"),
        ] {
            assert_eq!(of(api_url, path), address);
        }
    }
}
