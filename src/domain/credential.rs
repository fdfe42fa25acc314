//! The one credential of a request that Kratos is asked about.

use std::{fmt, sync::OnceLock};

use bytes::Bytes;
use memchr::{memchr, memchr_iter};
use sha2::{Digest, Sha256};

use super::headers::Headers;

/// Longest credential in bytes; Kratos' cookies have some 430.
const MAX_CREDENTIAL_BYTES: usize = 4 * 1024;

/// How a credential arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// `X-Session-Token`.
    SessionToken,
    /// The session cookie.
    Cookie,
    /// `Authorization: Bearer`.
    Bearer,
}

impl CredentialKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::SessionToken, Self::Cookie, Self::Bearer];

    /// The name that the configuration lists it by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SessionToken => "session_token",
            Self::Cookie => "cookie",
            Self::Bearer => "bearer",
        }
    }
}

/// A credential, byte for byte. It prints as `<redacted>`.
#[derive(Clone)]
pub struct Credential {
    kind: CredentialKind,
    value: Bytes,
    fingerprint: OnceLock<Fingerprint>,
}

/// What a credential is known by where it must not be kept: the SHA-256 of its kind and its bytes. Nobody knows two with the
/// same one, nor how to find them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// What a request shows of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// Nothing of a kind that counts.
    Nothing,
    /// One credential.
    One(Credential),
    /// Something that can't be a credential. It counts as no session and never falls through to another kind.
    Malformed(CredentialKind),
}

/// The request carries more than one session, and which of them is the person's nobody can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request carries more than one session")]
pub struct Ambiguous;

impl Credential {
    fn parse(kind: CredentialKind, value: &[u8]) -> Presented {
        if value.is_empty() || value.len() > MAX_CREDENTIAL_BYTES || !is_plain(value) {
            return Presented::Malformed(kind);
        }
        Presented::One(Self {
            kind,
            value: Bytes::copy_from_slice(value),
            fingerprint: OnceLock::new(),
        })
    }

    /// How it arrived.
    #[must_use]
    pub fn kind(&self) -> CredentialKind {
        self.kind
    }

    /// Its bytes, to be sent to Kratos and nowhere else: visible ASCII.
    #[must_use]
    pub fn expose(&self) -> &Bytes {
        &self.value
    }

    /// What it is known by; it is worked out once.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        *self.fingerprint.get_or_init(|| {
            // No kind's name holds a zero, so no two of a kind and a value are one text.
            let parts = [self.kind.as_str().as_bytes(), &[0], &self.value];
            let hash = parts.iter().fold(Sha256::new(), Digest::chain_update);
            Fingerprint(hash.finalize().into())
        })
    }
}

#[cfg(test)]
impl From<u8> for Fingerprint {
    fn from(byte: u8) -> Self {
        Self([byte; 32])
    }
}

impl PartialEq for Credential {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.value == other.value
    }
}

impl Eq for Credential {}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({} <redacted>)", self.kind.as_str())
    }
}

impl Presented {
    /// The kind of what was presented.
    #[must_use]
    pub fn kind(&self) -> Option<CredentialKind> {
        match self {
            Self::Nothing => None,
            Self::One(credential) => Some(credential.kind),
            Self::Malformed(kind) => Some(*kind),
        }
    }

    /// Finds what a request presents, of the kinds that count.
    ///
    /// # Errors
    /// [`Ambiguous`] where two cookies of that name differ, or may differ, or where two kinds are presented.
    pub fn find(
        headers: &Headers,
        kinds: &[CredentialKind],
        cookie: &str,
    ) -> Result<Self, Ambiguous> {
        let mut found = Self::Nothing;
        for kind in kinds {
            let presented = match kind {
                CredentialKind::SessionToken => session_token(headers),
                CredentialKind::Cookie => session_cookie(headers, cookie)?,
                CredentialKind::Bearer => bearer(headers),
            };
            match (&found, presented) {
                (_, Self::Nothing) => {}
                (Self::Nothing, presented) => found = presented,
                _ => return Err(Ambiguous),
            }
        }
        Ok(found)
    }
}

