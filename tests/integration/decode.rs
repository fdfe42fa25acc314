//! Our reading of Envoy's message agrees with the whole of it.

use bytes::Bytes;
use envoy_types::pb::envoy::{
    config::core::v3::{HeaderMap, HeaderValue},
    service::auth::v3::{AttributeContext, CheckRequest, attribute_context},
};
use proptest::prelude::*;
use prost::Message;
use serde_json::Value;
use stepgate::proto;

use crate::captures;

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z:-]{0,12}", "\\PC{0,12}"]
}

fn header_values() -> impl Strategy<Value = Vec<HeaderValue>> {
    let value = (text(), text(), prop::collection::vec(any::<u8>(), 0..12));
    let value = value.prop_map(|(key, value, raw_value)| HeaderValue {
        key,
        value,
        raw_value,
    });
    prop::collection::vec(value, 0..6)
}

fn http_request() -> impl Strategy<Value = attribute_context::HttpRequest> {
    let map = prop::collection::hash_map(text(), text(), 0..6);
    let raw = prop::option::of(header_values());
    (text(), text(), text(), text(), map, raw, text()).prop_map(
        |(method, path, host, scheme, headers, raw, body)| attribute_context::HttpRequest {
            id: "1".into(),
            method,
            headers,
            path,
            host,
            scheme,
            body,
            header_map: raw.map(|headers| HeaderMap { headers }),
            ..attribute_context::HttpRequest::default()
        },
    )
}

fn check_request() -> impl Strategy<Value = CheckRequest> {
    let context = prop::collection::hash_map(text(), text(), 0..4);
    (http_request(), context).prop_map(|(http, context_extensions)| CheckRequest {
        attributes: Some(AttributeContext {
            request: Some(attribute_context::Request {
                http: Some(http),
                ..Default::default()
            }),
            context_extensions,
            ..AttributeContext::default()
        }),
    })
}

fn ours(bytes: impl Into<Bytes>) -> proto::AttributeContext {
    proto::CheckRequest::decode(bytes.into())
        .unwrap()
        .attributes
        .unwrap()
}

fn sorted(entries: impl IntoIterator<Item = (Bytes, Bytes)>) -> Vec<(Bytes, Bytes)> {
    let mut entries: Vec<_> = entries.into_iter().collect();
    entries.sort();
    entries
}

fn pairs(entries: Vec<proto::Entry>) -> Vec<(Bytes, Bytes)> {
    sorted(entries.into_iter().map(|entry| (entry.key, entry.value)))
}

fn map(entries: impl IntoIterator<Item = (String, String)>) -> Vec<(Bytes, Bytes)> {
    sorted(
        entries
            .into_iter()
            .map(|(key, value)| (key.into(), value.into())),
    )
}

proptest! {
    #[test]
    fn what_envoy_types_encodes_we_decode(request in check_request()) {
        let decoded = ours(request.encode_to_vec());
        let attributes = request.attributes.unwrap();
        let http = attributes.request.unwrap().http.unwrap();
        prop_assert_eq!(pairs(decoded.context_extensions), map(attributes.context_extensions));
        let found = decoded.request.unwrap().http.unwrap();
        prop_assert_eq!(found.method, http.method);
        prop_assert_eq!(found.path, http.path);
        prop_assert_eq!(found.host, http.host);
        prop_assert_eq!(found.scheme, http.scheme);
        prop_assert_eq!(found.body, http.body);
        prop_assert_eq!(found.raw_body, http.raw_body);
        prop_assert_eq!(pairs(found.headers), map(http.headers));
        let raw = |value: HeaderValue| (value.key.into(), value.value.into(), value.raw_value.into());
        let expected: Option<Vec<(Bytes, Bytes, Bytes)>> =
            http.header_map.map(|map| map.headers.into_iter().map(raw).collect());
        let found = found.header_map.map(|map| {
            map.headers.into_iter().map(|value| (value.key, value.value, value.raw_value)).collect()
        });
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = proto::CheckRequest::decode(Bytes::from(bytes));
    }
}

#[test]
fn every_captured_check_decodes_to_what_envoy_meant() {
    for capture in captures::all() {
        let Some(bytes) = capture.check_request else {
            continue;
        };
        let http = ours(bytes).request.unwrap().http.unwrap();
        let expected = &capture.expected["attributes"]["request"]["http"];
        for (found, key) in [
            (http.method, "method"),
            (http.path, "path"),
            (http.host, "host"),
            (http.scheme, "scheme"),
        ] {
            // A byte that is not UTF-8 shows as a replacement in the JSON.
            assert_eq!(
                String::from_utf8_lossy(&found),
                expected[key].as_str().unwrap_or(""),
                "{} {key}",
                capture.name
            );
        }
        let count = |value: &Value| value.as_object().map_or(0, serde_json::Map::len);
        assert_eq!(
            http.headers.len(),
            count(&expected["headers"]),
            "{}",
            capture.name
        );
        let raw = expected["header_map"]["headers"]
            .as_array()
            .map_or(0, Vec::len);
        assert_eq!(
            http.header_map.map_or(0, |map| map.headers.len()),
            raw,
            "{}",
            capture.name
        );
    }
}
