//! An answer: status, headers, body, in the forms Kratos writes them.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::asked::Asked;
use super::errors::Fault;

/// An answer that a room gives.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn new(status: StatusCode, kind: Option<&'static str>, body: String) -> Self {
        let mut headers = HeaderMap::new();
        if let Some(kind) = kind {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        Self {
            status,
            headers,
            body,
        }
    }

    /// A status alone.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self::new(status, None, String::new())
    }

    /// A good answer.
    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self::new(
            status,
            Some("application/json; charset=utf-8"),
            go_json(body),
        )
    }

    /// An answer of the router itself (K-20, K-111).
    pub(crate) fn text(status: StatusCode, body: &str) -> Self {
        Self::new(status, Some("text/plain; charset=utf-8"), body.to_owned())
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
    }

    /// An error in JSON.
    pub(crate) fn fault(asked: &Asked, fault: &Fault) -> Self {
        let body = go_json(&fault.body(asked.request_id()));
        Self::new(fault.status(), Some("application/json"), body)
            .header(HeaderName::from_static("ory-error-id"), fault.id())
    }

    /// 303 to `location`.
    pub(crate) fn see_other(asked: &Asked, location: &str) -> Self {
        Self::redirect(asked, StatusCode::SEE_OTHER, location)
    }

    /// A redirect; only a GET or HEAD gets the little page.
    pub(crate) fn redirect(asked: &Asked, status: StatusCode, location: &str) -> Self {
        let reads = asked.method == "GET" || asked.method == "HEAD";
        let words = status.canonical_reason().unwrap_or_default();
        let page = format!("<a href=\"{}\">{words}</a>.\n\n", html_escape(location));
        let answer = match reads {
            true => Self::new(status, Some("text/html; charset=utf-8"), page),
            false => Self::empty(status),
        };
        answer.header(header::LOCATION, &ascii(location))
    }

    /// Adds a header; a value that can't be one is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// Adds a cookie.
    pub(crate) fn cookie(self, cookie: &str) -> Self {
        self.header(header::SET_COOKIE, cookie)
    }

    /// Adds a cookie if there is one.
    pub(crate) fn maybe_cookie(self, cookie: Option<&str>) -> Self {
        match cookie {
            Some(cookie) => self.cookie(cookie),
            None => self,
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// A `Location` that isn't ASCII is escaped byte by byte, in small letters (K-62).
fn ascii(location: &str) -> String {
    let mut text = String::with_capacity(location.len());
    for byte in location.bytes() {
        match byte {
            b'\r' | b'\n' => text.push(' '),
            0x80.. => text.push_str(&format!("%{byte:02x}")),
            _ => text.push(char::from(byte)),
        }
    }
    text
}

/// JSON as Go writes it: three characters escaped for the sake of HTML, and a line end.
fn go_json(body: &Value) -> String {
    let text = body.to_string();
    let text = text
        .replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e");
    format!("{text}\n")
}

fn html_escape(text: &str) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    text.replace('"', "&#34;").replace('\'', "&#39;")
}
