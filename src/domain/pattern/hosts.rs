//! Host patterns: one host, or every host below one.

use std::fmt;

use super::PatternError;
use crate::domain::host::Host;

/// Which hosts a rule or an origin names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// `app.example.com`
    Exact(Host),
    /// `*.example.com`: one or more labels before this host, never the host alone.
    Below(Host),
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
            Self::Below(suffix) => HostRank::below(suffix.as_str()),
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
pub(in crate::domain) fn parents(host: &str) -> impl Iterator<Item = &str> {
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

impl HostRank {
    /// A wildcard for every host below this one.
    pub(in crate::domain) fn below(suffix: &str) -> Self {
        Self::Below(suffix.split('.').count())
    }
}
