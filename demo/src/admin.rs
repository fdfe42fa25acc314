//! Kratos' admin API, as the console, the panel of accounts and the caught mails ask it; any Kratos has these paths.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

/// Longest any of them waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// The admin API of one Kratos.
#[derive(Debug, Clone)]
pub struct Admin {
    base: String,
    http: reqwest::Client,
}

/// A mail that Kratos sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Whom it went to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// When, RFC 3339.
    pub sent_at: String,
}

impl Admin {
    /// The admin API at `base`.
    ///
    /// # Errors
    ///
    /// When no HTTP client can be made.
    pub fn new(base: &str) -> Result<Self, reqwest::Error> {
        let http = crate::client::builder().timeout(PATIENCE).build()?;
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { base, http })
    }

    /// The identity with that id, if Kratos knows it and can be asked.
    pub async fn identity(&self, id: &str) -> Option<Value> {
        self.ask(Method::GET, &format!("/admin/identities/{id}"), None)
            .await
    }

    /// The identity that logs in with `email`, with the secrets that its second factors have.
    pub async fn person(&self, email: &str) -> Option<Value> {
        let email: String = url::form_urlencoded::byte_serialize(email.as_bytes()).collect();
        let path = format!("/admin/identities?credentials_identifier={email}");
        let found = self.ask(Method::GET, &path, None).await?;
        let id = found.pointer("/0/id")?.as_str()?.to_owned();
        let secrets = "include_credential=totp&include_credential=lookup_secret";
        self.ask(
            Method::GET,
            &format!("/admin/identities/{id}?{secrets}"),
            None,
        )
        .await
    }

    /// Takes a second factor away, `totp` or `lookup_secret`; whether there was one.
    pub async fn remove_factor(&self, id: &str, kind: &str) -> bool {
        let path = format!("/admin/identities/{id}/credentials/{kind}");
        self.ask(Method::DELETE, &path, None).await.is_some()
    }

    /// Writes `metadata_public.role`, which people can't write themselves; whether it was written.
    pub async fn set_role(&self, id: &str, role: &str) -> bool {
        let patch = json!([{ "op": "add", "path": "/metadata_public", "value": { "role": role } }]);
        self.ask(
            Method::PATCH,
            &format!("/admin/identities/{id}"),
            Some(&patch),
        )
        .await
        .is_some()
    }

    /// Ends a session; whether it was known.
    pub async fn revoke(&self, session: &str) -> bool {
        self.ask(Method::DELETE, &format!("/admin/sessions/{session}"), None)
            .await
            .is_some()
    }

    /// The mails it sent, newest first.
    pub async fn mails(&self) -> Vec<Mail> {
        let found = self.ask(Method::GET, "/admin/courier/messages", None).await;
        let list = found
            .and_then(|found| found.as_array().cloned())
            .unwrap_or_default();
        list.iter().map(mail).collect()
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Option<Value> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.ok()?.error_for_status().ok()?;
        let text = answer.text().await.ok()?;
        if text.is_empty() {
            return Some(Value::Null);
        }
        serde_json::from_str(&text).ok()
    }
}

/// The key of an identity's authenticator app, base 32.
#[must_use]
pub fn totp_key(identity: &Value) -> Option<String> {
    let url = identity
        .pointer("/credentials/totp/config/totp_url")?
        .as_str()?;
    let url = Url::parse(url).ok()?;
    url.query_pairs()
        .find(|(name, _)| name == "secret")
        .map(|(_, key)| key.into_owned())
}

/// Its backup codes that are still good.
#[must_use]
pub fn backup_codes(identity: &Value) -> Vec<String> {
    let codes = identity.pointer("/credentials/lookup_secret/config/recovery_codes");
    let codes = codes
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let unused = |code: &&Value| {
        let used_at = code
            .get("used_at")
            .and_then(Value::as_str)
            .unwrap_or_default();
        // Go writes the year 1 where there is no time.
        used_at.is_empty() || used_at.starts_with("0001-")
    };
    let texts = codes
        .iter()
        .filter(unused)
        .filter_map(|code| code.get("code")?.as_str());
    texts.map(str::to_owned).collect()
}

fn mail(message: &Value) -> Mail {
    let text = |name: &str| {
        message
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    Mail {
        to: text("recipient"),
        subject: text("subject"),
        body: text("body"),
        sent_at: text("created_at"),
    }
}
