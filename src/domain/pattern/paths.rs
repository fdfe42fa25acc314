//! Path patterns: one path, a template with wildcards for segments, or everything below one.

use std::fmt;

use super::PatternError;
use crate::domain::path::{fold_case, segments};

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

/// What a pattern says of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::domain) enum Step<'a> {
    /// It is this one.
    Literal(&'a [u8]),
    /// There is one.
    Any,
    /// Whatever comes, here and behind.
    Below,
    /// The path is over.
    End,
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

    /// Readings that both name, if any: the shortest and, where both name all below, one that goes deeper. Where anything
    /// fits, a segment reads `any`.
    #[must_use]
    pub fn meetings(&self, other: &Self) -> Vec<Vec<u8>> {
        if !self.overlaps(other) {
            return Vec::new();
        }
        let length = self.segments.len().max(other.segments.len());
        let literal = |at: usize| {
            let of = |pattern: &Self| {
                pattern
                    .segments
                    .get(at)
                    .and_then(Segment::literal)
                    .map(<[u8]>::to_vec)
            };
            of(self)
                .or_else(|| of(other))
                .unwrap_or_else(|| b"any".to_vec())
        };
        let shortest: Vec<u8> = (0..length)
            .flat_map(|at| [b"/".to_vec(), literal(at)].concat())
            .collect();
        let deeper = [&*shortest, b"/any"].concat();
        let goes_on = self.below && other.below;
        std::iter::once(shortest)
            .chain(goes_on.then_some(deeper))
            .collect()
    }

    /// Whether every path of `other` is one of this pattern's.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let fits = self.segments.len() <= other.segments.len();
        let each = self
            .segments
            .iter()
            .zip(&other.segments)
            .all(|(own, theirs)| own.covers(theirs));
        let is_as_long = self.segments.len() == other.segments.len() && !other.below;
        fits && each && (self.below || is_as_long)
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

    /// What it says of a segment, counted from 0.
    pub(in crate::domain) fn step(&self, at: usize) -> Step<'_> {
        match self.segments.get(at) {
            Some(Segment::Literal(text)) => Step::Literal(text),
            Some(Segment::Any(_)) => Step::Any,
            None if self.below => Step::Below,
            None => Step::End,
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
        self.segments.iter().map_while(Segment::literal)
    }
}

impl Step<'_> {
    /// Whether some path fits both.
    pub(in crate::domain) fn agrees(self, other: Self) -> bool {
        match (self, other) {
            (Self::Below, _) | (_, Self::Below) => true,
            (Self::Literal(a), Self::Literal(b)) => a == b,
            (Self::End, other) | (other, Self::End) => other == Self::End,
            (Self::Any, _) | (_, Self::Any) => true,
        }
    }

    /// Whether the pattern says something of the next segment.
    pub(in crate::domain) fn goes_on(self) -> bool {
        matches!(self, Self::Literal(_) | Self::Any)
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
    fn literal(&self) -> Option<&[u8]> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Any(_) => None,
        }
    }

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

    fn covers(&self, other: &Self) -> bool {
        matches!(self, Self::Any(_)) || self == other
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
