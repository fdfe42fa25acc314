use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, COOKIE};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// Longest the pages wait for an answer of Kratos.
const PATIENCE: Duration = Duration::from_secs(5);

/// Kratos' public API, asked on behalf of a browser.
#[derive(Debug, Clone)]
pub struct Kratos {
    base: String,
    http: reqwest::Client,
}

/// Why there is nothing to draw.
#[derive(Debug, Error)]
pub enum Fault {
    /// No answer, or none that could be read.
    #[error("kratos can't be asked")]
    Unreachable(#[from] reqwest::Error),
    /// An answer that is an error.
    #[error("kratos answered {status}")]
    Refused {
        /// The status of the answer.
        status: u16,
        /// `error.id`, empty where Kratos gives none.
        id: String,
        /// `error.reason`, else `error.message`: for people.
        reason: String,
        /// Where Kratos would start anew: `error.details.redirect_to`, else `redirect_browser_to`.
        restart: Option<String>,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    error: ErrorBody,
    redirect_browser_to: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    pub(super) id: String,
    pub(super) reason: String,
    pub(super) message: String,
    details: Details,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    redirect_to: Option<String>,
}

impl Kratos {
    /// Asks the public API at `base`, as it is reached from here.
    ///
    /// # Errors
    ///
    /// When no HTTP client can be made.
    pub fn new(base: &str) -> Result<Self, Fault> {
        let http = crate::client::builder().timeout(PATIENCE).build()?;
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            http,
        })
    }

    /// Gets `path` with the cookies of the browser's request, and reads the answer as `T`.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        browser: &HeaderMap,
    ) -> Result<T, Fault> {
        let target = target(&self.base, path, query);
        let mut request = self.http.get(target).header(ACCEPT, "application/json");
        for cookie in browser.get_all(COOKIE) {
            request = request.header(COOKIE, cookie);
        }
        let answer = request.send().await?;
        if answer.status().is_success() {
            return Ok(answer.json().await?);
        }
        Err(refused(answer).await)
    }
}

fn target(base: &str, path: &str, query: &[(&str, &str)]) -> String {
    if query.is_empty() {
        return format!("{base}{path}");
    }
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    format!("{base}{path}?{query}")
}

async fn refused(answer: reqwest::Response) -> Fault {
    let status = answer.status().as_u16();
    let body: Body = answer.json().await.unwrap_or_default();
    let ErrorBody {
        id,
        reason,
        message,
        details,
    } = body.error;
    let reason = if reason.is_empty() { message } else { reason };
    Fault::Refused {
        status,
        id,
        reason,
        restart: details.redirect_to.or(body.redirect_browser_to),
    }
}
