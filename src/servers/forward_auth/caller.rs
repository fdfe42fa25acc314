//! Who asks, told by the path, and where each caller puts the facts.

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};

use crate::domain::{
    headers::Headers,
    reason::Malformed,
    request::{Facts, Reach},
};

/// The callers, each with a path of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// `/forward-auth`: Traefik and Caddy.
    ForwardAuth,
    /// `/auth-request`: nginx.
    AuthRequest,
    /// `/decisions/…`: whoever asked Oathkeeper.
    Decisions,
    /// `/ext-authz/…`: Envoy, over HTTP.
    ExtAuthz,
}

/// A request's own facts: method, host and target.
type Told = (Bytes, Bytes, Bytes);

impl Caller {
    /// The caller that this path is for, and the target behind its prefix, byte for byte.
    pub(super) fn find(uri: &Uri) -> Option<(Self, &str)> {
        if uri.authority().is_some() {
            return None;
        }
        let whole = uri.path_and_query()?.as_str();
        let behind = |prefix| {
            let rest = whole.strip_prefix(prefix)?;
            (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(rest)
        };
        match uri.path() {
            "/forward-auth" => Some((Self::ForwardAuth, "")),
            "/auth-request" => Some((Self::AuthRequest, "")),
            _ => behind("/decisions")
                .map(|target| (Self::Decisions, target))
                .or_else(|| behind("/ext-authz").map(|target| (Self::ExtAuthz, target))),
        }
    }

    /// The facts, as far as they were told, and what is wrong with the telling.
    pub(super) fn facts(
        self,
        method: &Method,
        target: &str,
        headers: &HeaderMap,
    ) -> (Facts, Result<(), Malformed>) {
        let own = || Bytes::copy_from_slice(method.as_str().as_bytes());
        let told = match self {
            Self::ForwardAuth => forwarded(headers),
            Self::AuthRequest => original(headers),
            Self::Decisions | Self::ExtAuthz => one(headers, "host")
                .map(|host| (own(), host, Bytes::copy_from_slice(target.as_bytes()))),
        };
        let (told, fault) = match told {
            Ok(told) => (told, Ok(())),
            Err(malformed) => (Told::default(), Err(malformed)),
        };
        (self.with(told, headers), fault)
    }

    fn with(self, (method, host, target): Told, headers: &HeaderMap) -> Facts {
        Facts {
            method,
            host,
            target,
            headers: self.lines(headers),
            reach: self.reach(),
            ..Facts::default()
        }
    }

    /// Envoy tells over HTTP what it tells over gRPC in map mode: two lines of a name as one with a comma, and `!` for each
    /// byte that is not UTF-8. Callers of Oathkeeper may be Envoys too.
    fn lines(self, headers: &HeaderMap) -> Headers {
        let line = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            let name = Bytes::copy_from_slice(name.as_str().as_bytes());
            (name, Bytes::copy_from_slice(value.as_bytes()))
        };
        let lines = headers.iter().map(line).collect();
        match self {
            Self::ForwardAuth | Self::AuthRequest => Headers::raw(lines),
            Self::Decisions | Self::ExtAuthz => Headers::joined(lines),
        }
    }

    /// A proxy that follows `docs/http-door.md` copies our headers over the client's; of the other two nothing is known.
    fn reach(self) -> Reach {
        match self {
            Self::ForwardAuth | Self::AuthRequest => Reach::Copies,
            Self::Decisions | Self::ExtAuthz => Reach::None,
        }
    }
}

fn forwarded(headers: &HeaderMap) -> Result<Told, Malformed> {
    Ok((
        one(headers, "x-forwarded-method")?,
        one(headers, "x-forwarded-host")?,
        one(headers, "x-forwarded-uri")?,
    ))
}

/// A path alone names no host, which is then refused as one.
fn original(headers: &HeaderMap) -> Result<Told, Malformed> {
    let method = one(headers, "x-original-method")?;
    let url = one(headers, "x-original-url")?;
    let start = [&b"https://"[..], b"http://"]
        .iter()
        .find(|scheme| url.starts_with(scheme))
        .map_or(0, |scheme| scheme.len());
    let behind_scheme = url.slice(start..);
    let end = behind_scheme.iter().position(|b| b"/?#".contains(b));
    let (mut host, target) = split(behind_scheme, end);
    if start == 0 {
        host = Bytes::new();
    }
    Ok((method, host, target))
}

fn split(mut bytes: Bytes, at: Option<usize>) -> (Bytes, Bytes) {
    let behind = at.map_or_else(Bytes::new, |at| bytes.split_off(at));
    (bytes, behind)
}

