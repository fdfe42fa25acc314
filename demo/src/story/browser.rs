use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::{ACCEPT, COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Method, RequestBuilder};
use url::Url;

use super::form::Form;
use super::jar::Jar;

/// Longest any page may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// What browsers follow before they give up is more; no road of the demo is longer.
const REDIRECTS: usize = 8;

/// How a browser speaks to Envoy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Http {
    /// HTTP/1.1.
    One,
    /// HTTP/2 by prior knowledge; each cookie in a header of its own, as browsers send them.
    Two,
}

/// A browser without a screen: cookies, forms, and redirects followed only when asked to.
#[derive(Debug)]
pub struct Browser {
    client: reqwest::Client,
    http: Http,
    jar: Jar,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// What was asked for.
    pub url: Url,
    /// The status.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body, as text.
    pub body: String,
}

impl Browser {
    /// A browser that finds each of `hosts` at `address`, for not every system resolves names below `localhost`.
    ///
    /// # Errors
    ///
    /// When no HTTP client can be made.
    pub fn new(http: Http, hosts: &[&str], address: SocketAddr) -> Result<Self, reqwest::Error> {
        let mut client = crate::client::builder().timeout(PATIENCE);
        for host in hosts {
            client = client.resolve(host, address);
        }
        client = match http {
            Http::One => client.http1_only(),
            Http::Two => client.http2_prior_knowledge(),
        };
        Ok(Self {
            client: client.build()?,
            http,
            jar: Jar::default(),
        })
    }

    /// Opens `url`.
    ///
    /// # Errors
    ///
    /// In words, when there is no answer.
    pub async fn get(&mut self, url: &str) -> Result<Answer, String> {
        self.get_with(url, &[]).await
    }

    /// Opens `url` with headers that a browser would not send.
    ///
    /// # Errors
    ///
    /// In words, when there is no answer.
    pub async fn get_with(
        &mut self,
        url: &str,
        headers: &[(&str, &str)],
    ) -> Result<Answer, String> {
        let url = parse(url)?;
        let mut request = self.client.request(Method::GET, url.clone());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(url, request).await
    }

    /// Opens `url` and follows redirects to the page at their end.
    ///
    /// # Errors
    ///
    /// In words, when there is no answer, or no end.
    pub async fn follow(&mut self, url: &str) -> Result<Answer, String> {
        let mut answer = self.get(url).await?;
        for _ in 0..REDIRECTS {
            let Some(next) = answer.location() else {
                return Ok(answer);
            };
            answer = self.get(next.as_str()).await?;
        }
        Err(format!("{url} redirects without end"))
    }

    /// Fills in the form of `page` that has all of these fields, and sends it with its first button.
    ///
    /// # Errors
    ///
    /// In words, when there is no such form or no answer.
    pub async fn submit(
        &mut self,
        page: &Answer,
        filled: &[(&str, &str)],
    ) -> Result<Answer, String> {
        let fits = |form: &Form| filled.iter().all(|(field, _)| form.has(field));
        let Some(form) = Form::all(&page.body).into_iter().find(fits) else {
            let fields: Vec<_> = filled.iter().map(|(field, _)| *field).collect();
            return Err(format!(
                "{} has no form with {}",
                page.url,
                fields.join(" and ")
            ));
        };
        let action = page
            .url
            .join(&form.action)
            .map_err(|error| format!("`{}`: {error}", form.action))?;
        let request = self
            .client
            .request(Method::POST, action.clone())
            .form(&form.submission(filled));
        self.send(action, request).await
    }

    async fn send(&mut self, url: Url, request: RequestBuilder) -> Result<Answer, String> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let request = request.header(ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8");
        let request = self.with_cookies(request.header("sec-fetch-mode", "navigate"), &host);
        let answer = request
            .send()
            .await
            .map_err(|error| format!("{url}: {error}"))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        for line in headers.get_all(SET_COOKIE) {
            self.jar.set(&host, line.to_str().unwrap_or_default());
        }
        let body = answer
            .text()
            .await
            .map_err(|error| format!("{url}: {error}"))?;
        Ok(Answer {
            url,
            status,
            headers,
            body,
        })
    }

    fn with_cookies(&self, request: RequestBuilder, host: &str) -> RequestBuilder {
        let cookies = self.jar.sent_to(host);
        match self.http {
            _ if cookies.is_empty() => request,
            Http::One => request.header(COOKIE, cookies.join("; ")),
            Http::Two => cookies
                .iter()
                .fold(request, |request, cookie| request.header(COOKIE, cookie)),
        }
    }
}

impl Answer {
    /// `Location`, made whole, when this is a redirect.
    #[must_use]
    pub fn location(&self) -> Option<Url> {
        let location = self.raw_location()?;
        self.url
            .join(location)
            .ok()
            .filter(|_| (300..400).contains(&self.status))
    }

    /// `Location` byte for byte; `None` too when there are two, or when it is no text.
    #[must_use]
    pub fn raw_location(&self) -> Option<&str> {
        let mut all = self.headers.get_all(LOCATION).iter();
        let first = all.next()?.to_str().ok()?;
        all.next().is_none().then_some(first)
    }
}

fn parse(url: &str) -> Result<Url, String> {
    Url::parse(url).map_err(|error| format!("`{url}`: {error}"))
}

impl fmt::Display for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One => "HTTP/1.1",
            Self::Two => "HTTP/2",
        })
    }
}
