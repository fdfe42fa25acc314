//! Host, path and method patterns: parse, match, and compare, so that "most specific wins" is `Ord`.

use std::fmt;

use http::Method;

use super::{
    host::{Host, HostError},
    path::{fold_case, segments},
};

/// Which hosts a rule or an origin names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// `app.example.com`
    Exact(Host),
    /// `*.example.com`: one or more labels before this host, never the host alone.
    Below(Host),
}

/// Why a pattern was refused; the message says how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The host part is none.
    #[error(
        "{0}; write a host as in `app.example.com`, or `*.example.com` for every host below it"
    )]
    Host(#[from] HostError),
    /// A `*` anywhere but in front.
    #[error(
        "a host pattern takes one `*`, as its first label; keep the leading `*.` or list the hosts"
    )]
    HostWildcard,
    /// The path does not start with `/`.
    #[error("a path pattern starts with `/`")]
    NotAbsolute,
    /// `/**` stands elsewhere than at the end.
    #[error(
        "`**` stands only at the end, as in `/transfer/**`; use `*` for one segment in the middle"
    )]
    DeepWildcard,
    /// A segment holds a `*` or a brace beside other text.
    #[error("`{0}` mixes a wildcard with text; a wildcard is a whole segment: `*` or `{{name}}`")]
    MixedWildcard(String),
    /// `?`, `#`, `%`, `\`, `;` or a control byte, or a dot segment.
    #[error(
        "`{0}` can't be matched: patterns are decoded paths, without `%`, `?`, `#`, `;`, `\\` or dot segments"
    )]
    NotAPath(String),
    /// The method is none.
    #[error("`{0}` is not a method; methods are upper-case letters, as in `POST`")]
    Method(String),
}

impl HostPattern {
    /// Reads `host` or `*.host`.
    ///
    /// # Errors
    /// See [`PatternError`].
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        match text.strip_prefix("*.") {
            Some(rest) if !rest.contains('*') => Ok(Self::Below(Host::parse(rest.as_bytes())?)),
            None if !text.contains('*') => Ok(Self::Exact(Host::parse(text.as_bytes())?)),
            _ => Err(PatternError::HostWildcard),
        }
    }

    /// Whether this host is one of those named.
    #[must_use]
    pub fn matches(&self, host: &Host) -> bool {
        match self {
            Self::Exact(exact) => exact == host,
            Self::Below(suffix) => parents(host.as_str()).any(|parent| parent == suffix.as_str()),
        }
    }

    /// Whether every host of `other` is one of this pattern's.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match other {
            Self::Exact(host) => self.matches(host),
            Self::Below(suffix) => {
                self == other || matches!(self, Self::Below(_)) && self.matches(suffix)
            }
        }
    }

    /// An exact host is more specific than any wildcard, a longer wildcard than a shorter.
    #[must_use]
    pub fn rank(&self) -> HostRank {
        match self {
            Self::Exact(_) => HostRank::Exact,
            Self::Below(suffix) => HostRank::Below(suffix.as_str().split('.').count()),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => host.fmt(f),
            Self::Below(suffix) => write!(f, "*.{suffix}"),
        }
    }
}

/// The domains above a host, nearest first: `b.c` and `c` for `a.b.c`.
pub(super) fn parents(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(host.split_once('.').map(|(_, rest)| rest), |rest| {
        rest.split_once('.').map(|(_, rest)| rest)
    })
}

/// How specific a match of the host is; greater wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostRank {
    /// The rule names no host.
    Any,
    /// A wildcard with this many labels.
    Below(usize),
    /// The very host.
    Exact,
}

/// Which paths a rule names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathPattern {
    segments: Vec<Segment>,
    below: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Segment {
    Literal(Box<[u8]>),
    /// `*`, or `{name}`, which differs for the reader only.
    Any(Option<Box<str>>),
}

