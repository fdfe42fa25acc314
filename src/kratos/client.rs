//! Calls to Kratos' public API: one credential, a bounded body, no redirects, no proxy.

use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::{
    Certificate, ClientBuilder, Response, StatusCode,
    header::{ACCEPT, COOKIE, DATE, HeaderName, HeaderValue, RETRY_AFTER, SET_COOKIE},
    redirect,
};
use url::Url;

use super::Settings;
use crate::domain::{
    claim::Pointer,
    credential::{Credential, CredentialKind},
};

/// The most that is read of an answer.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// A connection that hears nothing is closed before Kratos closes it after 120 s.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
const SESSION_CACHE_FOR: HeaderName = HeaderName::from_static("ory-session-cache-for");
const X_SESSION_TOKEN: HeaderName = HeaderName::from_static("x-session-token");

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The address is none.
    #[error("`api_url` is no URL")]
    Address(#[from] url::ParseError),
    /// What it is made from, such as its roots.
    #[error("can't set up the client for Kratos")]
    Client(#[from] reqwest::Error),
}

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
    pub(super) body: BytesMut,
}

/// Why there is no answer. The texts of reqwest name the URL, which holds no secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error("the call to Kratos failed")]
    Transport(#[from] reqwest::Error),
    #[error("Kratos' answer is longer than 1 MiB")]
    TooLong,
    #[error("the credential can't be sent in a header")]
    Credential,
}

#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    cookie: Box<str>,
    pointers: Vec<Pointer>,
}

impl Client {
    pub(super) fn new(settings: &Settings) -> Result<Self, BuildError> {
        // A second installation fails and changes nothing.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .http1_only()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(settings.timeout)
            .pool_idle_timeout(IDLE_TIMEOUT);
        let http = trust(builder, settings)?.build()?;
        Ok(Self {
            http,
            base: Url::parse(&settings.api_url)?,
            cookie: settings.cookie.clone(),
            pointers: settings.pointers.clone(),
        })
    }

    /// What is asked to be known of an identity.
    pub(super) fn pointers(&self) -> &[Pointer] {
        &self.pointers
    }

    /// `GET`s a path below the public API, with the credential if there is one.
    pub(super) async fn get(
        &self,
        path: &str,
        credential: Option<&Credential>,
    ) -> Result<Answer, CallError> {
        Answer::read(self.send(path, credential).await?, &self.cookie).await
    }

    /// The same, as far as the answer's headers.
    pub(super) async fn send(
        &self,
        path: &str,
        credential: Option<&Credential>,
    ) -> Result<Response, CallError> {
        let mut request = self
            .http
            .get(self.address(path))
            .header(ACCEPT, "application/json");
        if let Some(credential) = credential {
            let (name, value) = self.header(credential).ok_or(CallError::Credential)?;
            request = request.header(name, value);
        }
        Ok(request.send().await?)
    }

    /// The address of a path, perhaps with a query, below the public API. The host is not read anew each time.
    fn address(&self, path: &str) -> Url {
        let (path, query) = path
            .split_once('?')
            .map_or((path, None), |(path, query)| (path, Some(query)));
        let mut address = self.base.clone();
        address.set_path(&[self.base.path().trim_end_matches('/'), path].concat());
        address.set_query(query);
        address
    }

    /// A bearer is a session token, and is sent as one.
    fn header(&self, credential: &Credential) -> Option<(HeaderName, HeaderValue)> {
        let (name, value) = match credential.kind() {
            CredentialKind::Cookie => (
                COOKIE,
                [self.cookie.as_bytes(), b"=", credential.expose()].concat(),
            ),
            CredentialKind::SessionToken | CredentialKind::Bearer => {
                (X_SESSION_TOKEN, credential.expose().to_vec())
            }
        };
        let mut value = HeaderValue::from_bytes(&value).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    }
}

/// The roots that are believed: the operator's, or the system's for https. For plain http there are none, since reading the
/// system's takes a while.
fn trust(builder: ClientBuilder, settings: &Settings) -> Result<ClientBuilder, BuildError> {
    match &settings.ca {
        Some(pem) => {
            let roots = Certificate::from_pem_bundle(pem)?;
            Ok(builder.tls_certs_only(roots))
        }
        None if settings.api_url.starts_with("https:") => Ok(builder),
        None => Ok(builder.tls_certs_only([])),
    }
}

impl Answer {
    async fn read(mut response: Response, cookie: &str) -> Result<Self, CallError> {
        let status = response.status();
        let retry_after = seconds(&response, &RETRY_AFTER);
        let cache_for = seconds(&response, &SESSION_CACHE_FOR);
        let renewal = renewal(&response, cookie);
        let date = date(&response);
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len().saturating_add(chunk.len()) > MAX_BODY_BYTES {
                return Err(CallError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self {
            status,
            retry_after,
            renewal,
            cache_for,
            date,
            body,
        })
    }
}

/// No other cookie of Kratos' is the client's business.
fn renewal(response: &Response, cookie: &str) -> Option<HeaderValue> {
    let is_session = |line: &&HeaderValue| {
        let value = line.as_bytes().strip_prefix(cookie.as_bytes());
        value.is_some_and(|rest| rest.starts_with(b"="))
    };
    response
        .headers()
        .get_all(SET_COOKIE)
        .iter()
        .find(is_session)
        .cloned()
}

fn date(response: &Response) -> Option<SystemTime> {
    const DATES: DateTimeParser = DateTimeParser::new();
    let text = response.headers().get(DATE)?.to_str().ok()?;
    let seconds = DATES.parse_timestamp(text).ok()?.as_second();
    let since_1970 = Duration::from_secs(u64::try_from(seconds).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since_1970)
}

/// A header that holds a number of seconds.
fn seconds(response: &Response, name: &HeaderName) -> Option<Duration> {
    let text = response.headers().get(name)?.to_str().ok()?;
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
            Client::new(&settings).unwrap().address(path).to_string()
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
