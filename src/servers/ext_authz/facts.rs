//! From Envoy's message to the facts of a request.

use bytes::Bytes;

use crate::{
    domain::{
        headers::Headers,
        request::{Facts, Reach},
    },
    proto::{CheckRequest, Entry, HeaderMap, HeaderValue},
};

/// The facts in a message. What it leaves out is empty, and so refused as malformed.
pub(super) fn of(check: CheckRequest) -> Facts {
    let attributes = check.attributes.unwrap_or_default();
    let http = attributes
        .request
        .and_then(|request| request.http)
        .unwrap_or_default();
    let headers = headers(http.headers, http.header_map);
    Facts {
        method: http.method,
        host: http.host,
        target: target(http.path, &headers),
        headers,
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
}