/// Visible ASCII without comma and quote. Every byte is looked at, which is many at a time, and faster than to stop early.
fn is_plain(value: &[u8]) -> bool {
    let is_plain = |b: u8| b.is_ascii_graphic() & (b != b',') & (b != b'"');
    value.iter().fold(true, |all, &b| all & is_plain(b))
}

/// An empty header counts as absent, as it does for Kratos.
fn session_token(headers: &Headers) -> Presented {
    one(
        CredentialKind::SessionToken,
        headers
            .all(b"x-session-token")
            .filter(|value| !value.is_empty()),
    )
}

fn bearer(headers: &Headers) -> Presented {
    let token = |value: &'_ [u8]| {
        let (scheme, token) = value.split_at_checked(7)?;
        scheme
            .eq_ignore_ascii_case(b"bearer ")
            .then(|| Bytes::copy_from_slice(token))
    };
    let tokens: Vec<_> = headers.all(b"authorization").filter_map(token).collect();
    one(CredentialKind::Bearer, tokens.iter().map(|token| &**token))
}

fn one<'a>(kind: CredentialKind, mut values: impl Iterator<Item = &'a [u8]>) -> Presented {
    match (values.next(), values.next()) {
        (None, _) => Presented::Nothing,
        (Some(value), None) => Credential::parse(kind, value),
        (Some(_), Some(_)) => Presented::Malformed(kind),
    }
}

fn session_cookie(headers: &Headers, name: &str) -> Result<Presented, Ambiguous> {
    let mut found: Option<&[u8]> = None;
    for line in headers.all(b"cookie") {
        if headers.are_joined() && hides_cookie(line, name) {
            return Err(Ambiguous);
        }
        for value in values(line, name) {
            if found.is_some_and(|earlier| earlier != value) {
                return Err(Ambiguous);
            }
            found = Some(value);
        }
    }
    Ok(found.map_or(Presented::Nothing, |value| {
        Credential::parse(CredentialKind::Cookie, value)
    }))
}

/// The values of one cookie, in the order they came.
pub(super) fn cookies<'a>(headers: &'a Headers, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    headers
        .all(b"cookie")
        .flat_map(move |line| values(line, name))
}

/// The values of one cookie in a line, which splits at `;` only.
fn values<'a>(line: &'a [u8], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let ends = memchr_iter(b';', line).chain([line.len()]);
    let mut start = 0;
    let pairs = ends.filter_map(move |end| {
        let pair = line.get(start..end);
        start = end.saturating_add(1);
        pair
    });
    pairs.filter_map(move |pair| value_of(pair, name))
}

/// Blanks around a cookie's name don't count: Go's parser, which Kratos uses, drops them.
fn value_of<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let named = pair.trim_ascii_start().strip_prefix(name.as_bytes())?;
    let value = named.trim_ascii_start().strip_prefix(b"=")?;
    Some(value.trim_ascii_end())
}

/// Whether two lines may have been joined at a comma that touches the session cookie: one in its value, or before its name.
fn hides_cookie(line: &[u8], name: &str) -> bool {
    if memchr(b',', line).is_none() {
        return false;
    }
    let in_value = values(line, name).any(|value| value.contains(&b','));
    let behind_comma = line
        .split(|&b| b == b',')
        .skip(1)
        .any(|part| value_of(part, name).is_some());
    in_value || behind_comma
}

#[cfg(test)]
mod tests {
    use super::*;
    use CredentialKind::{Bearer, Cookie, SessionToken};

    const ALL: [CredentialKind; 3] = [SessionToken, Cookie, Bearer];

    fn find(lines: &[(&str, &str)], kinds: &[CredentialKind]) -> Result<Presented, Ambiguous> {
        Presented::find(&Headers::from_lines(lines), kinds, "sid")
    }

    fn cookie(lines: &[(&str, &str)]) -> Result<Presented, Ambiguous> {
        find(lines, &[Cookie])
    }

    fn joined(line: &'static str) -> Result<Presented, Ambiguous> {
        let headers = Headers::joined(vec![(
            Bytes::from_static(b"cookie"),
            Bytes::from_static(line.as_bytes()),
        )]);
        Presented::find(&headers, &[Cookie], "sid")
    }

