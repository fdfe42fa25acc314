//! The headers of a request, as a door hands them over.

use bytes::Bytes;

/// Header lines in the order they came, names in lower case.
#[derive(Clone, Default)]
pub struct Headers {
    lines: Vec<(Bytes, Bytes)>,
    joined: bool,
}

impl Headers {
    /// Lines as the client sent them, each by itself.
    #[must_use]
    pub fn raw(lines: Vec<(Bytes, Bytes)>) -> Self {
        Self {
            lines,
            joined: false,
        }
    }

    /// Lines of one name joined by commas, as Envoy does unless `encode_raw_headers` is set.
    #[must_use]
    pub fn joined(lines: Vec<(Bytes, Bytes)>) -> Self {
        Self {
            lines,
            joined: true,
        }
    }

    /// Whether lines of one name were joined, so that a comma may stand for a line's end.
    #[must_use]
    pub fn are_joined(&self) -> bool {
        self.joined
    }

    /// The values of this name, which is in lower case.
    pub fn all<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.lines
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }

    /// The first value of this name.
    #[must_use]
    pub fn first<'a>(&'a self, name: &'a [u8]) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// Whether some value of this name is this text, in any case.
    #[must_use]
    pub fn has(&self, name: &[u8], text: &[u8]) -> bool {
        self.all(name)
            .any(|value| value.trim_ascii().eq_ignore_ascii_case(text))
    }

    /// Every name, as often as it came.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().map(|(name, _)| &**name)
    }

    #[cfg(test)]
    pub(crate) fn from_lines(lines: &[(&str, &str)]) -> Self {
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        Self::raw(
            lines
                .iter()
                .map(|(name, value)| (bytes(name), bytes(value)))
                .collect(),
        )
    }
}

impl std::fmt::Debug for Headers {
    /// Names only: values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.names().map(String::from_utf8_lossy))
            .finish()
    }
}