/// The value of a header that comes exactly once.
fn one(headers: &HeaderMap, name: &'static str) -> Result<Bytes, Malformed> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Err(Malformed::FactMissing(name)),
        (Some(value), None) => Ok(Bytes::copy_from_slice(value.as_bytes())),
        _ => Err(Malformed::FactTwice(name)),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn found(uri: &str) -> Option<(Caller, String)> {
        let uri: Uri = uri.parse().unwrap();
        Caller::find(&uri).map(|(caller, target)| (caller, target.to_owned()))
    }

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        lines.iter().map(line).collect()
    }

    /// Host and target, or what is wrong.
    fn told(caller: Caller, lines: &[(&'static str, &'static str)]) -> Result<String, Malformed> {
        let (facts, fault) = caller.facts(&Method::GET, "/own", &headers(lines));
        fault?;
        let text = [&facts.method[..], b" ", &facts.host, b" ", &facts.target].concat();
        Ok(String::from_utf8(text).unwrap())
    }

    #[test]
    fn each_path_has_its_caller_and_keeps_every_byte_behind_it() {
        for (uri, caller, target) in [
            ("/forward-auth", Caller::ForwardAuth, ""),
            ("/forward-auth?x", Caller::ForwardAuth, ""),
            ("/auth-request", Caller::AuthRequest, ""),
            ("/decisions/a?b=%2F", Caller::Decisions, "/a?b=%2F"),
            ("/decisions/%2e%2e/x", Caller::Decisions, "/%2e%2e/x"),
            (
                "/decisions/../ext-authz/",
                Caller::Decisions,
                "/../ext-authz/",
            ),
            ("/decisions//x", Caller::Decisions, "//x"),
            ("/decisions", Caller::Decisions, ""),
            ("/decisions?x", Caller::Decisions, "?x"),
            ("/ext-authz/a", Caller::ExtAuthz, "/a"),
        ] {
            assert_eq!(found(uri), Some((caller, target.to_owned())), "{uri}");
        }
        for uri in [
            "/",
            "/decisionsx",
            "/forward-auth/",
            "//forward-auth",
            "/%64ecisions/a",
            "/Decisions/a",
            "http://stepgate/decisions/a",
            "*",
        ] {
            assert_eq!(found(uri), None, "{uri}");
        }
    }

    #[test]
    fn a_fact_comes_exactly_once_and_is_never_the_subrequests_own() {
        let whole = [
            ("x-forwarded-method", "POST"),
            ("x-forwarded-host", "app.test"),
            ("x-forwarded-uri", "/pay?a"),
        ];
        let told = |lines: &[_]| told(Caller::ForwardAuth, lines);
        assert_eq!(told(&whole), Ok("POST app.test /pay?a".to_owned()));
        for at in 0..whole.len() {
            let mut lines = whole.to_vec();
            let (name, _) = lines.remove(at);
            lines.push(("host", "own.test"));
            assert_eq!(told(&lines), Err(Malformed::FactMissing(name)));
            lines.extend([(name, "/a"), (name, "/a")]);
            assert_eq!(told(&lines), Err(Malformed::FactTwice(name)));
        }
    }

    #[test]
    fn only_the_host_header_names_the_host_of_a_path_behind_a_prefix() {
        let lines = [("host", "app.test"), ("x-forwarded-host", "other.test")];
        for caller in [Caller::Decisions, Caller::ExtAuthz] {
            assert_eq!(told(caller, &lines), Ok("GET app.test /own".to_owned()));
            assert_eq!(
                told(caller, &lines[1..]),
                Err(Malformed::FactMissing("host"))
            );
        }
    }

    #[test]
    fn the_url_that_nginx_tells_holds_host_and_target() {
        for (url, expected) in [
            ("https://app.test/pay?a=/b", "app.test /pay?a=/b"),
            ("http://app.test:8080/", "app.test:8080 /"),
            ("http://app.test", "app.test "),
            ("http://app.test?/pay", "app.test ?/pay"),
            ("http://app.test#/pay", "app.test #/pay"),
            ("http://other@app.test/", "other@app.test /"),
            ("http://app.test\\/pay", "app.test\\ /pay"),
            ("HTTP://app.test/", " //app.test/"),
            ("/pay", " /pay"),
            ("//app.test/pay", " //app.test/pay"),
            ("app.test/pay", " /pay"),
            ("", " "),
        ] {
            let lines = [("x-original-method", "GET"), ("x-original-url", url)];
            let told = told(Caller::AuthRequest, &lines);
            assert_eq!(told, Ok(format!("GET {expected}")), "{url}");
        }
    }
}
