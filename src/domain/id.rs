//! Identifiers that Kratos gives.

use std::{fmt, ops::Deref, str};

/// How long a UUID is in text.
const UUID_LENGTH: usize = 36;

/// An identifier that Kratos gave, byte for byte. One as long as a UUID, which Kratos' own are, lies in place: sessions are
/// remembered by the hundred thousand.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Id(Text);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Text {
    Uuid([u8; UUID_LENGTH]),
    Other(Box<str>),
}

impl Id {
    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            // They were text when they were taken.
            Text::Uuid(bytes) => str::from_utf8(bytes).unwrap_or_default(),
            Text::Other(text) => text,
        }
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        let uuid = text.as_bytes().try_into().map(Text::Uuid);
        Self(uuid.unwrap_or_else(|_| Text::Other(text.into())))
    }
}

impl Deref for Id {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_says_what_it_was_given(text in "\\PC{0,40}|[0-9a-f-]{36}") {
            let id = Id::from(&*text);
            prop_assert_eq!(id.as_str(), text);
        }
    }

    #[test]
    fn a_uuid_lies_in_place() {
        let id = Id::from("1de11111-0000-4000-8000-000000000001");
        assert!(matches!(id.0, Text::Uuid(_)));
        assert_eq!(size_of::<Id>(), 40);
    }
}
