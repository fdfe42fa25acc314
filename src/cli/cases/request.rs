//! A case's request, as written: nothing in it is normalised, so that a door meets what the case says.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_saphyr::Spanned;

use super::shape;
use crate::{
    config::Collector,
    domain::{
        body::Body,
        credential::CredentialKind,
        headers::Headers,
        request::{Facts, Reach},
    },
};

/// What stands in a header for the credential that Kratos knows.
const SESSION: &str = "{session}";

/// A request, its credential still open.
#[derive(Debug)]
pub(in crate::cli) struct Request {
    method: String,
    host: String,
    target: String,
    /// By name, in lower case; each with its lines.
    headers: BTreeMap<String, Vec<String>>,
    context: BTreeMap<String, String>,
    joined: bool,
    /// Whole, and empty where there is none.
    body: String,
}

/// The request that is written, or `None` after noting why there is none.
pub(super) fn check(faults: &mut Collector, written: &Spanned<shape::Request>) -> Option<Request> {
    let request = &written.value;
    let address = match (&request.url, &request.host, &request.target) {
        (Some(url), None, None) => {
            let parts = split(&url.value);
            if parts.is_none() {
                faults.add(url.referenced, "`url` is `https://` or `http://`, a host, and a path; anything else is written as `host` and `target`");
            }
            parts
        }
        (None, Some(host), Some(target)) => Some((host.clone(), target.clone())),
        _ => {
            faults.add(
                written.referenced,
                "a request has a `url`, or a `host` and a `target` in its place",
            );
            None
        }
    };
    let (host, target) = address?;
    let headers = request.headers.iter();
    Some(Request {
        method: request.method.clone().unwrap_or_else(|| "GET".to_owned()),
        host,
        target,
        headers: headers
            .map(|(name, lines)| (name.to_ascii_lowercase(), lines.clone().into_vec()))
            .collect(),
        context: request.context_extensions.clone(),
        joined: request.joined,
        body: request.body.clone(),
    })
}

/// Host and target of an address, byte for byte.
fn split(url: &str) -> Option<(String, String)> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, target) = rest.split_at_checked(end)?;
    let slash = if target.starts_with('/') { "" } else { "/" };
    (!host.is_empty()).then(|| (host.to_owned(), format!("{slash}{target}")))
}

impl Request {
    /// A request for an address as it is written; `None` where that is none.
    pub(in crate::cli) fn new(
        method: &str,
        url: &str,
        headers: &[(String, String)],
        context: &[(String, String)],
    ) -> Option<Self> {
        let (host, target) = split(url)?;
        let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            lines.entry(name).or_default().push(value.clone());
        }
        Some(Self {
            method: method.to_owned(),
            host,
            target,
            headers: lines,
            context: context.iter().cloned().collect(),
            joined: false,
            body: String::new(),
        })
    }

    pub(in crate::cli) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn is_joined(&self) -> bool {
        self.joined
    }

    /// A token where `{session}` stands outside the `Cookie` header, else a cookie.
    pub(super) fn credential(&self) -> CredentialKind {
        let mut holders = self.headers.iter().filter(|(_, lines)| holds(lines));
        match holders.next() {
            Some((name, _)) if name == "authorization" => CredentialKind::Bearer,
            Some((name, _)) if name != "cookie" => CredentialKind::SessionToken,
            _ => CredentialKind::Cookie,
        }
    }

    /// The facts; the credential goes where `{session}` stands, else into this cookie, if there is one.
    pub(in crate::cli) fn facts(&self, cookie: Option<&str>, credential: &str) -> Facts {
        let mut headers = self.headers.clone();
        let is_placed = headers.values().any(|lines| holds(lines));
        if let Some(cookie) = cookie.filter(|_| !is_placed) {
            add_cookie(&mut headers, cookie);
        }
        let lines = headers.into_iter().flat_map(|(name, lines)| {
            let lines = lines
                .into_iter()
                .map(|line| line.replace(SESSION, credential));
            let lines = if self.joined {
                vec![lines.collect::<Vec<_>>().join(",")]
            } else {
                lines.collect()
            };
            lines
                .into_iter()
                .map(move |line| (name.clone().into(), line.into()))
        });
        let lines = lines.collect();
        Facts {
            method: self.method.clone().into(),
            host: self.host.clone().into(),
            target: self.target.clone().into(),
            headers: if self.joined {
                Headers::joined(lines)
            } else {
                Headers::raw(lines)
            },
            context: self.context.iter().map(bytes).collect(),
            body: Body::new(self.body.clone().into()),
            // As Envoy does over gRPC.
            reach: Reach::Edits,
            trace: Headers::default(),
        }
    }
}

fn holds(lines: &[String]) -> bool {
    lines.iter().any(|line| line.contains(SESSION))
}

/// Beside the cookies that are there already, as a browser sends them.
fn add_cookie(headers: &mut BTreeMap<String, Vec<String>>, name: &str) {
    let lines = headers.entry("cookie".to_owned()).or_default();
    match lines.last_mut() {
        Some(line) => *line = format!("{line}; {name}={SESSION}"),
        None => lines.push(format!("{name}={SESSION}")),
    }
}

fn bytes((key, value): (&String, &String)) -> (Bytes, Bytes) {
    (key.clone().into(), value.clone().into())
}