impl PathPattern {
    /// `/**`: every path.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            segments: Vec::new(),
            below: true,
        }
    }

    /// Reads `/a`, `/a/**`, `/a/*/b` or `/a/{name}/b`.
    ///
    /// # Errors
    /// See [`PatternError`].
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let path = text.strip_prefix('/').ok_or(PatternError::NotAbsolute)?;
        let (path, below) = match path.strip_suffix("**") {
            Some(path) if path.is_empty() || path.ends_with('/') => (path, true),
            _ => (path, false),
        };
        let parts = path.split('/').filter(|part| !part.is_empty());
        let segments = parts.map(Segment::parse).collect::<Result<_, _>>()?;
        Ok(Self { segments, below })
    }

    /// The same pattern for an application that ignores case.
    #[must_use]
    pub fn ignoring_case(mut self) -> Self {
        for segment in &mut self.segments {
            if let Segment::Literal(text) = segment {
                *text = fold_case(text);
            }
        }
        self
    }

    /// Whether a reading of a path is one of those named.
    #[must_use]
    pub fn matches(&self, reading: &[u8]) -> bool {
        let mut given = segments(reading);
        let all = self
            .segments
            .iter()
            .all(|wanted| given.next().is_some_and(|segment| wanted.matches(segment)));
        all && (self.below || given.next().is_none())
    }

    /// Whether some path is named by both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let agree = self
            .segments
            .iter()
            .zip(&other.segments)
            .all(|(a, b)| a.agrees(b));
        let (short, long) = if self.segments.len() <= other.segments.len() {
            (self, other)
        } else {
            (other, self)
        };
        agree && (short.below || short.segments.len() == long.segments.len())
    }

    /// How specific this pattern is.
    #[must_use]
    pub fn rank(&self) -> PathRank {
        PathRank {
            exact: self.is_exact(),
            literals: self.literals().count(),
            template: !self.below,
        }
    }

    /// Whether it names one path only.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        !self.below && self.literals().count() == self.segments.len()
    }

    /// The literal segments before the first wildcard, as the start of a reading.
    #[must_use]
    pub fn literal_prefix(&self) -> Box<[u8]> {
        self.literals()
            .flat_map(|text| std::iter::once(b'/').chain(text.iter().copied()))
            .collect()
    }

    fn literals(&self) -> impl Iterator<Item = &[u8]> {
        self.segments.iter().map_while(|segment| match segment {
            Segment::Literal(text) => Some(&**text),
            Segment::Any(_) => None,
        })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => write!(f, "/{}", String::from_utf8_lossy(text))?,
                Segment::Any(None) => f.write_str("/*")?,
                Segment::Any(Some(name)) => write!(f, "/{{{name}}}")?,
            }
        }
        match (self.below, self.segments.is_empty()) {
            (true, _) => f.write_str("/**"),
            (false, true) => f.write_str("/"),
            (false, false) => Ok(()),
        }
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, PatternError> {
        let name = text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        let is_name = |name: &str| {
            name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !name.is_empty()
        };
        match (text, name) {
            ("*", _) => Ok(Self::Any(None)),
            ("**", _) => Err(PatternError::DeepWildcard),
            (_, Some(name)) if is_name(name) => Ok(Self::Any(Some(name.into()))),
            _ if text.contains(['*', '{', '}']) => Err(PatternError::MixedWildcard(text.into())),
            _ if !is_plain(text) => Err(PatternError::NotAPath(text.into())),
            _ => Ok(Self::Literal(text.as_bytes().into())),
        }
    }

    fn matches(&self, given: &[u8]) -> bool {
        match self {
            Self::Literal(text) => **text == *given,
            Self::Any(_) => true,
        }
    }

    fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(a), Self::Literal(b)) => a == b,
            _ => true,
        }
    }
}

fn is_plain(segment: &str) -> bool {
    !matches!(segment, "." | "..")
        && !segment.contains(|c: char| c.is_control() || "%?#;\\".contains(c))
}

/// How specific a match of the path is; greater wins.
///
/// An exact path comes first, then more literal segments before the first wildcard, then a template before `/**`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathRank {
    exact: bool,
    literals: usize,
    template: bool,
}

/// Which methods a rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Methods {
    /// The rule names none, so it is for all.
    All,
    /// These; `HEAD` is among them where `GET` is.
    Listed(Vec<Method>),
}

impl Methods {
    /// Reads a list of methods.
    ///
    /// # Errors
    /// See [`PatternError::Method`].
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, PatternError> {
        let parse = |name: &str| {
            parse_method(name.as_bytes()).ok_or_else(|| PatternError::Method(name.into()))
        };
        let mut methods = names
            .into_iter()
            .map(parse)
            .collect::<Result<Vec<_>, _>>()?;
        if methods.contains(&Method::GET) && !methods.contains(&Method::HEAD) {
            methods.push(Method::HEAD);
        }
        Ok(Self::Listed(methods))
    }

    /// Whether this method is one of those named.
    #[must_use]
    pub fn matches(&self, method: &Method) -> bool {
        match self {
            Self::All => true,
            Self::Listed(methods) => methods.contains(method),
        }
    }

    /// The methods that both name, where both are equally specific: `None` where they can't meet as equals.
    #[must_use]
    pub fn ties(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, Self::All) => true,
            (Self::Listed(a), Self::Listed(b)) => a.iter().any(|method| b.contains(method)),
            _ => false,
        }
    }

    /// Whether methods are listed, which is more specific than all.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        matches!(self, Self::Listed(_))
    }
}

/// A method token: upper-case letters and `-`.
#[must_use]
pub fn parse_method(text: &[u8]) -> Option<Method> {
    let is_token = text.iter().all(|&b| b.is_ascii_uppercase() || b == b'-');
    Method::from_bytes(text).ok().filter(|_| is_token)
}

#[cfg(test)]
mod tests;
