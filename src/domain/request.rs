//! The facts of a request, normalised once. Both doors build it through [`Request::parse`]; inside, nothing is checked twice.

use bytes::Bytes;
use http::Method;
use percent_encoding::percent_decode;

use super::{
    body::Body,
    headers::Headers,
    host::Authority,
    path::{Path, PathError, PathOptions},
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
    /// `traceparent` and `tracestate` of the check itself, where the proxy puts its own span; empty where it doesn't, and
    /// where nobody asks.
    pub trace: Headers,
    /// What the operator wrote on the route: Envoy's `context_extensions`.
    pub context: Vec<(Bytes, Bytes)>,
    /// The body. None where there is none, where the door was not given it, and where it is not whole.
    pub body: Option<Body>,
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
        refuse_masked_bytes(facts)?;
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

    /// What stands behind the first `?`, exactly as received.
    #[must_use]
    pub fn query(&self) -> &[u8] {
        query_of(&self.target)
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

/// In map mode Envoy writes `!` for each byte of the path that is not UTF-8, so what its upstream gets can't be known.
fn refuse_masked_bytes(facts: &Facts) -> Result<(), PathError> {
    let mut path = facts.target.split(|&b| b == b'?');
    let is_masked = path.next().is_some_and(|path| path.contains(&b'!'));
    if facts.headers.are_joined() && is_masked {
        return Err(PathError::NotText);
    }
    Ok(())
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

/// Whether a header name is this one with another mark for `-`, which some servers don't tell apart: `_`, `.`, and to CGI
/// whatever is neither letter nor digit.
#[must_use]
pub(super) fn is_spelling_of(name: &[u8], known: &str) -> bool {
    let plain = |&b: &u8| {
        if b"!#$%&'*+._^`|~".contains(&b) {
            b'-'
        } else {
            b.to_ascii_lowercase()
        }
    };
    name.len() == known.len() && name.iter().map(plain).eq(known.bytes())
}

fn query_of(target: &[u8]) -> &[u8] {
    target.splitn(2, |&b| b == b'?').nth(1).unwrap_or_default()
}

/// Whether the query holds a field named `_method`.
fn names_method(target: &[u8]) -> bool {
    let names = query_of(target)
        .split(|&b| b == b'&' || b == b';')
        .map(|pair| pair.split(|&b| b == b'=').next().unwrap_or_default());
    names.map(|name| percent_decode(name)).any(is_method_field)
}

/// `_method`, also as PHP reads a name: without blanks in front, up to a NUL or a bracket, and with `_` for `.` or a blank.
fn is_method_field(name: impl Iterator<Item = u8>) -> bool {
    let mut name = name.skip_while(|&b| b == b' ' || b == b'+').peekable();
    let first = name.next().is_some_and(|b| b"_.[".contains(&b));
    first
        && name.by_ref().take(6).eq(b"method".iter().copied())
        && name.next().is_none_or(|b| b == 0 || b == b'[')
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
            "x~http!method+override",
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
            "/?+_method=PUT",
            "/?a&%20.method=PUT",
            "/?[method=PUT",
            "/?_method%00x=PUT",
            "/?_method[]=PUT",
        ] {
            assert_eq!(
                parse("POST", target, &[]).unwrap_err(),
                Malformed::MethodOverride,
                "{target}"
            );
        }
        for target in ["/_method?a_method=1", "/?_methods=1", "/?_metho=d"] {
            assert!(parse("POST", target, &[]).is_ok(), "{target}");
        }
    }

    #[test]
    fn a_byte_that_envoy_may_have_masked_is_refused() {
        let joined = |target: &str| {
            let facts = Facts {
                headers: Headers::joined(vec![]),
                ..facts("GET", target, &[])
            };
            Request::parse(&facts, PathOptions::default()).map(|_| ())
        };
        let refused = Err(Malformed::Path(PathError::NotText));
        assert_eq!(joined("/transfer!"), refused);
        assert_eq!(joined("/transfer?!"), Ok(()));
        assert!(parse("GET", "/transfer!", &[]).is_ok());
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
