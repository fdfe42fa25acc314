//! URLs as Go's `net/url` reads and prints them, which is how Kratos compares and returns `return_to`.
//!
//! The `url` crate follows browsers and would lower-case hosts, drop default ports and resolve dots; K-61 and K-62 say
//! that Kratos doesn't. A URL is kept in its parts, and printed back from them.

use std::fmt;

/// The parts of a URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GoUrl {
    /// Lower case; empty for a relative URL.
    pub(crate) scheme: String,
    opaque: Option<String>,
    userinfo: Option<String>,
    /// With port, as written.
    pub(crate) host: String,
    /// Unescaped.
    pub(crate) path: Vec<u8>,
    raw_path: String,
    /// `None` where there is no `?`.
    query: Option<String>,
    fragment: Option<String>,
}

impl GoUrl {
    /// Reads `text`.
    ///
    /// # Errors
    ///
    /// The end of Go's message, for example `invalid URL escape "%zz"`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (rest, fragment) = match text.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment.to_owned())),
            None => (text, None),
        };
        if rest.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(String::from("net/url: invalid control character in URL"));
        }
        if let Some(fragment) = &fragment {
            unescape(fragment)?;
        }
        let (scheme, rest) = scheme(rest)?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        let mut url = Self {
            scheme,
            query,
            fragment,
            ..Self::default()
        };
        url.hierarchy(rest)?;
        Ok(url)
    }

    fn hierarchy(&mut self, rest: &str) -> Result<(), String> {
        if !rest.starts_with('/') {
            if !self.scheme.is_empty() {
                self.opaque = Some(rest.to_owned());
                return Ok(());
            }
            if rest
                .split('/')
                .next()
                .is_some_and(|segment| segment.contains(':'))
            {
                return Err(String::from(
                    "first path segment in URL cannot contain colon",
                ));
            }
        }
        let path = match rest.strip_prefix("//") {
            Some(after) if !rest.starts_with("///") || !self.scheme.is_empty() => {
                let (authority, path) = after
                    .find('/')
                    .and_then(|at| after.split_at_checked(at))
                    .unwrap_or((after, ""));
                self.authority(authority)?;
                path
            }
            _ => rest,
        };
        self.path = unescape(path)?;
        self.raw_path = path.to_owned();
        Ok(())
    }

    fn authority(&mut self, authority: &str) -> Result<(), String> {
        let host = match authority.rsplit_once('@') {
            Some((userinfo, host)) => {
                if !userinfo.bytes().all(is_userinfo) {
                    return Err(String::from("net/url: invalid userinfo"));
                }
                unescape(userinfo)?;
                self.userinfo = Some(userinfo.to_owned());
                host
            }
            None => authority,
        };
        check_host(host)?;
        self.host = host.to_owned();
        Ok(())
    }

    fn escaped_path(&self) -> String {
        if self.raw_path.bytes().all(is_path_byte) {
            self.raw_path.clone()
        } else {
            escape(&self.path)
        }
    }
}

impl fmt::Display for GoUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scheme.is_empty() {
            write!(f, "{}:", self.scheme)?;
        }
        if let Some(opaque) = &self.opaque {
            f.write_str(opaque)?;
        } else {
            if !self.scheme.is_empty() || !self.host.is_empty() || self.userinfo.is_some() {
                f.write_str("//")?;
            }
            if let Some(userinfo) = &self.userinfo {
                write!(f, "{userinfo}@")?;
            }
            f.write_str(&self.host)?;
            let path = self.escaped_path();
            if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
                f.write_str("/")?;
            }
            f.write_str(&path)?;
        }
        if let Some(query) = &self.query {
            write!(f, "?{query}")?;
        }
        match self.fragment.as_deref() {
            Some(fragment) if !fragment.is_empty() => write!(f, "#{fragment}"),
            _ => Ok(()),
        }
    }
}

/// The scheme before the first `:`, and what follows it.
fn scheme(text: &str) -> Result<(String, &str), String> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err(String::from("missing protocol scheme")),
            b':' => {
                let (scheme, rest) = text.split_at_checked(at).unwrap_or((text, ""));
                return Ok((
                    scheme.to_ascii_lowercase(),
                    rest.strip_prefix(':').unwrap_or(rest),
                ));
            }
            _ => break,
        }
    }
    Ok((String::new(), text))
}

fn check_host(host: &str) -> Result<(), String> {
    if let Some(after) = host.strip_prefix('[') {
        let Some((_, port)) = after.rsplit_once(']') else {
            return Err(String::from("missing ']' in host"));
        };
        return check_port(port);
    }
    if let Some(at) = host.rfind(':') {
        check_port(host.split_at_checked(at).map_or("", |(_, port)| port))?;
    }
    match host.chars().find(|&c| c.is_ascii() && !is_host_byte(c)) {
        Some(c) => Err(format!(
            "invalid character {:?} in host name",
            c.to_string()
        )),
        None => Ok(()),
    }
}

