//! The facts of a request, normalised once. Both doors build it through [`Request::parse`]; inside, nothing is checked twice.

use bytes::Bytes;
use http::Method;
use percent_encoding::percent_decode;

use super::{
    headers::Headers,
    host::Authority,
    path::{Path, PathOptions},
    pattern::parse_method,
    reason::Malformed,
};

/// Headers, in any spelling, that ask an application to take a request for one with another method.
const METHOD_OVERRIDES: [&str; 3] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
];

/// What a door saw, before any of it is believed.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The method's text.
    pub method: Bytes,
    /// The host, perhaps with a port.
    pub host: Bytes,
    /// The path with its query.
    pub target: Bytes,
    /// The headers.
    pub headers: Headers,
    /// What the operator wrote on the route: Envoy's `context_extensions`.
    pub context: Vec<(Bytes, Bytes)>,
    /// What the proxy does to the request's headers on an allow.
    pub reach: Reach,
}

/// How far an allow reaches into the headers that go upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Not at all, for all that is known.
    #[default]
    None,
    /// Ours are copied over those of the same name; other spellings stay.
    Copies,
    /// Ours are set, and whatever we name is taken away.
    Edits,
}

/// A request that can be judged.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Host and port.
    pub authority: Authority,
    /// The path, decoded once.
    pub path: Path,
    /// Path and query exactly as received: no control byte, no blank, no `#`.
    pub target: Bytes,
    /// For a CORS preflight, the method that it asks about.
    pub preflight: Option<Method>,
}

impl Request {
    /// Reads the facts.
    ///
    /// # Errors
    /// [`Malformed`], which becomes a 400.
    pub fn parse(facts: &Facts, options: PathOptions) -> Result<Self, Malformed> {
        let authority = Authority::parse(&facts.host)?;
        let path = Path::parse(&facts.target, options)?;
        let method = parse_method(&facts.method).ok_or(Malformed::Method)?;
        refuse_overrides(facts)?;
        let preflight = preflight(&method, &facts.headers)?;
        Ok(Self {
            method,
            authority,
            path,
            target: facts.target.clone(),
            preflight,
        })
    }

    /// Whether a link repeats this request.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    /// The method whose rule holds: for a preflight, the one that it asks about.
    #[must_use]
    pub fn judged_method(&self) -> &Method {
        self.preflight.as_ref().unwrap_or(&self.method)
    }
}

/// An `OPTIONS` with an `Origin` that asks about a method.
fn preflight(method: &Method, headers: &Headers) -> Result<Option<Method>, Malformed> {
    let asked = headers.first(b"access-control-request-method");
    match (
        method == Method::OPTIONS && headers.first(b"origin").is_some(),
        asked,
    ) {
        (true, Some(asked)) => parse_method(asked).map(Some).ok_or(Malformed::Method),
        _ => Ok(None),
    }
}

fn refuse_overrides(facts: &Facts) -> Result<(), Malformed> {
    let in_header = facts.headers.names().any(|name| {
        METHOD_OVERRIDES
            .iter()
            .any(|known| is_spelling_of(name, known))
    });
    if in_header || names_method(&facts.target) {
        return Err(Malformed::MethodOverride);
    }
    Ok(())
}

/// Whether a header name is this one with `_` or `.` for `-`, which some servers don't tell apart.
#[must_use]
pub(super) fn is_spelling_of(name: &[u8], known: &str) -> bool {
    let plain = |&b: &u8| {
        if b == b'_' || b == b'.' {
            b'-'
        } else {
            b.to_ascii_lowercase()
        }
    };
    name.len() == known.len() && name.iter().map(plain).eq(known.bytes())
}

/// Whether the query holds a field named `_method`.
fn names_method(target: &[u8]) -> bool {
    let query = target.splitn(2, |&b| b == b'?').nth(1).unwrap_or_default();
    let names = query
        .split(|&b| b == b'&' || b == b';')
        .map(|pair| pair.split(|&b| b == b'=').next().unwrap_or_default());
    names
        .map(|name| percent_decode(name))
        .any(|name| name.eq(b"_method".iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(method: &str, target: &str, headers: &[(&str, &str)]) -> Facts {
        Facts {
            method: Bytes::copy_from_slice(method.as_bytes()),
            host: Bytes::from_static(b"app.test"),
            target: Bytes::copy_from_slice(target.as_bytes()),
            headers: Headers::from_lines(headers),
            ..Facts::default()
        }
    }

    fn parse(method: &str, target: &str, headers: &[(&str, &str)]) -> Result<Request, Malformed> {
        Request::parse(&facts(method, target, headers), PathOptions::default())
    }

    #[test]
    fn a_method_is_a_token_of_upper_case_letters() {
        assert!(parse("GET", "/", &[]).is_ok());
        assert!(parse("VERSION-CONTROL", "/", &[]).is_ok());
        for method in ["get", "", "G T", "GET1", "PÖST"] {
            assert_eq!(
                parse(method, "/", &[]).unwrap_err(),
                Malformed::Method,
                "{method}"
            );
        }
    }

    #[test]
    fn a_method_override_is_refused_in_every_spelling() {
        for name in [
            "x-http-method-override",
            "X_HTTP_METHOD",
            "x.method-override",
        ] {
            assert_eq!(
                parse("POST", "/", &[(name, "DELETE")]).unwrap_err(),
                Malformed::MethodOverride,
                "{name}"
            );
        }
        for target in [
            "/?_method=PUT",
            "/?a=1&_method=PUT",
            "/?%5fmethod=PUT",
            "/?a;_method=PUT",
        ] {
            assert_eq!(
                parse("POST", target, &[]).unwrap_err(),
                Malformed::MethodOverride,
                "{target}"
            );
        }
        assert!(parse("POST", "/_method?a_method=1", &[]).is_ok());
    }

    #[test]
    fn a_preflight_is_judged_for_the_method_it_asks_about() {
        let lines = [
            ("origin", "https://x.test"),
            ("access-control-request-method", "DELETE"),
        ];
        assert_eq!(
            parse("OPTIONS", "/", &lines).unwrap().judged_method(),
            Method::DELETE
        );
        assert_eq!(
            parse("OPTIONS", "/", &lines[..1]).unwrap().judged_method(),
            Method::OPTIONS
        );
        assert_eq!(
            parse("GET", "/", &lines).unwrap().judged_method(),
            Method::GET
        );
    }
}
