//! Every request that the project keeps, as bytes for both doors.

use std::collections::HashMap;

use bytes::Bytes;
use envoy_types::pb::envoy::{
    config::core::v3::{HeaderMap, HeaderValue},
    service::auth::v3::{
        AttributeContext, CheckRequest,
        attribute_context::{HttpRequest, Request},
    },
};
use percent_encoding::percent_decode;
use prost::Message as _;
use stepgate::{
    cli::cases::Suite,
    domain::{headers::Headers, request::Facts},
};

use crate::{captures, cases::files, hostile};

/// One request.
pub(super) struct Input {
    facts: Facts,
    body: Vec<u8>,
    /// What Envoy made of it, where it is a capture.
    captured: Option<Bytes>,
}

/// All of them. Cases are asked with one of these credentials after the other; where there is no query, it gets one.
pub(super) fn all(credentials: &[String]) -> Vec<Input> {
    let mut credential = credentials.iter().cycle();
    let mut inputs: Vec<Input> = captures::all()
        .into_iter()
        .filter_map(|capture| capture.check_request)
        .map(captured)
        .collect();
    for (path, text) in files::all() {
        let suite = Suite::parse(&path, &text).unwrap();
        for case in &suite.cases {
            let facts = suite.facts(case, credential.next().unwrap());
            inputs.push(marked(facts, inputs.len()));
        }
    }
    for class in hostile::classes() {
        for input in &class.inputs {
            let facts = hostile::facts(class.place, input);
            inputs.push(marked(facts, inputs.len()));
        }
    }
    inputs
}

fn marked(mut facts: Facts, number: usize) -> Input {
    if !facts.target.contains(&b'?') && !facts.target.contains(&b'#') {
        let query = format!("?q=marked-query-{number:05}");
        facts.target = [&*facts.target, query.as_bytes()].concat().into();
    }
    Input {
        facts,
        body: format!("marked-body-{number:05}").into_bytes(),
        captured: None,
    }
}

fn captured(message: Bytes) -> Input {
    let check = CheckRequest::decode(&*message).unwrap();
    let http = check.attributes.unwrap().request.unwrap().http.unwrap();
    let map = http.headers.into_iter();
    let map = map.map(|(name, value)| (name.into(), value.into()));
    let raw = http.header_map.unwrap_or_default().headers.into_iter();
    let raw = raw.map(|header| {
        let value = [header.value.into_bytes(), header.raw_value].concat();
        (header.key.into(), value.into())
    });
    Input {
        facts: Facts {
            method: http.method.into(),
            host: http.host.into(),
            target: http.path.into(),
            headers: Headers::raw(map.chain(raw).collect()),
            ..Facts::default()
        },
        body: [http.body.into_bytes(), http.raw_body].concat(),
        captured: Some(message),
    }
}

/// Every header line.
pub(super) fn lines(facts: &Facts) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut names: Vec<&[u8]> = facts.headers.names().collect();
    names.sort_unstable();
    names.dedup();
    let of = |name: &[u8]| {
        let values: Vec<_> = facts.headers.all(name).map(<[u8]>::to_vec).collect();
        values
            .into_iter()
            .map(|value| (name.to_vec(), value))
            .collect::<Vec<_>>()
    };
    names.into_iter().flat_map(of).collect()
}

impl Input {
    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// What an output may hold of it: method, host, and the path as it is and decoded.
    pub(super) fn open(&self) -> Vec<u8> {
        let mut path = self.facts.target.split(|&b| b == b'?');
        let path = path.next().unwrap_or_default();
        let decoded: Vec<u8> = percent_decode(path).collect();
        [&*self.facts.method, &*self.facts.host, path, &*decoded].join(b"\n".as_slice())
    }

    /// As Envoy tells it.
    pub(super) fn message(&self) -> Vec<u8> {
        if let Some(captured) = &self.captured {
            return captured.to_vec();
        }
        let mut http = HttpRequest {
            method: text(&self.facts.method),
            host: text(&self.facts.host),
            path: text(&self.facts.target),
            raw_body: self.body.clone(),
            ..HttpRequest::default()
        };
        let lines = lines(&self.facts).into_iter();
        if self.facts.headers.are_joined() {
            let lines = lines.map(|(name, value)| (text(&name), text(&value)));
            http.headers = lines.collect::<HashMap<_, _>>();
        } else {
            let headers = lines.map(|(name, raw_value)| HeaderValue {
                key: text(&name),
                raw_value,
                ..HeaderValue::default()
            });
            http.header_map = Some(HeaderMap {
                headers: headers.collect(),
            });
        }
        let context = self.facts.context.iter();
        let check = CheckRequest {
            attributes: Some(AttributeContext {
                request: Some(Request {
                    http: Some(http),
                    ..Request::default()
                }),
                context_extensions: context
                    .map(|(key, value)| (text(key), text(value)))
                    .collect(),
                ..AttributeContext::default()
            }),
        };
        check.encode_to_vec()
    }

    /// As Traefik or Caddy tells it, byte for byte.
    pub(super) fn head(&self) -> Vec<u8> {
        let mut head = b"GET /forward-auth HTTP/1.1\r\nconnection: close\r\n".to_vec();
        let facts = &self.facts;
        let told: [(&[u8], &[u8]); 4] = [
            (b"host", b"stepgate.test"),
            (b"x-forwarded-method", &facts.method),
            (b"x-forwarded-host", &facts.host),
            (b"x-forwarded-uri", &facts.target),
        ];
        let told = told.map(|(name, value)| (name.to_vec(), value.to_vec()));
        for (name, value) in told.into_iter().chain(lines(facts)) {
            head.extend([&*name, b": ", &*value, b"\r\n"].concat());
        }
        head.extend(b"\r\n");
        head
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
