//! Calls to Kratos' public API: one credential, a bounded body, no redirects, no proxy.

use std::time::Duration;

use bytes::BytesMut;
use reqwest::{
    Response, StatusCode,
    header::{ACCEPT, COOKIE, HeaderName, HeaderValue, RETRY_AFTER},
    redirect,
};

use super::Settings;
use crate::domain::{
    claim::Pointer,
    credential::{Credential, CredentialKind},
};

/// The most that is read of an answer.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// A connection that hears nothing is closed before Kratos closes it after 120 s.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
const X_SESSION_TOKEN: HeaderName = HeaderName::from_static("x-session-token");

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("can't set up the client for Kratos")]
pub struct BuildError(#[source] reqwest::Error);

/// What Kratos answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
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
    base: Box<str>,
    cookie: Box<str>,
    pointers: Vec<Pointer>,
}

impl Client {
    pub(super) fn new(settings: &Settings) -> Result<Self, BuildError> {
        // A second installation fails and changes nothing.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder()
            .http1_only()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(settings.timeout)
            .pool_idle_timeout(IDLE_TIMEOUT);
        // Reading the system's roots takes a while, and without TLS nobody asks for them.
        let http = if settings.api_url.starts_with("https:") {
            http
        } else {
            http.tls_certs_only([])
        };
        let http = http.build().map_err(BuildError)?;
        Ok(Self {
            http,
            base: settings.api_url.clone(),
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
        let mut request = self
            .http
            .get(format!("{}{path}", self.base))
            .header(ACCEPT, "application/json");
        if let Some(credential) = credential {
            let (name, value) = self.header(credential).ok_or(CallError::Credential)?;
            request = request.header(name, value);
        }
        Answer::read(request.send().await?).await
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

impl Answer {
    async fn read(mut response: Response) -> Result<Self, CallError> {
        let status = response.status();
        let retry_after = retry_after(&response);
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
            body,
        })
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}
