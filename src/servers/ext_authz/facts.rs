//! From Envoy's message to the facts of a request.

use bytes::Bytes;

use crate::{
    domain::{
        body::Body,
        headers::Headers,
        request::{Facts, Reach},
    },
    proto::{CheckRequest, Entry, HeaderMap, HeaderValue},
    telemetry::traces,
};

/// The trace that the check itself is part of, where anybody asks: Envoy tells of its own span there.
pub(super) fn trace(metadata: &http::HeaderMap) -> Headers {
    if !traces::are_on() {
        return Headers::default();
    }
    let lines = ["traceparent", "tracestate"].into_iter().flat_map(|name| {
        let values = metadata.get_all(name).iter();
        values.map(move |value| {
            let value = Bytes::copy_from_slice(value.as_bytes());
            (Bytes::from_static(name.as_bytes()), value)
        })
    });
    Headers::raw(lines.collect())
}

/// The facts in a message. What it leaves out is empty, and so refused as malformed.
pub(super) fn of(check: CheckRequest) -> Facts {
    let attributes = check.attributes.unwrap_or_default();
    let http = attributes
        .request
        .and_then(|request| request.http)
        .unwrap_or_default();
    let headers = headers(http.headers, http.header_map);
    Facts {
        body: body(http.body, http.raw_body, &headers),
        method: http.method,
        host: http.host,
        target: target(http.path, &headers),
        headers,
        trace: Headers::default(),
        context: attributes
            .context_extensions
            .into_iter()
            .map(Entry::into_pair)
            .collect(),
        reach: Reach::Edits,
    }
}

/// The path as the upstream gets it. Where a byte of it is not UTF-8, Envoy writes `!` for that in `path`; raw headers have
/// the byte itself.
fn target(path: Bytes, headers: &Headers) -> Bytes {
    let raw = headers.first(b":path").filter(|_| !headers.are_joined());
    match raw {
        Some(raw) if raw != path => Bytes::copy_from_slice(raw),
        _ => path,
    }
}

/// The body, where Envoy says that it is whole and nothing speaks against that. What it sends as text holds `!` for each
/// byte that is not UTF-8, so there a `!` may be anything.
fn body(text: Bytes, raw: Bytes, headers: &Headers) -> Option<Body> {
    let is_exact = text.is_empty() || !text.contains(&b'!');
    let body = if raw.is_empty() { text } else { raw };
    let mut partial = headers.all(b"x-envoy-auth-partial-body");
    let is_whole = partial.next() == Some(b"false") && partial.next().is_none();
    let told = |length: &[u8]| length == body.len().to_string().as_bytes();
    let fits = headers.all(b"content-length").all(told);
    Body::new(body).filter(|_| is_exact && is_whole && fits)
}

/// Envoy fills one of the two. Unless only raw lines are there, a comma may stand for a line's end.
fn headers(map: Vec<Entry>, raw: Option<HeaderMap>) -> Headers {
    let joined = !map.is_empty() || raw.is_none();
    let mut lines: Vec<_> = map.into_iter().map(Entry::into_pair).collect();
    let raw = raw.unwrap_or_default().headers;
    lines.extend(raw.into_iter().map(HeaderValue::into_pair));
    if joined {
        Headers::joined(lines)
    } else {
        Headers::raw(lines)
    }
}

impl Entry {
    fn into_pair(self) -> (Bytes, Bytes) {
        (self.key, self.value)
    }
}

impl HeaderValue {
    fn into_pair(self) -> (Bytes, Bytes) {
        let value = if self.raw_value.is_empty() {
            self.value
        } else {
            self.raw_value
        };
        (self.key, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::attribute_context::{HttpRequest, Request};

    fn lines(lines: &[(&str, &str)]) -> Vec<Entry> {
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        let entry = |&(key, value): &(&str, &str)| Entry {
            key: bytes(key),
            value: bytes(value),
        };
        lines.iter().map(entry).collect()
    }

    fn facts(http: HttpRequest) -> Facts {
        let request = Some(Request { http: Some(http) });
        let attributes = Some(crate::proto::AttributeContext {
            request,
            ..Default::default()
        });
        of(CheckRequest { attributes })
    }

    #[test]
    fn raw_headers_have_the_path_that_the_upstream_gets() {
        let line = HeaderValue {
            key: ":path".into(),
            raw_value: Bytes::from_static(b"/a\xa0"),
            ..HeaderValue::default()
        };
        let raw = HttpRequest {
            path: "/a!".into(),
            header_map: Some(HeaderMap {
                headers: vec![line],
            }),
            ..HttpRequest::default()
        };
        assert_eq!(&*facts(raw.clone()).target, b"/a\xa0");
        let entry = Entry {
            key: "a".into(),
            value: Bytes::new(),
        };
        let both = HttpRequest {
            headers: vec![entry],
            ..raw
        };
        let both = facts(both);
        assert_eq!(&*both.target, b"/a!");
        assert!(both.headers.are_joined());
        assert!(facts(HttpRequest::default()).headers.are_joined());
    }

    #[test]
    fn a_body_is_there_only_where_envoy_says_that_it_is_whole() {
        let body = |text: &'static str, raw: &'static [u8], told: &[(&str, &str)]| {
            facts(HttpRequest {
                body: text.into(),
                raw_body: raw.into(),
                headers: lines(told),
                ..HttpRequest::default()
            })
            .body
            .map(|body| body.to_vec())
        };
        let whole = ("x-envoy-auth-partial-body", "false");
        assert_eq!(body("a=1", b"", &[whole]), Some(b"a=1".to_vec()));
        assert_eq!(
            body("", b"a=\xff!", &[whole, ("content-length", "4")]),
            Some(b"a=\xff!".to_vec())
        );
        assert_eq!(body("a=1", b"", &[]), None);
        assert_eq!(body("", b"", &[whole]), None);
        assert_eq!(body("a=!", b"", &[whole]), None);
        assert_eq!(body("a=1", b"", &[whole, ("content-length", "4")]), None);
        let partial = ("x-envoy-auth-partial-body", "true");
        assert_eq!(body("a=1", b"", &[partial]), None);
        // A client's own line beside Envoy's.
        assert_eq!(body("a=1", b"", &[whole, partial]), None);
        assert_eq!(body("a=1", b"", &[whole, whole]), None);
    }
}
