//! A request as the double's rooms read it: Go's view of query, cookies and wishes.

use std::net::SocketAddr;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::go_url::query_value;

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Raw, without `?`.
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) peer: SocketAddr,
    /// What the route's placeholders matched.
    pub(crate) captured: Vec<String>,
}

impl Asked {
    /// The first value of `name` in the query, if it isn't empty.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        query_value(&self.query, name).filter(|value| !value.is_empty())
    }

    /// The first header of that name, if it is text and not empty.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .filter(|value| !value.is_empty())
    }

    /// The id in the path, if it is one.
    pub(crate) fn id(&self) -> Option<Uuid> {
        self.captured
            .first()
            .and_then(|id| Uuid::parse_str(id).ok())
    }

    /// Go's `X-Request-ID`, which errors repeat (K-22).
    pub(crate) fn request_id(&self) -> Option<&str> {
        self.header("x-request-id")
    }

    /// The URL as Kratos thinks it was asked (K-89): any host and scheme a client names.
    pub(crate) fn url(&self) -> String {
        let host = self
            .header("x-forwarded-host")
            .or_else(|| self.header("host"))
            .unwrap_or_default();
        let scheme = self.header("x-forwarded-proto").unwrap_or("http");
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{scheme}://{host}{}{mark}{}", self.path, self.query)
    }

    /// The cookies in order: bad pairs are left out, a quoted value loses its quotes (K-18).
    pub(crate) fn cookies(&self) -> Vec<(String, String)> {
        let lines = self.headers.get_all("cookie").iter();
        lines
            .flat_map(|line| line.as_bytes().split(|&byte| byte == b';'))
            .filter_map(cookie)
            .collect()
    }

    /// `IsJSONRequest`: an answer in JSON is wanted (K-51).
    pub(crate) fn is_json(&self) -> bool {
        self.negotiate(&["text/html", "text/*", "*/*", "application/json"]) == "application/json"
            || self.header("content-type") == Some("application/json")
    }

    /// The narrower question Kratos asks before some redirects: by `Accept` alone.
    pub(crate) fn accepts_json(&self) -> bool {
        self.negotiate(&["text/html", "application/json"]) == "application/json"
    }

    fn negotiate(&self, offers: &[&'static str]) -> &'static str {
        let accepted: Vec<(String, f32)> = self.accepted();
        let (mut best, mut quality, mut wildness) = ("text/html", -1.0_f32, 3_u8);
        for offer in offers {
            for (range, q) in &accepted {
                let wild = match range.strip_suffix('*') {
                    Some("*/") => 2,
                    Some(prefix) if prefix.ends_with('/') && offer.starts_with(prefix) => 1,
                    _ if range == offer => 0,
                    _ => continue,
                };
                if *q > 0.0 && (*q > quality || (*q >= quality && wildness > wild)) {
                    (best, quality, wildness) = (offer, *q, wild);
                }
            }
        }
        best
    }

    fn accepted(&self) -> Vec<(String, f32)> {
        let lines = self
            .headers
            .get_all("accept")
            .iter()
            .filter_map(|line| line.to_str().ok());
        lines
            .flat_map(|line| line.split(','))
            .map(|part| {
                let mut pieces = part.split(';').map(str::trim);
                let range = pieces.next().unwrap_or_default().to_ascii_lowercase();
                let quality = pieces.find_map(|piece| piece.strip_prefix("q=")?.parse().ok());
                (range, quality.unwrap_or(1.0))
            })
            .collect()
    }

    /// The fields of a submitted form, JSON or urlencoded.
    pub(crate) fn fields(&self) -> Fields {
        if self
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/json"))
        {
            let body: Option<Value> = serde_json::from_slice(&self.body).ok();
            return Fields(
                body.and_then(|body| body.as_object().cloned())
                    .unwrap_or_default(),
            );
        }
        let mut fields = Map::new();
        for (name, value) in url::form_urlencoded::parse(&self.body) {
            fields
                .entry(name.into_owned())
                .or_insert_with(|| Value::from(value.into_owned()));
        }
        Fields(fields)
    }
}

fn cookie(pair: &[u8]) -> Option<(String, String)> {
    let pair = pair.trim_ascii();
    let at = pair.iter().position(|&byte| byte == b'=')?;
    let (name, value) = (
        pair.get(..at)?.trim_ascii(),
        pair.get(at.checked_add(1)?..)?,
    );
    let value = match value {
        [b'"', inner @ .., b'"'] => inner,
        _ => value,
    };
    let fits = !name.is_empty()
        && name.iter().all(|&byte| is_token(byte))
        && value.iter().all(|&byte| is_value(byte));
    fits.then(|| {
        (
            String::from_utf8_lossy(name).into_owned(),
            String::from_utf8_lossy(value).into_owned(),
        )
    })
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_value(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte) && !b"\";\\".contains(&byte)
}

/// What was submitted.
#[derive(Clone, Debug)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// A text field, if it isn't empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    /// A button, or a switch.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(set)) => *set,
            Some(Value::String(text)) => text == "true",
            _ => false,
        }
    }

    /// The members below `name`, or the fields `name.…` of a form.
    pub(crate) fn below(&self, name: &str) -> Map<String, Value> {
        if let Some(members) = self.0.get(name).and_then(Value::as_object) {
            return members.clone();
        }
        let fields = self.0.iter();
        fields
            .filter_map(|(field, value)| {
                Some((
                    field.strip_prefix(name)?.strip_prefix('.')?.to_owned(),
                    value.clone(),
                ))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn asked(headers: &[(&'static str, &'static str)]) -> Asked {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Asked {
            method: Method::GET,
            path: String::from("/a"),
            query: String::new(),
            headers: map,
            body: Bytes::new(),
            peer: SocketAddr::from(([127, 0, 0, 1], 1)),
            captured: Vec::new(),
        }
    }

    #[test]
    fn json_is_answered_only_where_it_is_preferred() {
        for (accept, json) in [
            ("*/*", false),
            ("application/json", true),
            ("application/json, text/plain, */*", true),
            ("text/html, application/json", false),
            ("application/json;q=0.5, text/html;q=0.9", false),
            ("image/avif,image/webp,*/*;q=0.8", false),
            ("text/event-stream", false),
        ] {
            assert_eq!(asked(&[("accept", accept)]).is_json(), json, "{accept}");
        }
        assert!(!asked(&[]).is_json());
        assert!(asked(&[("accept", "*/*"), ("content-type", "application/json")]).is_json());
    }

    #[test]
    fn cookies_survive_bad_neighbours() {
        for line in [
            "a=1;s=v;b=2",
            "bad cookie name=1; =x; ;; s=v",
            "s=\"v\"",
            "x=\u{e9}; s=v",
        ] {
            let cookies = asked(&[("cookie", line)]).cookies();
            assert!(
                cookies.contains(&(String::from("s"), String::from("v"))),
                "{line}"
            );
        }
    }

    #[test]
    fn a_forwarded_host_is_taken_for_the_request_s() {
        let asked = asked(&[
            ("host", "a:1"),
            ("x-forwarded-host", "b"),
            ("x-forwarded-proto", "https"),
        ]);
        assert_eq!(asked.url(), "https://b/a");
    }
}