fn check_port(port: &str) -> Result<(), String> {
    let digits = port.strip_prefix(':');
    if port.is_empty()
        || digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Ok(());
    }
    Err(format!("invalid port {port:?} after host"))
}

fn is_host_byte(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.~!$&'()*+,;=:[]<>\"%".contains(c)
}

fn is_userinfo(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte)
}

/// Bytes that an escaped path may hold as they are, `%` among them.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:@[]/%".contains(&byte)
}

/// Escapes an unescaped path as Go prints one whose own escaping won't do.
fn escape(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for &byte in path {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (Some(high), Some(low)) = (
            after.first().copied().and_then(hex),
            after.get(1).copied().and_then(hex),
        ) else {
            let bad: Vec<u8> = std::iter::once(b'%')
                .chain(after.iter().copied().take(2))
                .collect();
            return Err(format!(
                "invalid URL escape {:?}",
                String::from_utf8_lossy(&bad)
            ));
        };
        bytes.push(high.wrapping_shl(4) | low);
        rest = after.get(2..).unwrap_or_default();
    }
    Ok(bytes)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Escapes one value of a query as Go's `url.Values` does: a blank becomes `+`.
pub(crate) fn query_escape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b' ' => text.push('+'),
            _ if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => {
                text.push(char::from(byte));
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// The first value of `name` in a raw query, as Go's `Query().Get` finds it: pairs with `;` or a bad escape don't count.
pub(crate) fn query_value(query: &str, name: &str) -> Option<String> {
    query
        .split('&')
        .filter(|pair| !pair.contains(';'))
        .filter_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((query_unescape(key)?, query_unescape(value)?))
        })
        .find_map(|(key, value)| (key == name).then_some(value))
}

fn query_unescape(text: &str) -> Option<String> {
    let bytes = unescape(&text.replace('+', " ")).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_printed_as_it_was_written() {
        for text in [
            "http://127.0.0.1:4455/transfer?amount=250&to=bob",
            "http://app.example.test:8080/a?next=%2Fb%3Fc%3D1%26d%3D2",
            "http://app.example.test:8080/s?q=1+2%2B3%20x",
            "http://app.example.test:8080/a?b=1#part-2",
            "http://app.example.test:8080/a%2Fb/c",
            "http://app.example.test:8080/a/../b/./c",
            "http://app.example.test:8080//a//b",
            "http://app.example.test:8080/a;v=1?b=2;c=3",
            "http://app.example.test:8080/a?list[]=1&list[]=2&empty=&flag",
            "http://app.example.test:8080/a?b=%e2%82%ac",
            "http://app.example.test:8080/a?",
            "http://APP.example.test:8080/a",
            "http://app.example.test:8080",
            "http://user:pw@127.0.0.1:4455/a",
            "javascript:alert(1)",
            "//evil.example.test/x",
            "/transfer?x=1",
            "?x=1",
        ] {
            assert_eq!(GoUrl::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn some_are_rewritten() {
        for (text, printed) in [
            ("HTTP://a/b", "http://a/b"),
            ("http://a/b c?d=e f", "http://a/b%20c?d=e f"),
            ("http://a/a'b\"c?x=<y>", "http://a/a%27b%22c?x=<y>"),
            ("http://a/\u{fc}?n=\u{eb}", "http://a/%C3%BC?n=\u{eb}"),
        ] {
            assert_eq!(GoUrl::parse(text).unwrap().to_string(), printed);
        }
    }

    #[test]
    fn what_is_no_url_says_why() {
        for (text, why) in [
            ("http://a/%zz", "invalid URL escape \"%zz\""),
            (
                "http://a/a\r\nSet-Cookie: x=1",
                "net/url: invalid control character in URL",
            ),
            ("http://a:80x/", "invalid port \":80x\" after host"),
        ] {
            assert_eq!(GoUrl::parse(text).unwrap_err(), why);
        }
    }

    #[test]
    fn a_query_is_read_as_go_reads_it() {
        assert_eq!(query_value("a=1+2&a=3", "a").unwrap(), "1 2");
        assert_eq!(query_value("a=%zz&b=%31", "b").unwrap(), "1");
        assert_eq!(query_value("a=%zz", "a"), None);
        assert_eq!(
            query_escape("http://a/b?c=d e~*"),
            "http%3A%2F%2Fa%2Fb%3Fc%3Dd+e~%2A"
        );
    }
}
