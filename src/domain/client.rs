//! What kind of client asks, and so what it can do with an answer.

use super::{credential::CredentialKind, headers::Headers};

/// The kind of client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// A gRPC call.
    Grpc,
    /// A WebSocket handshake.
    WebSocket,
    /// An application that signs in with a Kratos session token.
    Native,
    /// A caller with a bearer token.
    Bearer,
    /// A browser navigation.
    Page,
    /// A page's script, or anything else that reads JSON.
    Script,
}

impl Client {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Grpc,
        Self::WebSocket,
        Self::Native,
        Self::Bearer,
        Self::Page,
        Self::Script,
    ];

    /// The kind that these headers and the credential found among them tell.
    #[must_use]
    pub fn of(headers: &Headers, credential: Option<CredentialKind>) -> Self {
        if is_grpc(headers) {
            Self::Grpc
        } else if is_websocket(headers) {
            Self::WebSocket
        } else {
            match credential {
                Some(CredentialKind::SessionToken) => Self::Native,
                Some(CredentialKind::Bearer) => Self::Bearer,
                Some(CredentialKind::Cookie) | None => Self::of_browser(headers),
            }
        }
    }

    fn of_browser(headers: &Headers) -> Self {
        let is_page = match headers.first(b"sec-fetch-mode") {
            _ if is_prefetch(headers) => false,
            Some(mode) => mode == b"navigate",
            None if headers.has(b"x-requested-with", b"XMLHttpRequest") => false,
            None => prefers_html(headers),
        };
        if is_page { Self::Page } else { Self::Script }
    }

    /// The word for it in log and metric.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::WebSocket => "websocket",
            Self::Native => "native",
            Self::Bearer => "bearer",
            Self::Page => "page",
            Self::Script => "script",
        }
    }
}

const GRPC: &[u8] = b"application/grpc";

/// `application/grpc` or `application/grpc+…`; grpc-web is a script's.
fn is_grpc(headers: &Headers) -> bool {
    let value = headers.first(b"content-type").unwrap_or_default();
    let essence = value
        .split(|&b| b == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    let (name, rest) = essence.split_at_checked(GRPC.len()).unwrap_or_default();
    name.eq_ignore_ascii_case(GRPC) && (rest.is_empty() || rest.starts_with(b"+"))
}

/// An `Upgrade`, or an extended CONNECT, which Envoy shows as one with `:protocol`.
fn is_websocket(headers: &Headers) -> bool {
    headers.has(b"upgrade", b"websocket") || headers.has(b":protocol", b"websocket")
}

const PREFETCH: &[u8] = b"prefetch";

/// Following a challenge writes a flow in Kratos, and may mail a code: not for a page that nobody opened yet.
fn is_prefetch(headers: &Headers) -> bool {
    let starts = |name| {
        headers.first(name).is_some_and(|value| {
            let word = value.trim_ascii().get(..PREFETCH.len());
            word.is_some_and(|word| word.eq_ignore_ascii_case(PREFETCH))
        })
    };
    starts(b"sec-purpose") || starts(b"purpose")
}

/// Whether `Accept` names `text/html` with a quality no lower than that of JSON.
fn prefers_html(headers: &Headers) -> bool {
    let html = quality(headers, &["text/html", "application/xhtml+xml"]);
    let json = quality(headers, &["application/json"]);
    html > 0.0 && html >= json
}

/// The highest `q` that `Accept` names one of these media types with; 0 where it names none.
fn quality(headers: &Headers, types: &[&str]) -> f32 {
    let ranges = headers
        .all(b"accept")
        .flat_map(|line| line.split(|&b| b == b','));
    ranges
        .filter_map(|range| weight(range, types))
        .fold(0.0, f32::max)
}

/// The `q` of a media range that is one of these types.
fn weight(range: &[u8], types: &[&str]) -> Option<f32> {
    let mut parts = range.split(|&b| b == b';').map(<[u8]>::trim_ascii);
    let name = parts.next()?;
    let is_named = |kind: &&str| name.eq_ignore_ascii_case(kind.as_bytes());
    types.iter().find(|kind| is_named(kind))?;
    let q = parts.find_map(|part| part.strip_prefix(b"q=").or(part.strip_prefix(b"Q=")));
    let number = |q| str::from_utf8(q).ok()?.parse().ok();
    Some(q.map_or(1.0, |q| number(q).unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(lines: &[(&str, &str)], credential: Option<CredentialKind>) -> Client {
        Client::of(&Headers::from_lines(lines), credential)
    }

    #[test]
    fn the_first_sign_that_fits_tells_the_kind() {
        let html = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        let cases: [(&[(&str, &str)], Client); 18] = [
            (
                &[
                    ("content-type", "application/grpc"),
                    ("upgrade", "websocket"),
                ],
                Client::Grpc,
            ),
            (
                &[("content-type", "application/grpc+proto"), html],
                Client::Grpc,
            ),
            (
                &[("content-type", "application/grpc-web"), html],
                Client::Page,
            ),
            (&[("upgrade", "WebSocket"), html], Client::WebSocket),
            (&[(":protocol", "websocket")], Client::WebSocket),
            (
                &[
                    ("sec-purpose", "prefetch;prerender"),
                    ("sec-fetch-mode", "navigate"),
                ],
                Client::Script,
            ),
            (&[("purpose", "prefetch"), html], Client::Script),
            (&[("sec-fetch-mode", "navigate")], Client::Page),
            (&[("sec-fetch-mode", "cors"), html], Client::Script),
            (
                &[("x-requested-with", "XMLHttpRequest"), html],
                Client::Script,
            ),
            (&[html], Client::Page),
            (&[("accept", "*/*")], Client::Script),
            (
                &[("accept", "application/json, text/html;q=0.9")],
                Client::Script,
            ),
            (
                &[("accept", "application/json;q=0.5, text/html;q=0.9")],
                Client::Page,
            ),
            (&[("accept", "text/html;q=0")], Client::Script),
            (
                &[("accept", "Text/HTML; Q=0.4, application/json;q=0.5")],
                Client::Script,
            ),
            (
                &[
                    ("accept", "application/json;q=0.5"),
                    ("accept", "text/html;level=1;q=0.6"),
                ],
                Client::Page,
            ),
            (&[], Client::Script),
        ];
        for (lines, expected) in cases {
            assert_eq!(client(lines, None), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_token_tells_a_native_client_or_a_bearer() {
        let page = [("sec-fetch-mode", "navigate")];
        assert_eq!(
            client(&page, Some(CredentialKind::SessionToken)),
            Client::Native
        );
        assert_eq!(client(&page, Some(CredentialKind::Bearer)), Client::Bearer);
        assert_eq!(client(&page, Some(CredentialKind::Cookie)), Client::Page);
        assert_eq!(
            client(&[("upgrade", "websocket")], Some(CredentialKind::Bearer)),
            Client::WebSocket
        );
    }
}
