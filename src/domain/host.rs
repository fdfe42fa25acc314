//! The host a request names, and the hosts a rule or an origin names.

use std::{borrow::Borrow, fmt, net::Ipv6Addr};

/// Longest host in bytes, as in DNS.
const MAX_HOST_BYTES: usize = 253;

/// A host name or an `[IPv6]` literal: lower case, no trailing dot, no port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(Box<str>);

/// Why a host was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Nothing was there.
    #[error("the host is empty")]
    Empty,
    /// More than 253 bytes.
    #[error("the host is longer than 253 bytes")]
    TooLong,
    /// A byte outside letters, digits, `-` and `.`, or an empty label.
    #[error("the host holds something other than letters, digits, `-` and single dots")]
    Grammar,
    /// Not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
}

impl Host {
    /// Reads a host without a port, in any case, with at most one trailing dot.
    ///
    /// # Errors
    /// See [`HostError`].
    pub fn parse(text: &[u8]) -> Result<Self, HostError> {
        let text = text.strip_suffix(b".").unwrap_or(text);
        if text.is_empty() {
            return Err(HostError::Empty);
        }
        if text.len() > MAX_HOST_BYTES {
            return Err(HostError::TooLong);
        }
        let text = std::str::from_utf8(text).map_err(|_| HostError::Grammar)?;
        match text.strip_prefix('[') {
            Some(rest) => Self::parse_ipv6(rest),
            None => Self::parse_name(text),
        }
    }

    fn parse_ipv6(rest: &str) -> Result<Self, HostError> {
        let address = rest.strip_suffix(']').ok_or(HostError::Grammar)?;
        let address: Ipv6Addr = address.parse().map_err(|_| HostError::Grammar)?;
        Ok(Self(format!("[{address}]").into()))
    }

    fn parse_name(text: &str) -> Result<Self, HostError> {
        let is_label = |label: &str| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if text.split('.').all(is_label) {
            Ok(Self(text.to_ascii_lowercase().into()))
        } else {
            Err(HostError::Grammar)
        }
    }

    /// The host as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Host {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A host with the port that was named beside it, if one was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The host.
    pub host: Host,
    /// The port, where one was named.
    pub port: Option<u16>,
}

impl Authority {
    /// Reads `host` or `host:port`.
    ///
    /// # Errors
    /// See [`HostError`].
    pub fn parse(text: &[u8]) -> Result<Self, HostError> {
        let (host, port) = split_port(text);
        let port = port.map(parse_port).transpose()?;
        let host = Host::parse(host)?;
        Ok(Self { host, port })
    }
}

/// Splits at the last colon that is not part of an IPv6 literal.
fn split_port(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let colon = text.iter().rposition(|&b| b == b':' || b == b']');
    match colon.and_then(|at| text.split_at_checked(at)) {
        Some((host, [b':', port @ ..])) => (host, Some(port)),
        _ => (text, None),
    }
}

fn parse_port(text: &[u8]) -> Result<u16, HostError> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).map_err(|_| HostError::Port)?;
    match text.parse() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err(HostError::Port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(String, Option<u16>), HostError> {
        Authority::parse(text.as_bytes()).map(|a| (a.host.to_string(), a.port))
    }

    #[test]
    fn spellings_of_one_host_are_one_host() {
        for text in ["app.example.test", "APP.Example.TEST", "app.example.test."] {
            assert_eq!(
                parsed(text),
                Ok(("app.example.test".into(), None)),
                "{text}"
            );
        }
        assert_eq!(
            parsed("app.example.test.:8080"),
            Ok(("app.example.test".into(), Some(8080)))
        );
        assert_eq!(
            parsed("[2001:DB8:0::1]:443"),
            Ok(("[2001:db8::1]".into(), Some(443)))
        );
        assert_eq!(parsed("[::1]"), Ok(("[::1]".into(), None)));
    }

    #[test]
    fn anything_but_a_host_is_refused() {
        let long = "a".repeat(254);
        let cases = [
            ("", HostError::Empty),
            (".", HostError::Empty),
            ("a..b", HostError::Grammar),
            (".a", HostError::Grammar),
            ("a..", HostError::Grammar),
            ("a_b", HostError::Grammar),
            ("a b", HostError::Grammar),
            ("user@host", HostError::Grammar),
            ("a/b", HostError::Grammar),
            ("é.test", HostError::Grammar),
            ("::1", HostError::Grammar),
            ("[::1", HostError::Grammar),
            ("[::g]", HostError::Grammar),
            ("a:0", HostError::Port),
            ("a:", HostError::Port),
            ("a:65536", HostError::Port),
            ("a:+80", HostError::Port),
            (&long, HostError::TooLong),
        ];
        for (text, why) in cases {
            assert_eq!(parsed(text), Err(why), "{text}");
        }
    }
}