    fn value(presented: Result<Presented, Ambiguous>) -> Option<String> {
        match presented {
            Ok(Presented::One(credential)) => {
                Some(String::from_utf8(credential.expose().to_vec()).unwrap())
            }
            _ => None,
        }
    }

    #[test]
    fn the_session_cookie_is_found_among_others() {
        let lines = [
            "sid=abc==",
            "a=1; sid=abc==; b=2",
            "a=1;sid=abc==",
            "sidx=1; sid=abc==; xsid=2",
            "sid=abc==; sid=abc==",
            "sid =abc==",
        ];
        for line in lines {
            assert_eq!(
                value(cookie(&[("cookie", line)])).as_deref(),
                Some("abc=="),
                "{line}"
            );
            assert_eq!(value(joined(line)).as_deref(), Some("abc=="), "{line}");
        }
        assert_eq!(
            value(cookie(&[("cookie", "a=1"), ("cookie", "sid=abc")])).as_deref(),
            Some("abc")
        );
        for line in ["", "SID=abc", "sid", "xsid=abc", "a=sid=abc", "a=1, sid=x"] {
            assert_eq!(
                cookie(&[("cookie", line)]),
                Ok(Presented::Nothing),
                "{line}"
            );
        }
    }

    #[test]
    fn two_sessions_are_ambiguous() {
        assert_eq!(cookie(&[("cookie", "sid=a; sid=b")]), Err(Ambiguous));
        assert_eq!(
            cookie(&[("cookie", "sid=a"), ("cookie", "sid=b")]),
            Err(Ambiguous)
        );
        assert_eq!(cookie(&[("cookie", "sid=a; sid=")]), Err(Ambiguous));
        assert_eq!(cookie(&[("cookie", "sid =b; sid=a")]), Err(Ambiguous));
        for line in [
            "a=1,sid=b",
            "sid=a,sid=b",
            "sid=a, b=1",
            "a=1, sid=b",
            "sid=a; b=1,sid=a",
        ] {
            assert_eq!(joined(line), Err(Ambiguous), "{line}");
        }
        assert_eq!(value(joined("a=1,2; sid=abc")).as_deref(), Some("abc"));
    }

    #[test]
    fn what_cannot_be_a_session_is_none_and_falls_through_to_nothing() {
        let long = format!("sid={}", "a".repeat(4097));
        for line in [
            "sid=",
            "sid=\"a\"",
            "sid=a b",
            "sid=a,b",
            "sid=a\u{1}",
            "sid=é",
            &long,
        ] {
            assert_eq!(
                cookie(&[("cookie", line)]),
                Ok(Presented::Malformed(Cookie)),
                "{line}"
            );
        }
        let twice = [("x-session-token", "a"), ("x-session-token", "a")];
        assert_eq!(find(&twice, &ALL), Ok(Presented::Malformed(SessionToken)));
    }

    #[test]
    fn only_the_listed_kinds_exist() {
        let lines = [("x-session-token", "token"), ("cookie", "sid=abc")];
        assert_eq!(value(find(&lines, &[Cookie])).as_deref(), Some("abc"));
        assert_eq!(
            value(find(&lines, &[SessionToken])).as_deref(),
            Some("token")
        );
        assert_eq!(find(&lines, &ALL), Err(Ambiguous));
        assert_eq!(
            value(find(
                &[("x-session-token", ""), ("cookie", "sid=abc")],
                &ALL
            ))
            .as_deref(),
            Some("abc")
        );
    }

    #[test]
    fn a_bearer_has_one_blank_before_its_token() {
        let bearer = |text| find(&[("authorization", text)], &ALL);
        assert_eq!(value(bearer("bEaReR token")).as_deref(), Some("token"));
        assert_eq!(bearer("Bearer  token"), Ok(Presented::Malformed(Bearer)));
        assert_eq!(bearer("Basic dXNlcg=="), Ok(Presented::Nothing));
    }

    #[test]
    fn a_credential_never_prints_itself() {
        let Ok(Presented::One(credential)) = cookie(&[("cookie", "sid=abc")]) else {
            panic!()
        };
        assert_eq!(format!("{credential:?}"), "Credential(cookie <redacted>)");
    }
}
