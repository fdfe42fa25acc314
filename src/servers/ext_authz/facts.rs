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
    Facts {
        method: http.method,
        host: http.host,
        target: http.path,
        headers: headers(http.headers, http.header_map),
        context: attributes
            .context_extensions
            .into_iter()
            .map(Entry::into_pair)
            .collect(),
        reach: Reach::Edits,
    }
}

/// Envoy fills one of the two. Should both be there, a comma may stand for a line's end in some of them.
fn headers(map: Vec<Entry>, raw: Option<HeaderMap>) -> Headers {
    let joined = !map.is_empty();
    let map = map.into_iter().map(Entry::into_pair);
    let raw = raw
        .unwrap_or_default()
        .headers
        .into_iter()
        .map(HeaderValue::into_pair);
    let lines = map.chain(raw).collect();
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
