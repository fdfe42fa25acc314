//! What an identity is known by: the values that rules and upstream headers name by a JSON pointer.

use std::fmt;

/// An RFC 6901 JSON pointer into the Kratos identity, such as `/metadata_public/role`. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pointer(Box<str>);

/// Why a pointer was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a JSON pointer starts with `/` and writes `~` as `~0` and `/` as `~1`, as in `/metadata_public/role`"
)]
pub struct PointerError;

impl Pointer {
    /// Reads a pointer.
    ///
    /// # Errors
    /// [`PointerError`] where it is none.
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        let is_escaped = |rest: &str| rest.starts_with(['0', '1']);
        let escapes_well = text.split('~').skip(1).all(is_escaped);
        if text.starts_with('/') && text.len() > 1 && escapes_well {
            Ok(Self(text.into()))
        } else {
            Err(PointerError)
        }
    }

    /// The pointer as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A value that can be compared and sent: text, a number in its JSON spelling, or a boolean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// A string.
    Text(Box<str>),
    /// A number, as JSON writes it.
    Number(Box<str>),
    /// A boolean.
    Bool(bool),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Number(text) => f.write_str(text),
            Self::Bool(value) => write!(f, "{value}"),
        }
    }
}

/// What stands at a pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// One value.
    One(Scalar),
    /// A list; `None` for an element that is neither text nor number nor boolean.
    Many(Vec<Option<Scalar>>),
}

impl Claim {
    /// Whether it, or an element of it, is this very value. Text is never a number.
    #[must_use]
    pub fn holds(&self, value: &Scalar) -> bool {
        match self {
            Self::One(one) => one == value,
            Self::Many(many) => many.iter().any(|element| element.as_ref() == Some(value)),
        }
    }
}

/// The claims of one identity. They print as their pointers alone: values are nobody's business in a log.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Claims(Vec<(Pointer, Claim)>);

impl Claims {
    /// Those that were asked for and are there.
    #[must_use]
    pub fn new(claims: Vec<(Pointer, Claim)>) -> Self {
        Self(claims)
    }

    /// What stands at a pointer, if anything that can be compared does.
    #[must_use]
    pub fn get(&self, pointer: &Pointer) -> Option<&Claim> {
        self.0
            .iter()
            .find(|(key, _)| key == pointer)
            .map(|(_, claim)| claim)
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(pointer, _)| pointer.as_str()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_starts_with_a_slash_and_escapes_well() {
        for text in ["/a", "/a/0", "/a~1b", "/~0", "/metadata_public/role", "//"] {
            assert_eq!(Pointer::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "/", "a", "#/a", "/a~", "/a~2"] {
            assert_eq!(Pointer::parse(text), Err(PointerError), "{text}");
        }
    }

    #[test]
    fn text_is_never_a_number() {
        let five = || Scalar::Number("5".into());
        assert!(Claim::One(five()).holds(&five()));
        assert!(!Claim::One(Scalar::Text("5".into())).holds(&five()));
        assert!(Claim::Many(vec![None, Some(five())]).holds(&five()));
        assert!(!Claim::Many(vec![None]).holds(&five()));
    }

    #[test]
    fn claims_print_without_their_values() {
        let claim = (
            Pointer::parse("/traits/email").unwrap(),
            Claim::One(Scalar::Text("ann@example.test".into())),
        );
        assert_eq!(
            format!("{:?}", Claims::new(vec![claim])),
            r#"["/traits/email"]"#
        );
    }
}
